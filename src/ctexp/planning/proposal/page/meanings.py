"""What a setting means, in the words of the file that has it: every key of `conf/` has a comment above it."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ctexp.core import files

_KEY = re.compile(r"(?P<key>[a-z_0-9]+):(?P<value>.*)")
_MOST = 240
"""Characters of a meaning; what is longer ends with the last sentence before."""


class Meanings:
    """The comments of a project's configuration.

    Args:
        conf: its folder.
    """

    def __init__(self, conf: Path) -> None:
        self._conf = conf

    def of(self, word: str) -> str:
        """What an override asks for; nothing where no comment tells.

        Args:
            word: `averaging=ema`, `optimizer.lr=3e-5`.
        """
        key, _, value = word.lstrip("+~").partition("=")
        group, _, rest = key.partition(".")
        if rest in ("", "name"):  # `sampler=uniform` and `sampler.name=uniform` choose alike
            return _short(self._choice(group, value))
        found = (_above(lines, rest.partition(".")[0]) for lines in self._files(group))
        return _short(next(filter(None, found), ""))

    def _choice(self, group: str, value: str) -> str:
        """The comment at the head of a choice's file."""
        file = self._conf / group / f"{value}.yaml"
        lines = _lines(file) if re.fullmatch(r"\w+", value) else []
        head = []
        for line in lines:
            if line.startswith("# @package"):
                continue
            if not line.startswith("#"):
                break
            head.append(line)
        if len(lines) > len(head) and (first := _KEY.match(lines[len(head)])) and first["key"] != "name":
            return _prose(head[:1])  # the lines after it are about the first key
        return _prose(head)

    def _files(self, group: str) -> Iterator[list[str]]:
        for file in sorted((self._conf / group).glob("*.yaml")):
            yield _lines(file)


def _lines(file: Path) -> list[str]:
    """Of a file; none where it cannot be read: that it is wrong others say."""
    try:
        return files.read_regular(file).decode().splitlines()
    except (OSError, ValueError):
        return []


def _above(lines: Sequence[str], key: str) -> str:
    """The comment above a key."""
    comment: list[str] = []
    for line in lines:
        if line.startswith("#"):
            comment.append(line)
            continue
        if (match := _KEY.match(line)) and match["key"] == key:
            return _prose(comment)
        comment = []
    return ""


def _prose(comment: Sequence[str]) -> str:
    return " ".join(line.lstrip("# ").strip() for line in comment)


def _short(text: str) -> str:
    """As many whole sentences as there is room for, one at least."""
    kept = ""
    for part in re.split(r"(?<=[.:]) (?=[A-Z])", text):
        if kept and len(kept) + len(part) > _MOST:
            break
        kept = f"{kept} {part}".strip()
    return kept.removesuffix(" ...")
