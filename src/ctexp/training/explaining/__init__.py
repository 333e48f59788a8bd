"""What a network looked at: maps of evidence, whether they mean anything, and pictures of them."""
