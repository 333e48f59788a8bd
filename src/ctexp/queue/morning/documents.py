"""`night.json`: everything that `night.md` says, and all of the plan's free text, for programs."""

from typing import Literal

from pydantic import Field

from ctexp.record.documents import Document, Part, Text, UtcTime
from ctexp.record.result import Measurement

Status = Literal["met", "not met", "undecided", "not tested"]
"""`not tested`: no job of it was begun, or those that were have been dropped by hand."""

JobState = Literal["pending", "running", "done", "failed", "timeout", "skipped", "interrupted"]


class JobReport(Part):
    """What became of a job.

    Attributes:
        kind: of a failure, an interruption or a skip; null for the other states.
        reason: one line.
        earlier: how each attempt but the last ended, one line each.
        run: its run, cross-validation or sweep; of a job that is done the one that counts.
        fallback: the kind of failure whose overrides its last attempt had; null for the job as planned.
        seconds: of all its attempts together.
        deviations: how it departed from the plan and from its configuration, one line each.
        source_changed: whether code or configuration had been changed since the night began.
        tracker: its id there; null where it has none.
        metrics: the headline metrics, `<split>/<name>`.
        advice: what its own record says to do about a failure, or else its log; one line each.
        again: whether the next start of the script takes it up.
        ruled_out: left out by the plan's own rules: a gate that was not passed, or what waits for such a job.
        log: its last attempt's output, relative to the queue's folder; null where it was not begun.
    """

    job: str
    experiment: str
    seed: int
    state: JobState
    kind: str | None
    reason: Text
    attempts: int = Field(ge=0)
    earlier: tuple[Text, ...]
    run: Text | None
    fallback: str | None
    seconds: float = Field(ge=0)
    deviations: tuple[Text, ...]
    source_changed: bool
    commit: Text | None
    dirty: bool | None
    tracker: Text | None
    metrics: dict[str, Measurement]
    advice: tuple[Text, ...]
    again: bool
    ruled_out: bool = False
    log: Text | None


class Criterion(Part):
    """When a hypothesis holds: a stated value, or better than a baseline.

    Attributes:
        said: the whole in a few words.
        metric: `<split>/<name>`.
        op: of a stated value; null for an improvement.
        value: the stated one.
        baseline: an experiment of the plan, or what else was named; null for a stated value.
        by: the smallest improvement worth finding, in the metric's own units.
    """

    said: Text
    metric: str
    op: str | None = None
    value: float | None = None
    baseline: Text | None = None
    by: float | None = None


class Outcome(Part):
    """What was seen of a criterion.

    Attributes:
        said: the figures, one line.
        measured: the mean over finished seeds; null where nothing was measured.
        low: the lowest end of the seeds' 95 % intervals.
        high: the highest.
        baseline: the baseline's mean over its seeds.
        difference: experiment less baseline, on the same images.
        difference_low: of its 95 % interval, images and seeds in the account.
        difference_high: of the same.
        p: of the difference, corrected for all hypotheses of the plan together.
        needed: what would decide it, of an improvement what would find one worth finding; empty where it is
            decided, or nothing is known.
        seeds_needed: the same as a number of seeds a side; null where none would.
        images_needed: as a number of independent images; null likewise.
        notes: what a reader must know before believing it, one line each.
    """

    status: Status
    said: Text
    measured: float | None = None
    low: float | None = None
    high: float | None = None
    baseline: float | None = None
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    p: float | None = None
    needed: Text = ""
    seeds_needed: int | None = None
    images_needed: int | None = None
    notes: tuple[Text, ...] = ()


class NextStep(Part):
    """Something to do; `command` is to be pasted in the project's folder, empty where none does it."""

    said: Text
    command: Text = ""


class SeedReport(Part):
    """One finished seed of an experiment.

    Attributes:
        metrics: those the plan asks about, `<split>/<name>`; of a cross-validation out of fold.
        fallback: as in `JobReport`.
    """

    seed: int
    job: str
    run: Text
    fallback: str | None
    metrics: dict[str, Measurement]


