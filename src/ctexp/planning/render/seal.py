"""How a rendered script is known: a line in it holds the SHA-256 of all the others."""

import re
from typing import Literal

from ctexp.core.files import sha256_bytes

MARK = "# seal    "
_LINE = re.compile(rb"^# seal    ([0-9a-f]{64})\n", re.MULTILINE)

Origin = Literal["rendered", "edited", "foreign"]


def sealed(script: str) -> str:
    """The script with its seal, in place of the line that holds `MARK` alone."""
    before, mark, after = script.partition(f"{MARK}\n")
    if not mark:
        raise ValueError("no line for the seal")
    return f"{before}{MARK}{sha256_bytes((before + after).encode())}\n{after}"


def origin(content: bytes) -> Origin:
    """Whether a script is as it was rendered, has been edited by hand since, or is somebody else's."""
    found = _LINE.search(content)
    if found is None:
        return "foreign"
    rest = content[: found.start()] + content[found.end() :]
    return "rendered" if sha256_bytes(rest) == found[1].decode() else "edited"
