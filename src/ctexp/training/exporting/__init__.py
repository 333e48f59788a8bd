"""A trained network for other programs: written, compared with what it was, described."""
