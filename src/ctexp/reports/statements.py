"""The verdict in sentences: what was learned, as far as the intervals carry it and no further."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ctexp.config.verdict import VerdictSettings
from ctexp.core.classes import CLASSES
from ctexp.core.metric_names import higher_is_better
from ctexp.core.wording import many
from ctexp.evaluation.verdicts.documents import Candidate, Comparison, MetricVerdict, Target
from ctexp.evaluation.verdicts.target import target
from ctexp.reports.sheets import Sheet, View
from ctexp.reports.wording import measured, p_value, percent, plain, sentence, signed, three, where

Mark = Literal["better", "worse", "undecided", "met", "missed", "note"]


@dataclass(frozen=True)
class Statement:
    """One finding.

    Attributes:
        text: what was found, a sentence.
        detail: the figures it rests on, and what would decide it.
    """

    mark: Mark
    text: str
    detail: str = ""


def lead(document: Comparison | None, sheets: Sequence[Sheet], settings: VerdictSettings) -> str:
    """The whole in two sentences: who is better than the baseline, and who meets the target."""
    said = []
    if document is not None:
        by = {call: [c.title for c in document.candidates if _called(c, document) == call] for call in _CALLS}
        than = f"{document.baseline.title} by {plain(document.primary)}"
        said += [f"{_and(by[call])} {_is(by[call])} {call} than {than}." for call in _CALLS[:2] if by[call]]
        if by["undecided"]:
            open_ones = by["undecided"]
            whether = f"Whether {_and(open_ones)} {_is(open_ones)} better or worse than {than}"
            said.append(f"{whether}, these data do not decide.")
    by_word: dict[str, list[str]] = {
        "met by": [],
        "missed by": [],
        "not decided for": [],
        "not judged for": [],
    }
    for sheet in sheets:
        by_word[_for_whom(target(sheet.subject, settings.target))].append(sheet.title)
    parts = [f"{word} {_and(titles)}" for word, titles in by_word.items() if titles]
    return " ".join([*said, f"The target, {_asked(settings)}, is {'; '.join(parts)}."])


def _for_whom(found: Target) -> str:
    if found.low is None:
        return "not judged for"
    return {"met": "met by", "missed": "missed by", "undecided": "not decided for"}[found.status]


_CALLS = ("better", "worse", "undecided")
_MOST = 0.5  # of the cancers: a network that misses more finds none worth the name
_NAMED = 3  # experiments in a sentence; the others are counted


def _called(candidate: Candidate, document: Comparison) -> str:
    return candidate.metrics[document.primary].verdict


def _is(titles: Sequence[str]) -> str:
    return "is" if len(titles) == 1 else "are"


def _and(titles: Sequence[str]) -> str:
    if len(titles) > _NAMED:
        return f"{', '.join(titles[:_NAMED])} and {len(titles) - _NAMED} more"
    return " and ".join([", ".join(titles[:-1]), titles[-1]] if len(titles) > 1 else titles)


def _asked(settings: VerdictSettings) -> str:
    """`accuracy of at least 0.9 on test`."""
    split, _, name = settings.target.metric.partition("/")
    bound = "at least" if higher_is_better(settings.target.metric) else "at most"
    return f"{plain(name)} of {bound} {settings.target.value:g} {where(split)}"


def compared(candidate: Candidate, document: Comparison) -> list[Statement]:
    """What a comparison says of a candidate: by the metric that decides, then by the others."""
    baseline = document.baseline.title
    found = [_primary(candidate, baseline, document.primary)]
    if candidate.identical:
        keys = ", ".join(candidate.differing)
        why = f" What differs between them never reached the network: {keys}." if keys else ""
        found = [Statement("note", f"It answers exactly as {baseline} does, byte for byte.{why}")]
    elif others := _others(candidate, document.primary):
        found.append(Statement("note", others))
    decision = f"Decision by the gates: {candidate.decision}."
    return [*found, Statement("note", decision, sentence(candidate.reason) + _gates(candidate))]


def _gates(candidate: Candidate) -> str:
    """Which gates are not passed, where the reason of the decision does not name them itself."""
    failed = [gate.name for gate in candidate.gates if not gate.passed]
    if not failed:
        return " All gates are passed."
    return "" if candidate.decision == "iterate" else f" Gates not passed: {', '.join(failed)}."


def _primary(candidate: Candidate, baseline: str, metric: str) -> Statement:
    its = candidate.metrics[metric]
    text = (
        f"Not called different from {baseline} by {plain(metric)}."
        if its.verdict == "undecided"
        else f"It is {its.verdict} than {baseline} by {plain(metric)}."
    )
    against = f"{three(its.candidate)} against {three(its.baseline)}: {signed(its)}"
    corrected = f"p = {p_value(its.p_holm)} corrected for everything compared"
    needed = its.needed.said if its.needed else its.reason
    detail = " ".join(filter(None, (f"{against}, {corrected}.", sentence(apart(its)), sentence(needed))))
    return Statement(its.verdict, text, detail)


def apart(its: MetricVerdict) -> str:
    """Why there is no verdict where an interval alone would suggest one; empty elsewhere."""
    if its.verdict != "undecided" or its.low is None or its.high is None or its.low <= 0 <= its.high:
        return ""
    return "not called different: after correction for everything compared"


def _others(candidate: Candidate, primary: str) -> str:
    """The other metrics of the family in one sentence; empty where there are none."""
    parts = []
    for verdict in ("better", "worse", "undecided"):
        names = [
            plain(name)
            for name, its in candidate.metrics.items()
            if name != primary and its.verdict == verdict
        ]
        if names:
            parts.append(f"{verdict} by {', '.join(names)}")
    return f"Besides: {'; '.join(parts)}." if parts else ""


def alone(sheet: Sheet, settings: VerdictSettings) -> list[Statement]:
    """What one experiment's numbers say by themselves: the target, the guess, the missed cancers.

    Where most are missed, that comes first.
    """
    found = [_target(sheet, settings)]
    view = sheet.chosen
    if view is None:
        return found
    missed = _missed(view)
    found.append(_against_a_guess(view))
    return [missed, *found] if missed.mark == "missed" else [*found, missed]


def _target(sheet: Sheet, settings: VerdictSettings) -> Statement:
    found = target(sheet.subject, settings.target)
    split, _, name = found.metric.partition("/")
    if found.low is not None:
        words = {"met": "met", "missed": "missed", "undecided": "neither surely met nor surely missed"}
        text = f"The target, {_asked(settings)}, is {words[found.status]}."
        return Statement(found.status, text, sentence(found.said))
    text = sentence(f"the target, {_asked(settings)}, is not judged: {found.said}")
    view = sheet.chosen
    detail = [] if found.measured is None else [f"By what there is, {found.measured:.3f}."]
    if view is not None:
        figure = measured(view.entry(name))
        detail.append(f"{where(view.split).capitalize()} it is {figure}, which is no verdict on {split}.")
    return Statement(found.status, text, " ".join(detail))


def _against_a_guess(view: View) -> Statement:
    support = view.summary["support"]
    most = max(CLASSES, key=lambda name: support[name])
    guess = support[most] / view.summary["n"]
    its = view.entry("accuracy") or {}
    low, high = its.get("low"), its.get("high")
    mark: Mark = "undecided"
    if low is not None and high is not None:
        mark = "better" if low > guess else "worse" if high < guess else "undecided"
    than = {"better": "more often than", "worse": "less often than"}.get(mark, "not surely more often than")
    text = f"Right {than} always answering {plain(most)}, which is right for {percent(guess)}."
    return Statement(mark, text, f"Accuracy {_on(view)}: {measured(its)}.")


def _missed(view: View) -> Statement:
    cancers = sum(sum(row) for row in view.summary["confusion"][:-1])
    its = view.entry("miss_rate") or {}
    rate = its.get("value")
    if rate is None:
        return Statement("note", "No image shows a cancer: what it misses is not known.")
    text = (
        f"Calls {rate * cancers:.3g} of {many(cancers, 'cancer')} normal when it takes the likeliest class."
    )
    mark: Mark = "missed" if rate > _MOST else "note"
    return Statement(mark, text, f"Miss rate {_on(view)}: {measured(its)}.")


def _on(view: View) -> str:
    seeds = len(view.answers.seeds)
    over = f", mean of {seeds} seeds" if view.of_seeds else f", {seeds} seeds answering together"
    return f"on {many(view.images, 'image')} ({plain(view.split)}{over if seeds > 1 else ''})"
