"""Section 2: each experiment: hypothesis, what it changes, how long it takes, when its hypothesis holds.

What all changes share is said once, before the first of them.
"""

import re
from collections.abc import Iterator, Sequence

from ctexp.core.metric_names import higher_is_better
from ctexp.core.wording import joined, many
from ctexp.planning.moves.value import Belief
from ctexp.planning.plan.document import Criterion, Experiment, Improvement
from ctexp.planning.proposal.documents import Reason
from ctexp.planning.proposal.page.markdown import (
    bullets,
    grouped,
    listed,
    sentence,
    table,
)
from ctexp.planning.proposal.page.meanings import Meanings
from ctexp.planning.proposal.page.night import Night

_NOT_SEEN = re.compile(r"it is for .+, which was not seen")


def section(night: Night, meanings: Meanings) -> Iterator[str]:
    """Its lines."""
    yield from ("## 2. Experiment schedule", "")
    yield (
        "An experiment is a question; each of its seeds is a training of its own. The order is the one in "
        "which they begin."
    )
    yield ""
    yield from table(
        ["", "Experiment", "Changes", "Seeds", "Takes"],
        [
            (
                str(number),
                f"`{name}`",
                _in_short(night, name),
                joined(list(map(str, night.seeds(name)))),
                night.runtime(name, mark="*"),
            )
            for number, name in enumerate(night.order, 1)
        ],
    )
    if night.proposal.schedule.totals.unknown:
        yield "\\* A guess: nothing like it was trained often enough, or timed, on this machine."
        yield ""
    yield from _common(night, meanings)
    yield from _shared(night)
    for number, name in enumerate(night.order, 1):
        yield from _experiment(night, number, name, meanings)
    yield from _left_out(night)


def _left_out(night: Night) -> Iterator[str]:
    if not night.proposal.left_out:
        return
    yield from ("### What was looked at and left out", "")
    reasons = grouped(
        [
            (one.move, _NOT_SEEN.sub("it is for a trouble that was not seen", one.why))
            for one in night.proposal.left_out
        ]
    )
    yield from table(["Why not tonight", "Changes"], [(why, listed(its)) for why, its in reasons.items()])
    yield "`scripts/inv plan --explain` tells each of them with all that is believed of it."
    yield ""


def _in_short(night: Night, name: str) -> str:
    experiment, reason = night.experiment(name), night.reason(name)
    if reason.stage == "smoke":
        return "one epoch on a few images"
    changes = listed(reason.changes)
    if experiment.base:
        several = f"the best of {many(len(experiment.base.best_of), 'change')}"
        return several + (f", and {changes}" if changes else "")
    return changes or "nothing"


def _common(night: Night, meanings: Meanings) -> Iterator[str]:
    if not night.plan.common:
        return
    yield "All of them share these settings; whatever is not named has its default in `conf/`:"
    yield ""
    yield from bullets([_setting(word, meanings) for word in night.plan.common])


def _shared(night: Night) -> Iterator[str]:
    """What holds of every change, so that none has to say it again."""
    lines = []
    gates = grouped([(name, its) for name in night.order if (its := _gate(night.experiment(name)))])
    for said, names in gates.items():
        lines.append(f"**The condition** of {_all_or(night, names)}: it begins {said}.")
    for said, names in _criteria(night).items():
        lines.append(f"**The criterion** of {_all_or(night, names)}: {said}")
    if night.judged:
        lines.append(
            f"**A change is refuted**, if even a gain of {night.proposal.worthwhile:g} can be ruled "
            "out, or it is "
            "worse than the baseline. What lies between is undecided."
        )
    if night.watched:
        lines.append(f"**The morning page tells**, beside what is asked, {listed(night.watched)} of each.")
    if night.at("confirmation"):
        lines.append(
            "**A confirmation** has fresh seeds, and in this night it is judged by them alone; in later "
            "plans "
            "all seeds of a recipe count together."
        )
    if lines:
        yield "What they have in common:"
        yield ""
        yield from bullets(lines)


def _criteria(night: Night) -> dict[str, list[str]]:
    asked = [(name, its) for name in night.judged if (its := night.experiment(name).success)]
    return dict(grouped([(name, criterion(its, night)) for name, its in asked]))


def _all_or(night: Night, names: Sequence[str]) -> str:
    """`each change`, or which ones where it is not true of all that are judged or looked at."""
    changes = set(night.at("coarse"))
    return "each change" if changes and changes <= {*names} else listed(names)


def _experiment(night: Night, number: int, name: str, meanings: Meanings) -> Iterator[str]:
    experiment, reason = night.experiment(name), night.reason(name)
    yield f"### 2.{number} `{name}`"
    like = _like(night, name)
    items = [
        f"**Hypothesis.** {f'As `{like}`, with another value.' if like else _hypothesis(experiment)}",
        f"**Configuration changes.** {_changes(experiment, reason, meanings)}",
        f"**Expected runtime.** {_runtime(night, name)} **Success criterion.** {_criterion(night, name)}"
        f"{_watched(night, experiment)}",
        f"{'' if like else _why(night, reason)}{_belief(night, reason)}",
    ]
    if experiment.fallback and not like:
        said = ", ".join(f"{_FAILED[kind]}: {listed(words)}" for kind, words in experiment.fallback.items())
        items.append(f"**If a job fails,** it is tried once more. {sentence(said)}")
    yield from bullets(items)


