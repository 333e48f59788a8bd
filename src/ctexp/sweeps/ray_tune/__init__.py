"""Trials of a sweep on a Ray cluster."""
