"""The best use of what is left of a window: which jobs, and in which order.

Plain Python without heavy imports: the night asks many times.
"""
