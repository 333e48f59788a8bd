"""What is read: PNG, JPEG and TIFF through Pillow, DICOM through pydicom; each to one channel of grey."""
