"""From trained weights to numbers: predictions, calibration, the importance of features."""
