"""Text as a cell of a CSV file that people open in a spreadsheet."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def harmless(text: str) -> str:
    """The same text, with an apostrophe before what a spreadsheet would take for a formula and carry out."""
    return f"'{text}" if text.startswith(_FORMULA) else text
