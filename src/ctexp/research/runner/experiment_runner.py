"""`runner`, the one argument of a handler."""

import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ctexp.core import clock
from ctexp.core.errors import UsageError
from ctexp.executors.trainers import Trainer
from ctexp.record.run_dir import RunDir
from ctexp.research import deriving
from ctexp.research.figures import Figure
from ctexp.research.runner.citing import cite
from ctexp.research.runner.comparing import Paired, paired
from ctexp.research.runner.logbook import Logbook
from ctexp.research.runner.order import Order
from ctexp.research.runner.runs import Runs, Side, Trained
from ctexp.research.runner.saving import Results
from ctexp.research.runner.stopping import Interruption
from ctexp.research.runner.telling import Follower
from ctexp.research.runner.trainings import Trainings
from ctexp.research.runner.values import number
from ctexp.research.runner.verbs import carry_out


class ExperimentRunner:
    """Trains, looks up, compares, logs and saves for a handler; figures it gives know where they come from.

    Args:
        order: whose handler.
        function: the handler's, the prefix of what it logs.
        trainer: carries out the trainings.
        follower: is told what is logged.
        stop: whether somebody asked for an end.
        tell: given a line about what is going on.

    Attributes:
        experiment: the id of its experiment; `sub` that of its part.
        runs: the project's.
        results: where the handler saves small files.
        data: the data folder.
        made: every figure it has given away, by its mark.
    """

    def __init__(
        self,
        order: Order,
        function: str,
        *,
        trainer: Trainer,
        follower: Follower,
        stop: Interruption,
        tell: Callable[[str], None],
    ) -> None:
        self.experiment = order.experiment
        self.sub = order.sub
        self.runs = Runs(Path(order.runs))
        place = order.places.artifacts(order.experiment, order.sub).relative_to(order.root)
        self.results = Results(order.saved, place, self.warn)
        self.data = Path(order.data)
        self._root = Path(order.root)
        self._tell = tell
        self.made: dict[str, Figure] = {}
        self._trainings = Trainings(order, trainer, stop, tell)
        self._logbook = Logbook(Path(order.folder), function, follower, self.warn)

    def inv(self, *words: str) -> None:
        """Carry out another verb of ctexp: `runner.inv("extract-features", "--dataset", "phantom")`.

        Raises:
            VerbFailed: its exit code is not 0; what it said stands in the handler's log.
        """
        said = f"inv {shlex.join(words)}"
        self.say(f"{said} …")
        since = time.monotonic()
        carry_out(self._root, words)
        self.say(f"{said}: done in {clock.duration(time.monotonic() - since)}")

    def train(self, overrides: Sequence[str], *, name: str, seeds: Sequence[int] = (42,)) -> Trained:
        """Train one experiment, once for each seed; what was trained before is taken as it is.

        Args:
            overrides: as for `inv train`: `["data=phantom", "model=tiny_cnn"]`; the last for a key counts.
            name: of this recipe; its runs are `<experiment>-<name>`.
            seeds: of the trainings.

        Raises:
            TrainingFailed: one came to a bad end; its own problem and hint are told.
            CtexpError: the words are wrong, or nothing can be trained here.
        """
        trained = self._trainings.train(overrides, name, seeds)
        self.runs.note(trained.runs)
        return trained

    def figure(self, run: RunDir | str, metric: str) -> Figure:
        """A metric of a finished run, `val/macro_f1`, with its 95 % interval.

        Raises:
            CtexpError: there is no such run or metric, or it is one of the test split.
        """
        found = self.runs.find(run) if isinstance(run, str) else run
        self.runs.note([found])
        return self._made(cite(found, metric))

    def figures(self, runs: Sequence[RunDir], metric: str) -> tuple[Figure, ...]:
        """The same metric of several runs."""
        return tuple(self.figure(run, metric) for run in runs)

    def compare(self, baseline: Side, candidate: Side, metrics: Sequence[str] | None = None) -> Paired:
        """Compare two experiments on their validation images, paired.

        Args:
            baseline: what `train` gave, a run, runs, or a word that names them.
            candidate: likewise.
            metrics: which; by default those of `conf/verdict.yaml`. The more, the more each has to show.

        Raises:
            CtexpError: the images differ, or something is missing.
        """
        sides = self.runs.side(baseline), self.runs.side(candidate)
        return paired(self._root, *sides, metrics, made=self._made)

    def count(self, n: Any) -> Figure:
        """A number that was counted: there is nothing to be unsure of.

        Raises:
            CtexpError: it is no number.
        """
        value = number(n, "count", self.warn)
        if not isinstance(value, int):
            raise UsageError(f"count: a whole number is expected, got {n!r}")
        return self._made(deriving.count(value))

    def mean(self, figures: Sequence[Figure]) -> Figure:
        """The mean, with Student's t interval over them."""
        return self._made(deriving.derived("mean", figures))

    def sd(self, figures: Sequence[Figure]) -> Figure:
        """The sample's standard deviation, with its interval by chi-square."""
        return self._made(deriving.derived("sd", figures))

    def difference(self, first: Figure, second: Figure) -> Figure:
        """The first less the second."""
        return self._made(deriving.derived("difference", (first, second)))

    def sum(self, figures: Sequence[Figure]) -> Figure:
        """The sum."""
        return self._made(deriving.derived("sum", figures))

    def minimum(self, figures: Sequence[Figure]) -> Figure:
        """The smallest."""
        return self._made(deriving.derived("minimum", figures))

    def maximum(self, figures: Sequence[Figure]) -> Figure:
        """The largest."""
        return self._made(deriving.derived("maximum", figures))

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Log numbers as they come; their names get the function's before them.

        Args:
            metrics: Python's, numpy's or torch's numbers by name; NaN and infinity are kept as null.
            step: theirs; counted on where it is not given.

        Raises:
            CtexpError: something is no number.
        """
        self._logbook.log(metrics, step)

    def _made(self, figure: Figure) -> Figure:
        """Remember it: a finding may cite it."""
        self.made |= {part.mark: part for part in figure.whole()}
        return figure

    def say(self, line: str) -> None:
        """A line about what is going on."""
        self._tell(line)

    def warn(self, line: str) -> None:
        """A line about what is not as it should be."""
        self._tell(f"warning: {line}")
