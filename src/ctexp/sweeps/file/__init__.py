"""A sweep's file, in the format of W&B, read and checked with line numbers."""
