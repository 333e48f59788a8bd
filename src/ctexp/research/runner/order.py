"""What a handler's process is told: which handler, where everything lies, what it may take."""

from pathlib import Path

from pydantic import Field

from ctexp.record.documents import Document, Text
from ctexp.record.git import GitState
from ctexp.research.places import Places
from ctexp.research.record import Basis


class Order(Document):
    """One handler to be carried out.

    Attributes:
        root: the project's folder.
        data: the data folder; `runs` that of all runs. Both absolute.
        folder: takes what the handler logs, and its answer.
        stub: whether to take the figures that it declares instead of calling it.
        slots: how many trainings may run at once.
        threads: that each of them computes on; null for as many as it likes.
        gpu: whether they may want a GPU.
        basis: what its answer rests on as far as that is known; its overrides are those of every training.
        git: the source as it is.
        command: to do the same again.
    """

    experiment: Text
    sub: Text
    root: Text
    data: Text
    runs: Text
    folder: Text
    stub: bool = False
    slots: int = Field(default=1, ge=1)
    threads: int | None = Field(default=None, ge=1)
    gpu: bool = False
    basis: Basis
    git: GitState
    command: Text

    def at(self, root: Path) -> "Order":
        """The same in another copy of the project, whose data and runs lie in folders of its own."""
        if str(root) == self.root:
            return self
        kept = Path(self.folder)
        folder = (
            root / "runs" / kept.relative_to(self.runs)
            if kept.is_relative_to(self.runs)
            else root / kept.relative_to(self.root)
        )
        there = {"root": root, "data": root / "data", "runs": root / "runs", "folder": folder}
        return self.model_copy(update={key: str(path) for key, path in there.items()})

    @property
    def places(self) -> Places:
        """Where the research lies."""
        return Places(Path(self.root), self.stub)

    @property
    def answer(self) -> Path:
        """Where the handler's process leaves the record, for whoever watches it to take."""
        return Path(self.folder) / f"{self.sub}.json"

    @property
    def saved(self) -> Path:
        """Artifacts, for whoever takes the record to put them where it says."""
        return Path(self.folder) / f"{self.sub}.artifacts"

    @property
    def log(self) -> Path:
        """All that it prints."""
        return Path(self.folder) / f"{self.sub}.log"

    @property
    def said(self) -> Path:
        """How it is getting on, a line each."""
        return Path(self.folder) / f"{self.sub}.said"
