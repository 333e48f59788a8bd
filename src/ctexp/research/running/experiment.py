"""An experiment carried out: its parts that are to be done, one after another, whatever each comes to."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ctexp.core import clock, files, names
from ctexp.core.locks import FileLock
from ctexp.record.manifest import command_line
from ctexp.research.basis import plan_hash
from ctexp.research.places import Places
from ctexp.research.plan.content import Experiment
from ctexp.research.record import Answer
from ctexp.research.runner.order import Order
from ctexp.research.running.supervising import Bench, carry_out
from ctexp.research.standing.records import parts

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
    """

    root: Path
    data: Path
    runs: Path
    stub: bool = False
    overrides: tuple[str, ...] = ()
    slots: int = 1
    threads: int | None = None

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
        state: of its answer; `kept` where it was done before and is up to date; `stopped` where a signal came.
        why: it was carried out, or not.
        answer: its record; None where it was stopped before there was one.
        log: all that it printed; None where it was kept.
    """

    sub: str
    state: Literal["completed", "failed", "kept", "stopped"]
    why: str
    answer: Answer | None
    log: Path | None = None


def lock_of(start: Start, experiment: str) -> FileLock:
    """Who holds it carries the experiment out."""
    return FileLock(start.logs / f"{experiment}.lock", f"experiment {experiment}")


def run(start: Start, experiment: Experiment, wanted: Mapping[str, str], bench: Bench) -> list[Done]:
    """Carry out parts of an experiment; its lock is held.

    Args:
        start: see there.
        experiment: as the plan has it.
        wanted: why, by part; empty text where it is kept as it is.
        bench: what its handlers have in common.
    """
    folder = start.logs / f"{experiment.id}_{clock.stamp(clock.now())}_{names.short_id()}"
    known = parts(start.places, start.data, experiment)
    done = []
    for sub, why in wanted.items():
        if not why:
            answer = known[sub].answer
            done.append(Done(sub, "kept", known[sub].state, answer))
            continue
        if bench.stops.why:
            done.append(Done(sub, "stopped", why, None))
            continue
        bench.tell(f"{experiment.id}/{sub}: {why}")
        order = _order(start, experiment, sub, folder)
        answer = carry_out(order, bench)
        if answer is None:
            done.append(Done(sub, "stopped", why, None, order.log))
            continue
        publish(start.places, answer)
        done.append(Done(sub, answer.state, why, answer, order.log))
    return done


def publish(places: Places, answer: Answer) -> None:
    """Make an answer that of its part; artifacts that it does not name are an earlier one's, and go."""
    folder = places.artifacts(answer.experiment, answer.sub)
    named = {one.name for one in answer.artifacts}
    for path in folder.glob("*"):
        if path.is_file() and path.name not in named:
            path.unlink()
    answer.write(places.record(answer.experiment, answer.sub))


def _order(start: Start, experiment: Experiment, sub: str, folder: Path) -> Order:
    files.make_folder(folder)
    flags = ["--stub-mode"] if start.stub else []
    words = ["--experiment-id", experiment.id, "--only", sub, *start.overrides, *flags]
    return Order(
        experiment=experiment.id,
        sub=sub,
        root=str(start.root),
        data=str(start.data),
        runs=str(start.runs),
        folder=str(folder),
        plan_sha256=plan_hash(experiment, sub),
        stub=start.stub,
        slots=start.slots,
        threads=start.threads,
        overrides=start.overrides,
        command=command_line("research-run", words),
    )
