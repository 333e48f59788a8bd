"""Words and figures of a proposal."""

import unicodedata

from ctexp.planning.moves.value import Belief

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


def believed(catalogue: Belief | None, bonus: float, now: Belief, metric: str) -> str:
    """`a gain of +0.015 (sd 0.025) in val/macro_f1 is believed`, and what that begins with."""
    said = f"a gain of {now.mean:+.3f} (sd {now.sd:.3f}) in {metric} is believed"
    if catalogue is None or (not bonus and catalogue == now):
        return said
    guess = f" and {bonus:+.3f} for how bad the trouble is, a guess" if bonus else ""
    return f"{said}, beginning with the catalogue's {catalogue.mean:+.3f} (sd {catalogue.sd:.3f}){guess}"
