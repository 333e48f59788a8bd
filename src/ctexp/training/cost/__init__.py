"""A few real steps on a copy, timed: what a run will cost where no history tells."""
