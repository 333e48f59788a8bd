"""Text that somebody else has written, in a document of ours: it stays text, on one line.

Markdown is escaped, not interpreted; what could hide or turn other text round (control characters, marks of
writing direction) is a space.
"""

import re
import unicodedata

MOST_SHOWN = 600
"""Characters of one free text that a page shows; `night.json` has all of them."""

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_JOINERS = {"\u200c", "\u200d"}  # letters of several scripts, and emoji, are made with these
_ESCAPED = re.compile(r"[\\`*\[<|~$]|&(?=#?\w+;)|(?<![^\W_])_|_(?![^\W_])")
_AT_BEGINNING = re.compile(r"^([-+=:#>]|\d{1,9}(?=[.)](\s|$)))")


def plain(said: str, most: int = MOST_SHOWN) -> str:
    """One line of visible characters, cut off with an ellipsis after the word that fits last."""
    visible = (" " if unicodedata.category(one) in _HIDDEN and one not in _JOINERS else one for one in said)
    line = " ".join("".join(visible).split())
    if len(line) <= most:
        return line
    cut = line[: most - 1]
    whole = cut.rpartition(" ")[0] if " " in cut[most // 2 :] else cut
    return f"{whole}…"


def markdown(said: str, most: int = MOST_SHOWN) -> str:
    """The same for Markdown: no mark of it means anything, wherever the line stands."""
    escaped = _ESCAPED.sub(lambda found: f"\\{found[0]}", plain(said, most))
    return _AT_BEGINNING.sub(lambda found: _defused(found[0]), escaped)


def code(said: str) -> str:
    """A command or a name as code; backticks in it are kept, since a longer fence holds them."""
    line = plain(said, 2000)
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", line)), default=0))
    padding = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{fence}{padding}{line}{padding}{fence}"


def _defused(beginning: str) -> str:
    """A mark that would begin a list or underline a heading."""
    return f"{beginning}\\" if beginning.isdigit() else f"\\{beginning}"
