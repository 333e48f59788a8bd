"""Experiments on their way: what is to be done, each handler in a process of its own, what came of all."""
