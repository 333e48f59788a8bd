"""An experiment carried out: its parts that are to be done, one after another, whatever each comes to."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ctexp.core import clock, files, names
from ctexp.core.locks import FileLock
from ctexp.record import git
from ctexp.record.manifest import command_line
from ctexp.research.parts import Part, parts
from ctexp.research.places import Places
from ctexp.research.plan.content import Experiment
from ctexp.research.record import Answer
from ctexp.research.runner.order import Order
from ctexp.research.running import earlier
from ctexp.research.running.supervising import Bench, carry_out
from ctexp.research.running.wanted import Asked, wanted

FOLDER = "research"
"""Where in the folder of runs the logs of handlers lie."""


@dataclass(frozen=True)
class Start:
    """One start of `research-run`.

    Attributes:
        root: the project's folder.
        data: the data folder.
        runs: the folder of all runs.
        stub: whether figures are made up.
        overrides: of every training.
        slots: how many trainings of a handler may run at once.
        threads: that each computes on; None for as many as it likes.
        gpu: whether they may want a GPU.
    """

    root: Path
    data: Path
    runs: Path
    stub: bool = False
    overrides: tuple[str, ...] = ()
    slots: int = 1
    threads: int | None = None
    gpu: bool = False

    @property
    def places(self) -> Places:
        """Where the research lies."""
        return Places(self.root, self.stub)

    @property
    def logs(self) -> Path:
        """Where each start of an experiment has its folder."""
        return self.places.results / "logs" if self.stub else self.runs / FOLDER


@dataclass(frozen=True)
class Done:
    """A part of an experiment after a start.

    Attributes:
        state: of its answer; `kept` where it was completed before and is up to date; `stopped` where a signal
            came first.
        why: it was carried out; empty where it was kept.
        answer: its record; None where it was stopped.
        log: all that it printed; None where it was not begun.
    """

    sub: str
    state: Literal["completed", "failed", "kept", "stopped"]
    why: str
    answer: Answer | None = None
    log: Path | None = None


def lock_of(start: Start, experiment: str) -> FileLock:
    """Who holds it carries the experiment out."""
    return FileLock(start.logs / f"{experiment}.lock", f"experiment {experiment}")


def run(start: Start, experiment: Experiment, asked: Asked, bench: Bench) -> list[Done]:
    """Carry out what is asked for of an experiment; its lock is held.

    Raises:
        UsageError: there is no such part.
        StorageError: a record cannot be written.
    """
    known = parts(start.places, start.data, experiment)
    folder = start.logs / f"{experiment.id}_{clock.stamp(clock.now())}_{names.short_id()}"
    done = []
    for sub, why in wanted(experiment.id, known, asked).items():
        if not why:
            done.append(Done(sub, "kept", "", known[sub].answer))
        elif bench.stops.why:
            done.append(Done(sub, "stopped", why))
        else:
            bench.tell(f"{experiment.id}/{sub}: begins ({why})")
            order = _order(start, experiment, known[sub], folder)
            answer = carry_out(order, bench)
            if answer is not None:
                answer = publish(start.places, answer, order.saved)
            done.append(Done(sub, answer.state if answer else "stopped", why, answer, order.log))
            bench.tell(_told(experiment.id, done[-1]))
    return done


def publish(places: Places, answer: Answer, saved: Path) -> Answer:
    """Make an answer that of its part; artifacts that only the one before it named go with that one.

    Args:
        places: of the project.
        answer: that.
        saved: the folder in which its handler has left its artifacts.

    Returns:
        The answer, which says whether the plan had asked something else when figures were first seen.
    """
    record = places.record(answer.experiment, answer.sub)
    folder = places.artifacts(answer.experiment, answer.sub)
    named = {one.name for one in answer.artifacts}
    before = earlier.keep(places, answer.experiment, answer.sub)
    answer = answer.model_copy(update={"seen": earlier.seen(places, answer)})
    if before and named:
        # A kill in between leaves no record, and a part to be carried out again, not one of other artifacts.
        record.unlink()
    for name in sorted(named):
        files.write_bytes(folder / name, (saved / name).read_bytes())
    answer.write(record)
    for name in {one.name for one in before.artifacts} - named if before else ():
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(saved, ignore_errors=True)
    return answer


def _order(start: Start, experiment: Experiment, part: Part, folder: Path) -> Order:
    files.make_folder(folder)
    flags = ["--stub-mode"] if start.stub else []
    words = ["--experiment-id", experiment.id, "--only", part.sub, "--force", *start.overrides, *flags]
    source = git.capture(start.root, [start.data, start.runs], counts=_counts)
    if source.patch:
        files.write_bytes(folder / git.PATCH, source.patch)
    return Order(
        experiment=experiment.id,
        sub=part.sub,
        root=str(start.root),
        data=str(start.data),
        runs=str(start.runs),
        folder=str(folder),
        stub=start.stub,
        slots=start.slots,
        threads=start.threads,
        gpu=start.gpu,
        basis=part.basis.model_copy(update={"data": {}, "overrides": start.overrides}),
        git=source.state,
        command=command_line("research-run", words),
    )


def _counts(path: str) -> bool:
    """Whether a changed file makes an answer one of uncommitted source: handlers do, and the plan.

    They train nothing; but a criterion that no commit has may be moved without a trace.
    """
    is_handler = path.startswith("research/handlers/") and path.endswith(".py")
    return git.is_source(path) or is_handler or path == "research/research_plan.yaml"


def _told(experiment: str, done: Done) -> str:
    answer, name = done.answer, f"{experiment}/{done.sub}"
    if answer is None:
        return f"{name}: stopped"
    said = f"{name}: {answer.state} in {clock.duration(answer.seconds)}"
    if answer.error is None:
        return said
    return f"{said}, {answer.error.kind}"
