"""Which images are copies of one another: the same bytes, the same pixels, or the same picture."""
