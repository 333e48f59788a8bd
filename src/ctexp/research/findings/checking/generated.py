"""Generated text, line by line against what records give today."""

from difflib import SequenceMatcher
from pathlib import Path

from ctexp.research.findings.checking.report import Report

_SHOWN = 160


def check_file(path: Path, wanted: str, root: Path, report: Report) -> None:
    """Hold a file that is generated as a whole against what it should be."""
    said = path.relative_to(root).as_posix()
    if not path.is_file():
        report.differs(said, 0, "missing, although there are records: run scripts/inv research-run")
        return
    report.files.add(said)
    check_text(path.read_text(errors="replace"), wanted, said, 1, report)


def check_text(found: str, wanted: str, file: str, line: int, report: Report) -> bool:
    """Tell every line that differs.

    Returns:
        Whether both are the same.
    """
    before, after = found.splitlines(), wanted.splitlines()
    if before == after:
        return True
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for kind, begin, end, begin_wanted, end_wanted in matcher.get_opcodes():
        if kind == "equal":
            continue
        said, should = before[begin:end], after[begin_wanted:end_wanted]
        for offset in range(max(len(said), len(should))):
            problem = _problem(said[offset : offset + 1], should[offset : offset + 1])
            at = line + max(0, min(begin + offset, len(before) - 1))
            # A number that differs has been told as such.
            if not report.tells(file, at):
                report.differs(file, at, problem)
    return False


def _problem(said: list[str], should: list[str]) -> str:
    if not said:
        return f"lacks {_short(should[0])}"
    if not should:
        return f"says {_short(said[0])}, which no record gives"
    cut = next((at for at, pair in enumerate(zip(said[0], should[0], strict=False)) if pair[0] != pair[1]), 0)
    cut = max(0, cut - _SHOWN // 4)
    return f"says {_short(said[0], cut)}, is {_short(should[0], cut)}"


def _short(text: str, cut: int = 0) -> str:
    """A line from where it matters, no longer than a reader takes in."""
    part = text[cut : cut + _SHOWN]
    return f"{'…' if cut else ''}{part!r}{'…' if len(text) > cut + _SHOWN else ''}"
