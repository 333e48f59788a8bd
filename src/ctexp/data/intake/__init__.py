"""Bringing images in: what lies where, whether it can be used, what people know of it; all or nothing."""
