"""What a plan file may say: `research/plans/<name>.yaml`, data only.

Free text (goal, hypotheses, expectations, notes) stays in that file: no shell ever sees it.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    model_validator,
)

from ctexp.core import durations, metric_names, sizes
from ctexp.core.errors import UsageError
from ctexp.core.names import ID_PATTERN
from ctexp.planning.plan import window

MOST_JOBS = 10_000
"""More than any night can hold; a plan beyond it is a slip."""

MOST_TEXT = 20_000
"""Characters of one free text."""

MOST_OVERRIDE = 4096
"""Characters of one override."""


def _said_by(error: UsageError) -> str:
    return f"{error}; {error.hint}" if error.hint else str(error)


def _with_unit(said: Any) -> Any:
    """A bare number is refused for what it lacks, not for being a number."""
    return str(said) if isinstance(said, int | float) and not isinstance(said, bool) else said


def _duration(said: str) -> str:
    try:
        durations.seconds(said)
    except UsageError as error:
        raise ValueError(_said_by(error)) from error
    return said


def _some_time(said: str) -> str:
    if not durations.seconds(said):
        raise ValueError(f"{said!r} is no time at all: every job would be given up at once")
    return said


def _window(said: str) -> str:
    try:
        window.parse(said)
    except UsageError as error:
        raise ValueError(_said_by(error)) from error
    return said


def _metric(name: str) -> str:
    try:
        canonical = metric_names.canonical(name)
    except UsageError as error:
        raise ValueError(_said_by(error)) from error
    if canonical.startswith("test/"):
        raise ValueError(
            f"{name}: the test split is sealed; nothing is chosen or judged by it at night: use val/"
        )
    if not canonical.startswith("val/"):
        raise ValueError(f"{name}: nothing is chosen or judged by training images: use val/")
    return canonical


Id = Annotated[
    str,
    Field(
        pattern=f"^{ID_PATTERN.pattern}$",
        description="at most 64 lower-case letters, digits, '_' and '-', beginning with a letter or digit",
    ),
]
Prose = Annotated[str, Field(max_length=MOST_TEXT)]
Duration = Annotated[
    str,
    BeforeValidator(_with_unit),
    AfterValidator(_duration),
    Field(
        description="a number with its unit: 30s, 90m, 8h, 1h30m",
        json_schema_extra={"pattern": r"^\s*([0-9]+(\.[0-9]+)? ?[smhdSMHD] ?)+\s*$"},
    ),
]
Limit = Annotated[Duration, AfterValidator(_some_time)]
Size = Annotated[
    str,
    # First, so that the published schema holds the pattern too.
    Field(
        pattern=f"^{sizes.PATTERN}$",
        description="a number with its unit: 20GB",
    ),
    BeforeValidator(_with_unit),
]
Metric = Annotated[str, AfterValidator(_metric), Field(description="val/<name>, for example val/macro_f1")]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Op = Literal[">=", ">", "<=", "<"]
Override = Annotated[
    str, Field(min_length=1, max_length=MOST_OVERRIDE, description="one override: data.batch_size=32")
]
FailureKind = Literal["oom", "diverged", "timeout", "data", "other"]
"""What a job can fail of: memory, a number that is not finite, time, its data, anything else."""

Step = Literal["compare", "errors", "report"]


class _Part(BaseModel):
    """A piece of a plan: exact types, no unknown keys."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Gate(_Part):
    """What must have been seen of another experiment before this one is worth its time.

    Attributes:
        after: that experiment; the mean over its finished seeds is looked at.
    """

    after: Id
    metric: Metric
    op: Op
    value: float


class Base(_Part):
    """Begin with the overrides of the best of several experiments of this plan.

    Attributes:
        best_of: the experiments; the best mean over finished seeds wins.
        by: a validation metric; None for the primary one of `conf/verdict.yaml`.
    """

    best_of: Annotated[list[Id], Field(min_length=1)]
    by: Metric | None = None


class Threshold(_Part):
    """A stated value: met where the whole interval is beyond it."""

    metric: Metric
    op: Op
    value: float


class Improvement(_Part):
    """Better than the baseline, by the paired test.

    Attributes:
        by: the smallest improvement worth finding, in the metric's own units; None for `worthwhile` of
            `conf/verdict.yaml`.
    """

    metric: Metric
    better_than: Literal["baseline"]
    by: Annotated[float, Field(gt=0)] | None = None


UNIONS = ("threshold", "improvement")
"""The two kinds of a criterion, as pydantic calls them in its locations."""


def _kind_of_criterion(criterion: Any) -> str:
    """Told by one key, so that what is wrong with either is told as wrong with that one."""
    improving = isinstance(criterion, dict) and "better_than" in criterion
    return "improvement" if improving or isinstance(criterion, Improvement) else "threshold"


Criterion = Annotated[
    Annotated[Threshold, Tag("threshold")] | Annotated[Improvement, Tag("improvement")],
    Discriminator(_kind_of_criterion),
]


class Cooldown(_Part):
    """Between two jobs.

    Attributes:
        pause: at least so long.
        below: degrees Celsius the GPU has to cool down to; None for no limit.
        foreign: memory of another compute process on the GPU from which on it is waited for.
        at_most: how long is waited for either; the next job begins then all the same.
    """

    pause: Duration = "0s"
    below: Annotated[int, Field(ge=20, le=100)] | None = 75
    foreign: Size = "1GiB"
    at_most: Duration = "10m"


