"""One attempt at a job, from its cooldown to its end."""
