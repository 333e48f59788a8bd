"""Trainings that begin at once: a parent that has imported everything, and forks a child for each."""
