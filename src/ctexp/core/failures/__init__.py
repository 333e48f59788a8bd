"""Failures that come from below ctexp, recognised by what they say: a diagnosis and what to do about each.

What there is to know is data, in `known/`; `catalogue` reads it and finds the entry that a message, an
exception or a log speaks of; `page` writes it down for people as docs/errors.md.
"""
