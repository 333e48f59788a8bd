"""Where the research stands: statuses and gates, computed from records and from nothing else."""
