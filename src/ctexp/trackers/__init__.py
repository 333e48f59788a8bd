"""Where metrics go besides the run directory: other people's trackers, which can fail nothing."""
