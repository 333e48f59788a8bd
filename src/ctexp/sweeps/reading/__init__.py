"""What the trials of a sweep say: the best, how sure that is, what mattered, where to look closer."""