class Reserve(_Part):
    """What is kept free.

    Attributes:
        disk: on the disk of the runs; no job begins below it.
        analysis: of the window, for the analysis at its end.
    """

    disk: Size = "5GB"
    analysis: Duration = "10m"


class Limits(_Part):
    """When a job is given up.

    Attributes:
        silence: no sign of life for so long, no step, no line of output.
        grace: between asking a job to stop and killing it.
        memory: of the GPU that a job may be expected to take; None for all there is.
    """

    silence: Limit = "15m"
    grace: Duration = "2m"
    memory: Size | None = None


class Experiment(_Part):
    """One question, asked with each seed: a job each.

    Attributes:
        kind: `train`, or `cross-validate`, which trains every fold with the seed, or `sweep`: a search that
            is one job, whatever the seeds of its trials, and chooses instead of answering anything.
        sweep: the file of a sweep, or the name of one in `conf/sweep`.
        budget: of a sweep: no trial begins once all of them together have taken so long.
        hypothesis: what is believed; free text.
        expected: what will be seen if it is true; free text.
        notes: free text.
        overrides: single overrides, after those of `common`; they win over it.
        seeds: None for those of the plan, of which a sweep takes the first.
        needs: experiments all of whose jobs have to be done before.
        base: whose overrides come between those of `common` and its own.
        success: when the hypothesis holds.
        track: more metrics to be told in the morning.
        priority: greater ones first among jobs whose needs are met.
        worth: what its answer is worth beside those of others, once all its seeds have it: by this the window
            is packed where it has no room for everything.
        fallback: overrides that are added when a job fails, by the kind of failure; each is tried once.
        limit: of a job's time; None for the window.
        shorten: train less where the window is too short, instead of not at all.
    """

    kind: Literal["train", "cross-validate", "sweep"] = "train"
    sweep: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    budget: Limit | None = None
    hypothesis: Prose = ""
    expected: Prose = ""
    notes: Prose = ""
    overrides: list[Override] = Field(default_factory=list)
    seeds: Annotated[list[Seed], Field(min_length=1, max_length=100)] | None = None
    needs: list[Id] = Field(default_factory=list)
    gate: Gate | None = None
    base: Base | None = None
    success: Criterion | None = None
    track: list[Metric] = Field(default_factory=list)
    priority: int = 0
    worth: Annotated[float, Field(ge=0, le=1e6)] = 1.0
    fallback: dict[FailureKind, Annotated[list[Override], Field(min_length=1)]] = Field(default_factory=dict)
    limit: Limit | None = None
    shorten: bool = False

    @model_validator(mode="after")
    def _no_seed_twice(self) -> Self:
        if self.seeds is not None and len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds: one is given twice")
        return self

    def seeds_in(self, plan: "Plan") -> list[int]:
        """Those of its jobs, one each."""
        seeds = self.seeds or plan.seeds
        return seeds[:1] if self.kind == "sweep" else seeds


class Plan(_Part):
    """A night.

    Attributes:
        name: of its queues, scripts and runs; the file's name says it.
        goal: free text.
        baseline: an experiment of this plan, or what `inv compare-baselines --baseline` takes; None for none.
        window: how long the night is: see `window.parse`.
        seeds: of every experiment that names none.
        common: overrides of every job.
        retries: how often a job that died, hung or crashed is begun again.
        analysis: what is done at the end, in this order.
        target: what all this is for; reported, with the best seen.
        experiments: in the order they are to be run, as far as needs and priorities leave it open, and
            where the window has room for all of them: see `planning.packing`.
    """

    name: Id
    goal: Prose = ""
    notes: Prose = ""
    baseline: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    window: Annotated[str, BeforeValidator(_with_unit), AfterValidator(_window)] = "8h"
    seeds: Annotated[list[Seed], Field(min_length=1, max_length=100)] = Field(default_factory=lambda: [42])
    common: list[Override] = Field(default_factory=list)
    cooldown: Cooldown = Cooldown()
    retries: Annotated[int, Field(ge=0, le=10)] = 1
    reserve: Reserve = Reserve()
    limits: Limits = Limits()
    analysis: list[Step] = ["compare", "errors", "report"]
    target: Threshold | None = None
    experiments: Annotated[dict[Id, Experiment], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _named_by_its_file(cls, data: Any, info: ValidationInfo) -> Any:
        """The loader passes the file's stem as context; a plan cannot call itself something else."""
        if isinstance(data, dict) and "name" not in data and info.context:
            return {"name": info.context["name"], **data}
        return data

    @model_validator(mode="after")
    def _seeds_and_size(self) -> Self:
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds: one is given twice")
        count = sum(len(one.seeds_in(self)) for one in self.experiments.values())
        if count > MOST_JOBS:
            raise ValueError(f"{count} jobs, more than the {MOST_JOBS} a plan may have")
        return self


_PARTS: dict[str, type[_Part]] = {
    "gate": Gate,
    "base": Base,
    "target": Threshold,
    "cooldown": Cooldown,
    "reserve": Reserve,
    "limits": Limits,
}


def keys_at(place: Sequence[str | int], data: Any) -> list[str]:
    """The keys that may stand in a part of a plan.

    Args:
        place: where it is; nothing for the plan itself.
        data: the plan as it was written, wrong as it may be.
    """
    model: type[BaseModel] = Plan
    for part in place:
        data = data[part]
        if model is Plan and part == "experiments":
            model = Experiment
        elif part == "success":
            model = Improvement if _kind_of_criterion(data) == "improvement" else Threshold
        else:
            model = _PARTS.get(str(part), model)
    return list(model.model_fields)
