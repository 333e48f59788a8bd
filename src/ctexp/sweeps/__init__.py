"""Sweeps: what is searched, the trials that agents share, the work of one agent, and what was learned."""
