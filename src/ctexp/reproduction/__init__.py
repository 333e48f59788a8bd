"""A run made again from its record, and how two runs differ."""
