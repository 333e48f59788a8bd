"""From settings to a finished run: preparation, the training kernel, its ends, and the record it leaves."""
