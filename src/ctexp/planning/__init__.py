"""What a night will cost and how it is filled; nothing here loads torch."""
