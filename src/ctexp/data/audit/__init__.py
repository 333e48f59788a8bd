"""The audit of an imported data set: what would make a figure measured on it untrue."""
