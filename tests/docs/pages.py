"""What the README and the pages have people type: in blocks, and within a sentence."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.project import HERE

PAGES = (HERE / "README.md", *sorted((HERE / "docs").rglob("*.md")))

_PROGRAMS = {
    *("inv", "scripts/inv", "bash", "python", "dvc", "git", "modal", "uvx"),
    *("jq", "cd", "cat", "printf", "export"),
}
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"^    .*\n?", re.MULTILINE)
_COMMENT = re.compile(r"\s+#\s.*")


@dataclass(frozen=True)
class Command:
    """Words that a page has people type.

    Attributes:
        page: the file's name.
        text: the words, without prompt and comment.
    """

    page: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"


def blocks(page: Path) -> list[Command]:
    """The commands on lines of their own, in the order in which they are typed."""
    text = page.read_text()
    fenced = [(found.start(), found[2]) for found in _FENCED.finditer(text) if found[1] == "console"]
    prompted = [
        (start, line[2:]) for start, block in fenced for line in block.splitlines() if line.startswith("$ ")
    ]
    indented = [
        (found.start(), found[0][4:].rstrip().removeprefix("$ ")) for found in _INDENTED.finditer(_bare(text))
    ]
    typed = [one for one in indented if _is_typed(one[1])]
    lines = sorted([*prompted, *typed], key=lambda one: one[0])  # those of one fence as they stand
    return [Command(page.name, _COMMENT.sub("", line)) for _, line in lines]


def inline(page: Path) -> list[Command]:
    """The commands within sentences and tables, with words beside the program's name."""
    prose = _INDENTED.sub("\n", _bare(page.read_text()))
    spans = (" ".join(span.replace("\\|", "|").split()) for span in re.findall(r"`([^`]+)`", prose))
    return [Command(page.name, span) for span in spans if _is_typed(span) and " " in span]


def _bare(text: str) -> str:
    """The text with nothing but blanks where fences are, so that places stay what they are."""
    return _FENCED.sub(lambda found: re.sub(r"[^\n]", "", found[0]).ljust(len(found[0]), "\n"), text)


def _is_typed(line: str) -> bool:
    program = line.partition(" ")[0]
    return program in _PROGRAMS or program.startswith(".venv/bin/")
