"""What trained networks say of images that nobody has labelled: read, looked at, written down."""