class RunWarning(Part):
    """What finished runs say about themselves, and which seeds say it."""

    said: Text
    seeds: tuple[int, ...]


class ExperimentReport(Part):
    """One question of the plan and its answer, or what a sweep has found; the plan's own text is whole.

    Attributes:
        criterion: null where the plan states none; `outcome` is null then, too.
        seeds: the finished ones.
        left_out: a line for each seed that is not finished, and why.
        deviations: one line each, with the job they are of.
        decided: gates and bases, as the journal has them, one line each.
        warnings: of its finished runs.
        insight: what the evidence shows, one line each.
        next: what to do, one line each.
    """

    experiment: str
    kind: Literal["train", "cross-validate", "sweep"]
    hypothesis: Text
    expected: Text
    notes: Text
    criterion: Criterion | None
    outcome: Outcome | None
    seeds: tuple[SeedReport, ...]
    left_out: tuple[Text, ...]
    deviations: tuple[Text, ...]
    decided: tuple[Text, ...]
    warnings: tuple[RunWarning, ...]
    insight: tuple[Text, ...]
    next: tuple[NextStep, ...]


class TargetReport(Part):
    """What all this is for.

    Attributes:
        best: the experiment with the best mean over its finished seeds; null where nothing was measured.
        outcome: of that experiment.
    """

    criterion: Criterion
    best: str | None
    outcome: Outcome


class StepReport(Part):
    """A step of the analysis; `log` is relative to the queue's folder, or absolute."""

    name: str
    exit_code: int
    seconds: float = Field(ge=0)
    log: Text


class StartReport(Part):
    """One start of the script.

    Attributes:
        ended: null where nobody saw its end: it was killed, or the machine went down.
        seconds: from its beginning to the last that is known of it, by a clock that nobody sets.
        reason: why it ended.
    """

    began: UtcTime
    ended: UtcTime | None
    seconds: float = Field(ge=0)
    exit_code: int | None
    reason: Text
    commit: Text | None
    dirty: bool | None


class Counts(Part):
    """How many jobs: each is counted once.

    Attributes:
        failed: timed-out ones too.
        skipped: for a need, a gate, a base, or by hand.
        left: not begun, or not ended: interrupted, or kept out by the window, be it for good.
    """

    jobs: int = Field(ge=0)
    done: int = Field(ge=0)
    failed: int = Field(ge=0)
    skipped: int = Field(ge=0)
    left: int = Field(ge=0)


class NightReport(Document):
    """What a night has shown.

    Attributes:
        goal: the plan's own text, whole.
        window: as the plan says it; `opens` and `closes` are those of the newest start.
        seconds: of all starts together, and `job_seconds` of all attempts.
        ended: the last that is known of it.
        exit_code: of the newest start; null where nobody saw it end.
        reason: why it ended.
        left: jobs that the next start takes up.
        cautions: what a reader of the whole must know, one line each.
        packing: which jobs were put first or left out to make the most of the window, and why, one line each.
        go_on: the command that goes on with what is left, or begins anew where nothing is left and jobs have
            failed; empty where neither is of use.
    """

    queue: str
    plan: str
    plan_file: Text
    mode: str
    device: str
    goal: Text
    notes: Text
    window: Text
    opens: Text | None
    closes: Text | None
    began: UtcTime | None
    ended: UtcTime
    seconds: float = Field(ge=0)
    job_seconds: float = Field(ge=0)
    exit_code: int | None
    reason: Text
    counts: Counts
    left: tuple[str, ...]
    target: TargetReport | None
    experiments: tuple[ExperimentReport, ...]
    jobs: tuple[JobReport, ...]
    steps: tuple[StepReport, ...]
    starts: tuple[StartReport, ...]
    cautions: tuple[Text, ...]
    packing: tuple[Text, ...] = ()
    go_on: Text
