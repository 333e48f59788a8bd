"""From settings to a finished run: preparation, the training kernel, its guards, and the record it leaves."""
