"""One trial: its trainings one after another, and what they come to."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ctexp.core.errors import CtexpError
from ctexp.executors.trainers import Trainer
from ctexp.record.sweep import Sweep, SweepDir
from ctexp.record.values import seconds_of
from ctexp.sweeps.agent import runs
from ctexp.sweeps.agent.member import End, Training
from ctexp.sweeps.agent.objective import objective
from ctexp.sweeps.agent.stopping import Asked
from ctexp.sweeps.begun import name_of
from ctexp.sweeps.file.spec import Spec
from ctexp.sweeps.space import Values
from ctexp.sweeps.trials import Taken, Told


@dataclass(frozen=True)
class Bench:
    """What all trials of an agent have in common.

    Attributes:
        root: the project's folder.
        runs: the folder of all runs.
        place: the sweep's.
        words: the overrides that all trainings of a trial have in common, by its values.
        trainer: carries out the trainings.
        asked: whether to stop.
        variables: what a training's environment has beyond this process's.
    """

    root: Path
    runs: Path
    place: SweepDir
    spec: Spec
    sweep: Sweep
    words: Callable[[Values], Sequence[str]]
    trainer: Trainer
    asked: Asked
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Unfinished:
    """A trial that has not come to an end of its own: another attempt may go on with it.

    Attributes:
        why: one line.
        refusal: it could not be trained here, as things are.
        killed: by somebody else: the kernel for want of memory, as a rule.
        seconds: of all its attempts so far.
    """

    why: str
    refusal: CtexpError | None = None
    killed: bool = False
    seconds: float = 0.0


def run_trial(
    bench: Bench,
    taken: Taken,
    *,
    began: Callable[[str, str], None],
    report: Callable[[int, float], bool],
    pulse: Callable[[], None],
) -> Told | Unfinished:
    """Train what is not trained yet of a trial; `Stops` has it saved and broken off.

    The epochs of the first training decide whether the trial goes on; those of others are not told, and no
    other is begun once one has failed.

    Args:
        bench: see there.
        taken: the trial.
        began: told the label and the run of each training that begins.
        report: told each epoch's value of the first; whether the trial should be pruned.
        pulse: called several times a second.

    Raises:
        StorageError: the log of a training cannot be written.
    """
    spec, sweep = bench.spec, bench.sweep
    its = spec.members(sweep.seed)
    earlier = runs.known(bench.runs, sweep, taken, its)
    spent = max(taken.seconds, sum(seconds_of(run) or 0.0 for run in earlier.values()))
    begin, ends, caution = time.monotonic() - spent, list[End](), ""
    for number, member in enumerate(its):
        if bench.asked.why:
            return Unfinished(bench.asked.why, seconds=time.monotonic() - begin)
        label = member.label
        end = Training(
            trainer=bench.trainer,
            words=[*bench.words(taken.values), *member.words, f"run.name={name_of(sweep, taken.number)}"],
            runs=bench.runs,
            metric=spec.metric,
            variables=_variables(bench),
            log=bench.place.logs / f"t{taken.number}.{taken.attempt}-{label}.log",
            began=lambda run, label=label: began(label, run),  # type: ignore[misc]
            report=_Epochs(report) if number == 0 else _goes_on,
            pulse=pulse,
            asked=bench.asked,
        ).carry_out(earlier.get(label))
        seconds = time.monotonic() - begin
        if end.state is None:
            return Unfinished(end.problem or str(end.refusal), end.refusal, end.killed, seconds)
        ends.append(end)
        caution = caution or end.caution
        if end.state == "pruned":
            return Told("pruned", None, seconds=seconds, caution=caution)
        if end.value is None:
            which = f"{label} " if len(its) > 1 else ""
            problem = f"{which}{end.state}: {end.problem}"
            return Told("failed", None, problem=problem, seconds=seconds, caution=caution)
    came = objective(spec, [end.value for end in ends if end.value is not None])
    seconds = time.monotonic() - begin
    return Told("finished", came.value, came.mean, came.error, seconds=seconds, caution=caution)


class _Epochs:
    """Each epoch once: one that is trained again, after a restart, has been told."""

    def __init__(self, report: Callable[[int, float], bool]) -> None:
        self._report = report
        self._last = 0

    def __call__(self, epoch: int, value: float) -> bool:
        if epoch <= self._last:
            return False
        self._last = epoch
        return self._report(epoch, value)


def _goes_on(epoch: int, value: float) -> bool:
    del epoch, value
    return False


def _variables(bench: Bench) -> dict[str, str]:
    return {"CTEXP_ROOT": str(bench.root), "CTEXP_PARENT": bench.sweep.id, **bench.variables}
