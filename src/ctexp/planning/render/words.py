"""Words as bash reads them back, byte for byte, written in plain ASCII.

What a person reads in a script is what runs: no character in it looks like another one, none turns the
line around, and no locale reads a quote out of the middle of a letter.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from ctexp.core.errors import UsageError

WIDTH = 110
"""Columns of a script's lines, where words can be parted."""

_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
# What single quotes keep and nobody takes for an expansion that was meant to happen.
_SINGLE = re.compile(r"[ !\"#%&()*+,\-./0-9:;<=>?@A-Z\[\]^_a-z{|}~]*")
_NAMED = {b"'": r"\'", b"\\": r"\\", b"\n": r"\n", b"\t": r"\t", b"\r": r"\r"}


@lru_cache(maxsize=4096)  # seeds share all words but one
def quoted(word: str) -> str:
    r"""One word of a command, quoted no more than it needs: `a=1`, `'a=[1,2]'`, `$'a=\303\251'`.

    Raises:
        UsageError: no program can be given such a word: it holds NUL, or half of a surrogate pair.
    """
    if _PLAIN.fullmatch(word):
        return word
    if _SINGLE.fullmatch(word):
        return f"'{word}'"
    try:
        content = word.encode()
    except UnicodeEncodeError:
        content = b"\0"
    if b"\0" in content:
        raise UsageError(f"{word[:80]!r}: no command can be given such characters", "write it without them")
    return f"$'{''.join(_escaped(content[at : at + 1]) for at in range(len(content)))}'"


def wrapped(words: Iterable[str], indent: int) -> str:
    """A command over as many lines as it needs, continued by lines that stand deeper.

    Args:
        words: quoted already.
        indent: columns before the first word.
    """
    return f" \\\n{' ' * (indent + 4)}".join(filled(words, WIDTH - indent - 6))


def filled(words: Iterable[str], width: int) -> list[str]:
    """Lines of words, none parted, each line as wide as it may be."""
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _escaped(byte: bytes) -> str:
    return _NAMED.get(byte) or (byte.decode() if 32 <= byte[0] < 127 else f"\\{byte[0]:03o}")
