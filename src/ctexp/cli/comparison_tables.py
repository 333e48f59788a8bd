"""What `compare-baselines` prints: the verdict first, then what it rests on."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from ctexp.cli.tables import plain
from ctexp.core import clock, screen
from ctexp.core.classes import CLASSES
from ctexp.core.wording import many, some
from ctexp.evaluation.verdicts.documents import Candidate, Comparison, Cost, MetricVerdict, Side

_DECIDED = "a difference like this would be decided by"
_SHOWN = 5  # images and settings named; --json has all


def tell(comparison: Comparison, *, promoting: bool) -> None:
    """Print a comparison; what a promotion that is under way would be the next step of is left out."""
    base = comparison.baseline
    print(
        f"{comparison.split}: {comparison.images:,} images in {comparison.groups:,} groups; "
        f"baseline {_called(base)}; {len(comparison.family)} metrics, alpha {comparison.alpha:g}"
    )
    for title, count in comparison.left_out.items():
        screen.warn(f"{title}: {many(count, 'image')} left out, which not all have judged")
    for note in base.notes:
        screen.note(note)
    for candidate in comparison.candidates:
        print()
        _tell_candidate(candidate, comparison, promoting=promoting)


def _tell_candidate(candidate: Candidate, comparison: Comparison, *, promoting: bool) -> None:
    print(f"{_called(candidate)}: {candidate.decision}")
    print(f"  {candidate.reason}")
    aim = candidate.target
    print(f"  target {aim.metric} {aim.value:g}: {aim.status} ({aim.said})")
    if not (promoting and candidate.decision == "promote"):
        for line in candidate.next:
            print(f"  next: {line}")
    for warning in candidate.warnings:
        screen.warn(f"{candidate.title} {warning}")
    for note in candidate.notes:
        screen.note(note)
    tests = len(comparison.candidates) * len(comparison.family)
    _print(_metrics(candidate))
    print(f"intervals: of one metric alone. p, which decides: of the {tests} tests together (Holm)")
    _print(_repetitions(candidate), _gates(candidate), _classes(candidate), _rankings(candidate))
    if len(candidate.seeds) > 1 or len(comparison.baseline.seeds) > 1:
        print("classes and images: by the seeds' mean answer; the metrics above: means over single networks")
    _print(_costs(candidate, comparison.baseline))
    print()
    apart = candidate.mcnemar
    print(
        f"{apart.only_candidate_right} images newly right, "
        f"{apart.only_baseline_right} newly wrong (McNemar, exact: p {apart.p:.2g})"
    )
    for what, images in (("newly wrong", candidate.newly_wrong), ("newly right", candidate.newly_right)):
        if images:
            print(f"{what}: {_some(images)}")
    settings = [f"{key} {_value(a)} -> {_value(b)}" for key, (a, b) in candidate.differing.items()]
    if settings:
        print(f"set differently: {_some(settings)}")


def _metrics(candidate: Candidate) -> Table:
    table = plain("metric", "value:", "difference (95 %):", "p:", "verdict")
    for name, metric in candidate.metrics.items():
        table.add_row(
            name,
            _change(metric.baseline, metric.candidate),
            _difference(metric.difference, metric.low, metric.high),
            f"{metric.p_holm:.2g}",
            metric.verdict,
        )
    return table


def _repetitions(candidate: Candidate) -> Table:
    """How far seeds lie apart, which the intervals hold too, and how much more would be enough."""
    table = plain("metric", "sd of seeds:", _DECIDED)
    for name, metric in candidate.metrics.items():
        sds = [_number(its.sd) or "?" for its in (metric.of_baseline, metric.of_candidate)]
        table.add_row(name, " / ".join(sds), _needed(metric))
    return table


def _needed(metric: MetricVerdict) -> str:
    """`310 groups of images, or 5 seeds each`."""
    if metric.verdict != "undecided":
        return "decided"
    images, seeds = (metric.needed.images, metric.needed.seeds) if metric.needed else (None, None)
    told = [
        *([f"{images:,} groups of images"] if images else []),
        *([f"{seeds} seeds each"] if seeds else []),
    ]
    return ", or ".join(told) or "no number of either alone"


def _gates(candidate: Candidate) -> Table:
    table = plain("gate", "", "evidence", wraps="evidence")
    for gate in candidate.gates:
        table.add_row(gate.name, "pass" if gate.passed else "FAIL", Text(gate.evidence))
    return table


def _classes(candidate: Candidate) -> Table:
    table = plain("class", "images:", "recall:", "precision:", "right / wrong:")
    for name in CLASSES:
        its = candidate.classes[name]
        table.add_row(
            name,
            str(its.images),
            _change(its.recall.baseline, its.recall.candidate),
            _change(its.precision.baseline, its.precision.candidate),
            f"+{its.newly_right} / -{its.newly_wrong}",
        )
    return table


def _rankings(candidate: Candidate) -> Table:
    table = plain("class against rest", "AUROC:", "difference (95 %):", "p (DeLong):")
    for name, areas in candidate.delong.items():
        table.add_row(
            name,
            _change(areas.auc_baseline, areas.auc_candidate),
            _difference(areas.difference, areas.low, areas.high),
            "" if areas.p is None else f"{areas.p:.2g}",
        )
    return table


def _costs(candidate: Candidate, baseline: Side) -> Table:
    table = plain("cost", f"{baseline.title}:", f"{candidate.title}:")
    before, after = candidate.cost.baseline, candidate.cost.candidate
    rows = {
        "training of a run": [_time(cost.training_minutes) for cost in (before, after)],
        "parameters": [_whole(cost.parameters) for cost in (before, after)],
        "one image, ms": [_number(cost.latency_ms, 1) for cost in (before, after)],
        "images a second": [_number(cost.images_per_second, 0) for cost in (before, after)],
        "peak memory, MiB": [_number(cost.memory_mb, 0) for cost in (before, after)],
        "device": [_devices(cost) for cost in (before, after)],
    }
    for name, values in rows.items():
        if any(values):
            table.add_row(name, *(value or "not measured" for value in values))
    return table


def _print(*tables: Table) -> None:
    for table in tables:
        if table.row_count:
            print()
            screen.print_table(table)


def _called(side: Side) -> str:
    name = side.title if side.said in {side.title, "baseline"} else f"{side.said} ({side.title})"
    return f"{name}, {many(len(side.seeds), 'seed')}"


def _change(before: float | None, after: float | None) -> str:
    return f"{_number(before) or '?'} -> {_number(after) or '?'}"


def _difference(difference: float | None, low: float | None, high: float | None) -> str:
    if difference is None:
        return "undefined"
    return f"{difference:+.3f}" + ("" if low is None or high is None else f" ({low:+.3f} to {high:+.3f})")


def _number(value: float | None, digits: int = 3) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _whole(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _time(minutes: float | None) -> str:
    return "" if minutes is None else clock.duration(60 * minutes)


def _devices(cost: Cost) -> str:
    return ", ".join(cost.devices)


def _value(value: object) -> str:
    return "null" if value is None else str(value)


def _some(items: Sequence[str]) -> str:
    return some(items, _SHOWN) + (" (--json has all)" if len(items) > _SHOWN else "")
