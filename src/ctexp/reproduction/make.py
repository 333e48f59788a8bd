"""A run made again: its source, its environment, its data, its command, and the verdict."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ctexp.config.paths import absolute
from ctexp.core import clock, files
from ctexp.core.errors import PreflightError
from ctexp.record.checkpoint_files import BEST
from ctexp.record.environment import computes_on
from ctexp.record.run_dir import RunDir
from ctexp.reproduction import again, environments, images
from ctexp.reproduction.beside import Changed
from ctexp.reproduction.environments import Environment
from ctexp.reproduction.images import Provided
from ctexp.reproduction.integrity import tampered
from ctexp.reproduction.judging import Judged, judge
from ctexp.reproduction.place import Place, opened
from ctexp.reproduction.recorded import Recorded
from ctexp.reproduction.repository import Repository
from ctexp.reproduction.summary import IMAGES, said, summary
from ctexp.reproduction.verdict import Outcome, Source, Verdict

TOLERANCE = 0.02
"""One image in fifty, or two points of a metric."""


@dataclass(frozen=True)
class Project:
    """The project that makes it again: its folder, and those of its data and runs."""

    root: Path
    data_dir: Path
    runs: Path


@dataclass(frozen=True)
class Asked:
    """How it is to be made.

    Attributes:
        here: in this project's own environment.
        tolerance: see `judge`.
        keep: leave the worktree.
    """

    here: bool = False
    tolerance: float = TOLERANCE
    keep: bool = False


class Reproduction:
    """One run that is made again.

    `tell` is given a line at each step, `follow` what changes while something takes long.
    """

    def __init__(
        self,
        of: Recorded,
        project: Project,
        asked: Asked,
        *,
        tell: Callable[[str], None],
        follow: Callable[[str], None] | None,
    ) -> None:
        self._of = of
        self._project = project
        self._asked = asked
        self._tell = tell
        self._follow = follow
        self._began = clock.now()
        self._broken = tampered(of)

    def carry_out(self) -> tuple[Place, Verdict]:
        """Make it and judge it; the verdict is written by then. The run itself is only read.

        Raises:
            CtexpError: it was refused: no such commit, no such environment, no data. Nothing is left then.
            Stopped: a signal asked for an end; nothing is left either.
        """
        repository = Repository(self._project.root)
        if not repository.has(self._of.commit):
            raise PreflightError(
                f"{self._of.run.id}: its commit {self._of.commit[:12]} is not in this repository",
                "fetch it from where it is: git fetch --all",
            )
        run_id, runs = self._of.run.id, self._project.runs
        with opened(runs, run_id, self._began, repository.remove) as place:
            verdict = self._verdict(repository, place)
            files.write_text(place.summary, summary(verdict, place.path))
            verdict.write(place.verdict)
        return place, verdict

    def _verdict(self, repository: Repository, place: Place) -> Verdict:
        if any(one.what == "git.diff" for one in self._broken):
            return self._judged(Judged(differences=self._broken), "not_made")
        of = self._of
        patched = " with its patch" if of.patch else ""
        self._tell(f"source: commit {of.commit[:12]}{patched}")
        with repository.worktree(of.commit, of.patch, place.source, keep=self._asked.keep) as source:
            try:
                provided = images.provide(of, self._project.root, self._data_dirs(), source, self._follow)
            except Changed as changed:
                return self._judged(Judged(differences=[*self._broken, *changed.differences]), "not_made")
            self._tell(f"data: {of.manifest.dataset.name}, {IMAGES[provided.images.origin]}")
            environment = self._environment(source)
            run = self._train(environment, provided, source, place)
            self._tell("comparing")
            whole = not any(one.what == f"checkpoints/{BEST}" for one in self._broken)
            judged = judge(of, run, self._asked.tolerance, weights=whole)
        judged.differences[:0] = self._broken
        judged.notes[:0] = [*of.notes, *provided.notes]
        return self._judged(judged, judged.outcome, run, environment, provided)

    def _data_dirs(self) -> list[Path]:
        """Where the data may lie: where the run had them, and where this project has them."""
        root, said = self._project.root, self._of.config.get("paths.data")
        recorded = [absolute(root, said)] if isinstance(said, str) else []
        return list(dict.fromkeys([*recorded, self._project.data_dir]))

    def _environment(self, source: Path) -> Environment:
        if self._asked.here:
            return environments.here()
        python = self._of.manifest.environment.python
        made = environments.locked(self._project.root, source, python, self._of.packages, self._tell)
        self._tell(f"environment: {made.packages.lock}, Python {made.packages.python}")
        return made

    def _train(self, environment: Environment, provided: Provided, source: Path, place: Place) -> RunDir:
        self._tell(f"training: {self._of.manifest.command}")
        device, its = self._of.manifest.device, self._of.manifest.environment
        here = computes_on(str(self._of.config.get("trainer.accelerator")))
        if device != here and device in {gpu.name for gpu in its.gpus}:
            self._tell(f"it was trained on {device}; here it computes on {here}")
        words = again.words(self._of, place, provided.folder)
        variables = again.variables(self._of, source)
        return again.train(environment.python, words, variables, source, place, self._follow)

    def _judged(
        self,
        judged: Judged,
        outcome: Outcome,
        run: RunDir | None = None,
        environment: Environment | None = None,
        provided: Provided | None = None,
    ) -> Verdict:
        git = self._of.manifest.git
        return Verdict(
            run_id=self._of.run.id,
            outcome=outcome,
            said=said(outcome, judged.differences, judged.compared),
            began=clock.iso(self._began),
            ended=clock.iso(clock.now()),
            command=self._of.manifest.command,
            reproduction=run.id if run else None,
            strict=run is not None and not judged.lenient_because,
            lenient_because=tuple(judged.lenient_because),
            tolerance=self._asked.tolerance,
            source=Source(commit=self._of.commit, patch_sha256=git.patch_sha256, left_out=git.left_out),
            packages=environment.packages if environment else None,
            images=provided.images if provided else None,
            compared=tuple(judged.compared),
            differences=tuple(judged.differences),
            notes=tuple(judged.notes),
        )
