"""Pages for people, made from run directories alone."""
