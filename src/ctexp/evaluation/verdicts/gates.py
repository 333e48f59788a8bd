"""What a new baseline must be, each gate with its evidence, and what follows from them.

promote    every gate passes
abandon    the primary metric is worse, or even a worthwhile improvement of it can be ruled out
iterate    otherwise: what has been seen decides neither
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ctexp.config.verdict import VerdictSettings
from ctexp.core.metric_names import METRICS
from ctexp.core.wording import many
from ctexp.evaluation.verdicts import records
from ctexp.evaluation.verdicts.documents import MetricVerdict
from ctexp.record.decisions import Choice, Gate
from ctexp.record.manifest import Manifest
from ctexp.record.subjects import Subject

IMPROVES, LEAKAGE, RECORD, ARTIFACTS, MISSES = (
    "improves over baseline",
    "no leakage",
    "reproducible record",
    "all artifacts there",
    "miss rate not worse",
)

_MISS_RATE = "miss_rate"
_SHOWN = 3  # problems told as the evidence of one gate


class Decided(NamedTuple):
    """A choice, what decided it in one line, and what to do next."""

    choice: Choice
    reason: str
    next: tuple[str, ...]


def gates(
    metrics: Mapping[str, MetricVerdict], subject: Subject, split: str, settings: VerdictSettings
) -> tuple[Gate, ...]:
    """Look at each gate.

    Args:
        metrics: the verdicts of a candidate, by metric of the family.
        subject: the candidate.
        split: of the images it was judged on.
        settings: the primary metric and the margin of the miss rate.
    """
    primary = metrics[settings.primary]
    improves = primary.verdict == "better"
    # To hash gigabytes of weights is worth it for one that may be promoted.
    missing = records.lacking(subject, split, thorough=improves)
    gaps = [gap for run in subject.runs for gap in records.irreproducible(run)]
    runs = many(len(subject.runs), "run")
    known = "configuration, packages, seeds, data and first weights known"
    sound = f"{runs} of code {records.commits(subject)}: {known}"
    whole = "checkpoint, predictions, figures and calibration"
    there = f"{runs}: {whole}{', hashes verified' if improves else ''}"
    return (
        Gate(name=IMPROVES, passed=improves, evidence=evidence(settings.primary, primary)),
        _leakage(subject),
        Gate(name=RECORD, passed=not gaps, evidence=_listed(gaps) or sound),
        Gate(name=ARTIFACTS, passed=not missing, evidence=_listed(missing) or there),
        _misses(metrics.get(_MISS_RATE), settings.miss_rate_margin),
    )


def decide(
    metrics: Mapping[str, MetricVerdict], looked_at: Sequence[Gate], settings: VerdictSettings
) -> Decided:
    """What to do with a candidate, by its gates and the primary metric."""
    failing = [gate for gate in looked_at if not gate.passed]
    primary = metrics[settings.primary]
    told = evidence(settings.primary, primary)
    if not failing:
        return Decided("promote", f"all gates pass; {told}", ("--promote makes it the baseline",))
    if primary.verdict == "worse":
        return Decided("abandon", told, ())
    best_case = _best_case(settings.primary, primary)
    if best_case is not None and best_case < settings.worthwhile:
        reason = f"even at best {best_case:+.3f}, less than the worthwhile {settings.worthwhile:g}; {told}"
        return Decided("abandon", reason, ())
    names = ", ".join(gate.name for gate in failing)
    return Decided("iterate", f"not passed: {names}; {told}", tuple(_advice(primary, failing)))


def evidence(name: str, metric: MetricVerdict) -> str:
    """`macro_f1 0.504 -> 0.612, +0.108 (95 % interval +0.021 to +0.195), p 0.012 corrected: better`."""
    if metric.difference is None or metric.baseline is None or metric.candidate is None:
        return f"{name}: {metric.reason or 'undefined'}: {metric.verdict}"
    interval = (
        f" (95 % interval {metric.low:+.3f} to {metric.high:+.3f})"
        if metric.low is not None and metric.high is not None
        else ""
    )
    return (
        f"{name} {metric.baseline:.3f} -> {metric.candidate:.3f}, {metric.difference:+.3f}{interval}, "
        f"p {metric.p_holm:.2g} corrected: {metric.verdict}"
    )


def _best_case(name: str, metric: MetricVerdict) -> float | None:
    """The end of the interval in the better direction, as an improvement."""
    if metric.low is None or metric.high is None:
        return None
    return metric.high if METRICS[name] == "max" else -metric.low


def _leakage(subject: Subject) -> Gate:
    """Whether training saw copies of what it was judged on, by what the manifests say."""
    leaks, schemes, synthetic = [], [], False
    for run in subject.runs:
        manifest = run.read().manifest
        if manifest is None:
            leaks.append(f"{run.id}: no manifest says what it was trained on")
            continue
        told = manifest.dataset.leaks
        leaks += [f"{run.id}: its record does not say, it is of an older ctexp"] if told is None else told
        schemes.append(_scheme(manifest))
        synthetic = synthetic or manifest.dataset.synthetic
    clean = f"{', '.join(dict.fromkeys(schemes))}: no image of one side has a copy on another"
    drawn = "; a synthetic set, which shows no patient" if synthetic else ""
    return Gate(
        name=LEAKAGE, passed=not leaks, evidence=(_listed(list(dict.fromkeys(leaks))) or clean) + drawn
    )


def _scheme(manifest: Manifest) -> str:
    return f"{manifest.dataset.split} split of {manifest.dataset.name}"


def _misses(metric: MetricVerdict | None, margin: float) -> Gate:
    """Whether more cancers are called normal."""
    if metric is None:
        said = "miss_rate is not among the metrics of conf/verdict.yaml: nothing is known of it"
        return Gate(name=MISSES, passed=False, evidence=said)
    within = metric.difference is not None and metric.difference <= margin + 1e-12
    allowed = f"; at most {margin:+.3f} may be seen"
    return Gate(
        name=MISSES,
        passed=metric.verdict != "worse" and within,
        evidence=evidence(_MISS_RATE, metric) + allowed,
    )


def _advice(primary: MetricVerdict, failing: Sequence[Gate]) -> list[str]:
    """What to do about each gate that does not pass."""
    ways = {
        LEAKAGE: "train on a split without copies: data.split=clean, or "
        "scripts/inv data-split --dataset NAME --scheme grouped and data.split=grouped",
        RECORD: "train it again from committed code, with weights whose hash is known",
        ARTIFACTS: "train again what lacks its weights; the rest is made by scripts/inv evaluate --run RUN",
        MISSES: "look at the cancers it calls normal: scripts/inv analyze-errors --run RUN",
    }
    lines = [ways[gate.name] for gate in failing if gate.name in ways]
    if primary.verdict == "undecided":
        lines.insert(
            0, primary.needed.said if primary.needed else "more images or seeds would have to decide"
        )
    return lines


def _listed(problems: Sequence[str]) -> str:
    more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    return "; ".join(problems[:_SHOWN]) + more
