"""What a plan's jobs will cost, and what of them the window holds."""
