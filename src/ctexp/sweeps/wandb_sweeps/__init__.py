"""A sweep that W&B's service hands out."""
