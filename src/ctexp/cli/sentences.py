"""Sentences in lines that are read at a glance."""

import textwrap

WIDTH = 100
"""Columns of what is printed; commands to paste are never broken."""


def wrapped(text: str, indent: str = "") -> str:
    """A sentence in lines of `WIDTH`, broken between words; those after the first are indented further."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
