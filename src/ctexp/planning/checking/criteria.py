"""Criteria, gates and the target: what can be measured, what can be compared, what could decide them.

What nothing in the plan could decide is a problem; what would be decided only where the effect is far larger
than the one looked for is a warning, which says what effect that is.
"""

from collections.abc import Mapping, Sequence

from ctexp.config.verdict import VerdictSettings
from ctexp.planning.checking import power
from ctexp.planning.checking.findings import Findings
from ctexp.planning.checking.images import Images
from ctexp.planning.plan.document import Improvement, Plan, Threshold
from ctexp.planning.plan.load import Place


class Criteria:
    """Checks whatever a plan wants to know.

    Args:
        plan: the plan.
        images: by experiment; those that could be read.
        verdict: what it takes to be called better.
        found: where problems and warnings go.
    """

    def __init__(
        self, plan: Plan, images: Mapping[str, Images], verdict: VerdictSettings, found: Findings
    ) -> None:
        self._plan = plan
        self._images = images
        self._verdict = verdict
        self._found = found
        improvements = [one for one in plan.experiments.values() if isinstance(one.success, Improvement)]
        self._level = verdict.alpha / max(1, len(improvements))
        self._family = len(improvements)
        self._doubts: dict[str, list[str]] = {}

    def check(self) -> None:
        """All of them."""
        for name, experiment in self._plan.experiments.items():
            here = ("experiments", name)
            if experiment.gate:
                gate = experiment.gate
                self._check_range((*here, "gate"), gate.metric, gate.op, gate.value, "the gate")
            place = (*here, "success")
            if isinstance(experiment.success, Threshold):
                self._check_threshold(place, experiment.success, [name])
            elif experiment.success:
                self._check_improvement(place, name, experiment.success)
        if self._plan.target:
            self._check_threshold(("target",), self._plan.target, list(self._plan.experiments))
        for said, names in self._doubts.items():
            of_all = f" ({', '.join(names)})" if len(names) > 1 else ""
            self._found.warning(("experiments", names[0], "success"), f"{said}{of_all}")

    def _check_range(self, place: Place, metric: str, op: str, value: float, what: str) -> bool:
        """Whether it can come out either way."""
        may_hold, may_fail = power.reachable(metric, op, value)
        if not may_hold:
            self._found.problem(place, f"{metric} {op} {value:g} can never be: {what} would decide nothing")
        elif not may_fail:
            self._found.warning(place, f"{metric} {op} {value:g} always holds: {what} decides nothing")
        elif not power.sensible(metric, op):
            better = "higher" if op.startswith("<") else "lower"
            self._found.warning(
                place, f"{metric} {op} {value:g}: {better} is better, is the other way meant?"
            )
        return may_hold

    def _check_threshold(self, place: Place, asked: Threshold, names: Sequence[str]) -> None:
        metric, op, value = asked.metric, asked.op, asked.value
        if not self._check_range(place, metric, op, value, "the criterion"):
            return
        known = [self._images[name] for name in names if name in self._images]
        if not known:
            return
        images = max(known, key=lambda its: (its.witnesses, its.train))
        end = power.best_end(metric, op, images.judged)
        if end is not None and (end < value if power.upwards(op) else end > value):
            best = "lower" if power.upwards(op) else "upper"
            self._found.problem(
                place,
                f"{metric} {op} {value:g} cannot be decided by {_of(images)}: even with every answer right "
                f"the {best} end of the 95 % interval would be {end:.3f}",
            )
            return
        truth = power.truth_needed(metric, op, value, images.groups)
        if truth is not None and abs(truth - value) > self._verdict.worthwhile:
            side = "at least" if power.upwards(op) else "at most"
            self._found.warning(
                place,
                f"{metric} {op} {value:g}: on {_of(images)} its whole interval is beyond that four times in "
                f"five only where the truth is {side} {truth:.3f}",
            )

    def _check_improvement(self, place: Place, name: str, asked: Improvement) -> None:
        baseline = self._plan.baseline
        if baseline is None:
            self._found.problem((*place, "better_than"), "the plan names no baseline")
            return
        if baseline == name:
            self._found.problem((*place, "better_than"), f"{name} is the baseline itself")
            return
        images = self._images.get(name)
        if images is None:
            return
        seeds = self._seeds(name)
        if baseline in self._images:
            other = self._images[baseline]
            seeds = (self._seeds(baseline)[0], seeds[0])
            if other.identity != images.identity:
                self._found.problem(
                    (*place, "better_than"),
                    f"{name} is judged on {images.said}, the baseline {baseline} on {other.said}: "
                    "what is not judged on the same images cannot be compared",
                )
                return
        self._check_power(place, name, asked, images, seeds)

    def _check_power(
        self, place: Place, name: str, asked: Improvement, images: Images, seeds: tuple[int, int]
    ) -> None:
        """Whether an improvement as large as the one looked for could be told from chance."""
        metric, alpha = asked.metric, self._verdict.alpha
        fewest = power.fewest_differing(alpha)
        on = f"{_of(images)} and {_seeds_said(seeds)}"
        if images.witnesses < fewest:
            self._found.problem(
                place,
                f"nothing can be called better on {_of(images)}: at {alpha:g} the two have to differ on "
                f"{fewest} at least",
            )
            return
        smallest = power.smallest_called(metric, images.judged, seeds, alpha)
        found = power.detectable(metric, images.groups, seeds, self._level)
        if found is None and asked.by is None:
            return
        size = asked.by
        if size is None:
            if metric.partition("/")[2] != self._verdict.primary:
                return
            size = self._verdict.worthwhile
        told = "" if found is None else self._told(metric, size, found, images, seeds)
        if asked.by is not None and asked.by < smallest:
            self._found.problem(
                (*place, "by"),
                f"an improvement of {size:g} cannot be decided by {on}: the smallest that any test could "
                f"call one is {smallest:.3f}{told}",
            )
        elif found is not None and size < found:
            what = "" if asked.by is not None else " (worthwhile, of conf/verdict.yaml)"
            said = f"an improvement of {size:g}{what} will hardly be decided by {on}{told}"
            self._doubts.setdefault(said, []).append(name)

    def _told(self, metric: str, size: float, found: float, images: Images, seeds: tuple[int, int]) -> str:
        """What would be decided, and what it would take."""
        count = power.images_needed(metric, size, images.groups, seeds, self._level)
        among = f" among {self._family} hypotheses" if self._family > 1 else ""
        return (
            f"; detectable four times in five{among} is at best {found:.3f}; "
            f"for {size:g} it takes {count:,} independent images or more"
        )

    def _seeds(self, name: str) -> tuple[int, int]:
        """As many as it has on either side, which a baseline from elsewhere is granted."""
        count = len(self._plan.experiments[name].seeds_in(self._plan))
        return count, count


def _of(images: Images) -> str:
    count = sum(images.judged.values())
    groups = "" if images.witnesses == count else f", {images.witnesses} independent"
    return f"{count} validation images{groups} ({images.said})"


def _seeds_said(seeds: tuple[int, int]) -> str:
    if seeds[0] != seeds[1]:
        return f"{seeds[0]} and {seeds[1]} seeds"
    return "one seed a side" if seeds[0] == 1 else f"{seeds[0]} seeds a side"