def _like(night: Night, name: str) -> str:
    """The value of the same sweep that was told before; empty where there is none."""
    move, before = night.reason(name).move, night.order[: night.order.index(name)]
    return next((one for one in before if move and night.reason(one).move == move), "")


def _hypothesis(experiment: Experiment) -> str:
    seen = f" To be seen: {experiment.expected}" if experiment.expected else ""
    return sentence(f"{sentence(experiment.hypothesis)}{seen}")


def _why(night: Night, reason: Reason) -> str:
    grounds = f" It rests on {_grounds(night, reason)}." if reason.cites else ""
    refuted = (
        f" Refuted, if {reason.refuted_by.rstrip('.')}." if reason.stage in ("smoke", "baseline") else ""
    )
    return f"**Why it is here.** {sentence(reason.why)}{grounds}{refuted}"


def _watched(night: Night, experiment: Experiment) -> str:
    """What the morning page tells of this one alone."""
    told = (night.proposal.metric, *night.watched)
    extra = [metric for metric in experiment.track if metric not in told]
    return f" Watched, too: {listed(extra)}." if extra else ""


def _grounds(night: Night, reason: Reason) -> str:
    return "the runs of section 1" if reason.cites == night.grounds else listed(reason.cites)


SAID = {">=": "at least", ">": "above", "<=": "at most", "<": "below"}
"""Comparisons in words."""

_FAILED = {
    "oom": "where memory runs out",
    "diverged": "where the numbers run away",
    "timeout": "where time runs out",
    "data": "where images cannot be read",
    "other": "after any other failure",
}


def _changes(experiment: Experiment, reason: Reason, meanings: Meanings) -> str:
    if reason.stage == "smoke":
        return f"As small as a training can be: {listed(reason.changes)}."
    own = " ".join(_setting(word, meanings) for word in reason.changes)
    if experiment.base:
        return f"Begins with the settings of the best of {listed(experiment.base.best_of)}. {own}".strip()
    return own or "None: the settings above."


def _setting(word: str, meanings: Meanings) -> str:
    meaning = meanings.of(word)
    return f"`{word}`: {sentence(meaning)}" if meaning else f"`{word}`"


def _runtime(night: Night, name: str) -> str:
    folds = "" if night.experiment(name).kind == "train" else ", each of them trained on several folds"
    return sentence(f"{night.runtime(name)}: {many(len(night.seeds(name)), 'seed')}{folds}")


def _gate(experiment: Experiment) -> str:
    gate = experiment.gate
    if gate is None:
        return ""
    return (
        f"only if the mean `{gate.metric}` of `{gate.after}` is {SAID[gate.op]} {gate.value:g} (a gate; "
        "else it is "
        "skipped, and the morning page says so)"
    )


def _criterion(night: Night, name: str) -> str:
    experiment, reason = night.experiment(name), night.reason(name)
    if experiment.success:
        shared = next(iter(_criteria(night)), "")
        its = criterion(experiment.success, night)
        return "The one above." if its == shared else sentence(its)
    if reason.stage == "smoke":
        return "It ends without an error. Nothing is learned from its figures."
    if reason.stage == "baseline":
        return "None: it measures, and claims nothing."
    return "None of its own: what is claimed of it is claimed by what follows."


def criterion(success: Criterion, night: Night) -> str:
    """When a hypothesis holds, in words, a sentence."""
    if isinstance(success, Improvement):
        noticed = night.proposal.detectable
        size = "" if noticed is None else f" A gain of {noticed:.2f} would be noticed four times in five; "
        size += "smaller ones may stay undecided." if size else ""
        return (
            f"`{success.metric}` is {_better(success.metric)} than that of `{night.plan.baseline}` by "
            "the paired "
            f"test of section 5.{size}"
        )
    return f"the whole 95 % interval of `{success.metric}` is {SAID[success.op]} {success.value:g}."


def _better(metric: str) -> str:
    return "higher" if higher_is_better(metric) else "lower"


def _belief(night: Night, reason: Reason) -> str:
    """What is believed of its effect: by the catalogue, for what was seen, and now; nothing of a baseline."""
    now = reason.posterior
    if now is None:
        return ""
    said = f" **Believed gain** in `{night.proposal.metric}`, with its 95 % range: {_range(now)}"
    if reason.prior and reason.prior != now:
        said += f". The catalogue says {_range(reason.prior)}"
    if reason.bonus:
        said += f", and {reason.bonus:+.3f} were added for how bad the trouble is, a guess"
    if reason.expected_gain is not None:
        said += f". Expected of the night: {reason.expected_gain:+.4f}"
    return f"{said}."


def _range(one: Belief) -> str:
    return f"{one.mean:+.3f} ({one.mean - 1.96 * one.sd:+.3f} to {one.mean + 1.96 * one.sd:+.3f})"
