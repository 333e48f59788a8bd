"""Images: where they come from, what is known of them, and how they reach training."""
