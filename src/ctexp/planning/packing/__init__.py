"""The best use of what is left of a window: which jobs, and in which order. Plain Python: asked many times a night."""
