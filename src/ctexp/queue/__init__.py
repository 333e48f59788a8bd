"""A night under way: its folder and journal, what comes next, one attempt at a job, and the morning."""
