"""The records: every figure worked out again, every artifact hashed."""

from pathlib import Path

from ctexp.core import files
from ctexp.research.figures import Figure, Reported
from ctexp.research.findings.checking.report import Report
from ctexp.research.recompute import Altered, Gone, Recomputing, equal, verdict
from ctexp.research.record import Answer


def check_answer(answer: Answer, file: Path, root: Path, recomputing: Recomputing, report: Report) -> None:
    """Hold an answer against what it cites."""
    said = file.relative_to(root).as_posix()
    report.files.add(said)
    lines = file.read_text(errors="replace").splitlines()
    for name, figure in answer.metrics.items():
        _check(figure, f"metrics.{name}", said, _line(lines, name), recomputing, report)
    for number, figure in enumerate(answer.cited):
        _check(figure, f"cited.{number}", said, _line(lines, "cited"), recomputing, report)
    for artifact in answer.artifacts:
        path, line = root / artifact.file, _line(lines, artifact.file)
        if not path.is_file():
            report.lacks(said, line, f"artifact {artifact.file}: missing")
        elif (found := files.sha256_file(path)) != artifact.sha256:
            report.differs(
                said, line, f"artifact {artifact.file}: SHA-256 is {found[:12]}, said {artifact.sha256[:12]}"
            )


def _check(figure: Figure, name: str, file: str, line: int, recomputing: Recomputing, report: Report) -> None:
    """Hold a figure, and all that it was derived from, against its sources."""
    if isinstance(figure.source, Reported):
        report.unsourced += 1
        return
    report.numbers += 1
    try:
        pairs = [(part, recomputing.figure(part)) for part in figure.whole()]
    except Gone as error:
        for problem in error.problems:
            report.lacks(file, line, problem)
        return
    except Altered as error:
        for problem in error.problems:
            report.differs(file, line, f"{name}: {problem}")
        return
    for part, found in pairs:
        if not equal(part, found):
            whose = name if part is figure else f"{name}, what it was derived from"
            report.differs(file, line, f"{whose}: says {_exactly(part)}, is {_exactly(found)}")


def _exactly(figure: Figure) -> str:
    """All digits: a difference may be in the last one."""
    if figure.value is None:
        return "undefined"
    if figure.exact:
        return f"{figure.value!r}, counted"
    interval = "" if figure.low is None else f" ({figure.low!r} to {figure.high!r})"
    called = f", {verdict(figure)}" if verdict(figure) else ""
    return f"{figure.value!r}{interval}{called}"


def _line(lines: list[str], text: str) -> int:
    """The first line that speaks of something."""
    return next((number for number, line in enumerate(lines, start=1) if f'"{text}"' in line), 1)
