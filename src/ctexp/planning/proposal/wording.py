"""Words and figures of a proposal."""

import unicodedata

from ctexp.planning.moves.beliefs import Belief

_ASCII = {
    "\u2013": "-",
    "\u2014": "-",
    "\u2212": "-",
    "\u00d7": "x",
    "\u2265": ">=",
    "\u2264": "<=",
    "\u00b1": "+-",
    "\u2019": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u2026": "...",
}


def plain(text: str) -> str:
    """The same in ASCII, on one line, as it can stand in a plan's file anywhere."""
    text = "".join(_ASCII.get(char, char) for char in text)
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join(text.split())


def gain(belief: Belief, metric: str) -> str:
    """`a gain of +0.005 (sd 0.025) in val/macro_f1`."""
    return f"a gain of {belief.mean:+.3f} (sd {belief.sd:.3f}) in {metric}"
