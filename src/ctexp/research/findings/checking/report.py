"""What a check has looked at, and what it found; it grows while the check goes on."""

from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class Line:
    """Something that is not as it should be.

    Attributes:
        file: relative to the project's folder.
        line: counted from 1; 0 for the file as a whole.
        problem: what it says, and what it should.
    """

    file: str
    line: int
    problem: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.problem}" if self.line else f"{self.file}: {self.problem}"


@dataclass
class Report:
    """The result of a check.

    Attributes:
        numbers: how many were held against their sources: figures of records, and numbers that pages cite.
        files: that these stand in.
        unsourced: figures that were counted or reported by a handler, with nothing to recompute them from.
        differences: what differs.
        missing: what is not here, so that something could not be worked out.
        notes: what else a reader should know, one line each.
    """

    numbers: int = 0
    unsourced: int = 0
    files: set[str] = field(default_factory=set)
    differences: list[Line] = field(default_factory=list)
    missing: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def differs(self, file: str, line: int, problem: str) -> None:
        """Note a difference."""
        self.differences.append(Line(file, line, problem))

    def tells(self, file: str, line: int) -> bool:
        """Whether a difference in this very line is known."""
        return any((one.file, one.line) == (file, line) for one in self.differences)

    def lacks(self, file: str, line: int, problem: str) -> None:
        """Note that something is not here; the same thing once."""
        if problem not in {one.problem for one in self.missing}:
            self.missing.append(Line(file, line, problem))
