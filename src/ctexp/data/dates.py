"""Dates as people and scanners write them."""

from datetime import datetime


def iso_date(text: str) -> str:
    """A date or time in ISO 8601, with dashes or without, as `2021-03-04`; empty where it is none."""
    try:
        return datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        return ""
