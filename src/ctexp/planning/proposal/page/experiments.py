"""Section 2: each experiment: hypothesis, what it changes, how long it takes, when its hypothesis holds."""

from collections.abc import Iterator, Sequence

from ctexp.core.metric_names import higher_is_better
from ctexp.planning.moves.beliefs import Belief
from ctexp.planning.plan.document import Criterion, Experiment, Improvement
from ctexp.planning.proposal.documents import Reason
from ctexp.planning.proposal.page.markdown import (
    bullets,
    grouped,
    joined,
    listed,
    many,
    one_line,
    sentence,
    table,
)
from ctexp.planning.proposal.page.meanings import Meanings
from ctexp.planning.proposal.page.night import Night


def section(night: Night, meanings: Meanings) -> Iterator[str]:
    """Its lines."""
    yield from ("## 2. Experiment schedule", "")
    yield (
        "An experiment is a question; each of its seeds is a training of its own. The order is the one in "
        "which they begin."
    )
    yield ""
    shared = night.watched
    yield from table(
        ["", "Experiment", "Changes", "Seeds", "Takes"],
        [
            (
                str(number),
                f"`{name}`",
                _in_short(night, name),
                str(len(night.seeds(name))),
                night.runtime(name, mark="*"),
            )
            for number, name in enumerate(night.order, 1)
        ],
    )
    if night.proposal.schedule.totals.unknown:
        yield "\\* A guess: nothing like it was trained often enough, or timed, on this machine."
        yield ""
    yield from _common(night, meanings)
    if shared:
        yield f"Beside what is asked, the morning page tells {listed(shared)} of every experiment."
        yield ""
    for number, name in enumerate(night.order, 1):
        yield from _experiment(night, number, name, meanings)
    yield from _left_out(night)


def _left_out(night: Night) -> Iterator[str]:
    if night.proposal.left_out:
        yield from ("### What was looked at and left out", "")
        reasons = grouped([(one.move, one.why) for one in night.proposal.left_out])
        yield from table(["Why not tonight", "Changes"], [(why, listed(its)) for why, its in reasons.items()])


def _in_short(night: Night, name: str) -> str:
    experiment, reason = night.experiment(name), night.reason(name)
    if reason.stage == "smoke":
        return "one epoch on a few images"
    changes = listed(reason.changes)
    if experiment.base:
        return f"the best of {listed(experiment.base.best_of)}" + (f", and {changes}" if changes else "")
    return changes or "nothing"


def _common(night: Night, meanings: Meanings) -> Iterator[str]:
    if not night.plan.common:
        return
    yield "All of them share these settings; whatever is not named has its default in `conf/`:"
    yield ""
    yield from bullets([_setting(word, meanings) for word in night.plan.common])


def _experiment(night: Night, number: int, name: str, meanings: Meanings) -> Iterator[str]:
    experiment, reason = night.experiment(name), night.reason(name)
    yield from (f"### 2.{number} `{name}`", "")
    items = [f"**Hypothesis.** {sentence(experiment.hypothesis)}"]
    if experiment.expected:
        items.append(f"**What should be seen.** {sentence(experiment.expected)}")
    items.append(f"**Why it is here.** {sentence(reason.why)}")
    items.append(f"**Configuration changes.** {_changes(experiment, reason)}")
    if reason.stage != "smoke":
        items += _meanings(reason, meanings)
    items.append(f"**Expected runtime.** {_runtime(night, name)}")
    items += [f"**Begins** {one}." for one in _conditions(experiment)]
    items.append(f"**Success criterion.** {_criterion(night, name)}")
    if reason.refuted_by:
        items.append(f"**Refuted, if** {reason.refuted_by.rstrip('.')}.")
    items += _belief(night, reason)
    if experiment.fallback:
        said = ", ".join(f"{_FAILED[kind]}: {listed(words)}" for kind, words in experiment.fallback.items())
        items.append(f"**If a job fails,** it is tried once more with other settings. {sentence(said)}")
    told = (night.proposal.metric, *night.watched)
    if extra := [metric for metric in experiment.track if metric not in told]:
        items.append(f"**Watched, too:** {listed(extra)}.")
    items.append(f"**Rests on** {_grounds(night, experiment, reason)}.")
    for item in items:
        yield item if item.startswith("  ") else f"- {one_line(item)}"
    yield ""


def _grounds(night: Night, experiment: Experiment, reason: Reason) -> str:
    if reason.cites:
        return "the runs of section 1" if reason.cites == night.grounds else listed(reason.cites)
    return "what this night finds" if experiment.base else "no run: nothing like it was trained here yet"


SAID = {">=": "at least", ">": "above", "<=": "at most", "<": "below"}
"""Comparisons in words."""

_FAILED = {
    "oom": "where memory runs out",
    "diverged": "where the numbers run away",
    "timeout": "where time runs out",
    "data": "where images cannot be read",
    "other": "after any other failure",
}


def _changes(experiment: Experiment, reason: Reason) -> str:
    if experiment.base:
        first = f"Begins with the settings of the best of {listed(experiment.base.best_of)}"
        return f"{first}; beside that:" if reason.changes else f"{first}; nothing else."
    if reason.stage == "smoke":
        return f"As small as a training can be: {listed(reason.changes)}."
    return "Against the baseline:" if reason.changes else "None: the settings above."


def _meanings(reason: Reason, meanings: Meanings) -> list[str]:
    return [f"  - {one_line(_setting(word, meanings))}" for word in reason.changes]


def _setting(word: str, meanings: Meanings) -> str:
    meaning = meanings.of(word)
    return f"`{word}`: {sentence(meaning)}" if meaning else f"`{word}`"


def _runtime(night: Night, name: str) -> str:
    seeds = night.seeds(name)
    which = f"{many(len(seeds), 'seed')} ({joined(list(map(str, seeds)))})"
    folds = "" if night.experiment(name).kind == "train" else ", each of them trained on several folds"
    return sentence(f"{night.runtime(name)}: {which}{folds}")


def _conditions(experiment: Experiment) -> Iterator[str]:
    if experiment.needs:
        yield f"once all of {listed(experiment.needs)} is done"
    if experiment.base:
        by = f" by `{experiment.base.by}`" if experiment.base.by else ""
        yield f"once {listed(experiment.base.best_of)} have ended and the best{by} is known"
    if gate := experiment.gate:
        yield (
            f"only if the mean `{gate.metric}` of `{gate.after}` is {SAID[gate.op]} {gate.value:g} (a gate); "
            "else it is skipped, and the morning page says so"
        )


def _criterion(night: Night, name: str) -> str:
    experiment, reason = night.experiment(name), night.reason(name)
    if experiment.success:
        return criterion(experiment.success, night.plan.baseline or "")
    if reason.stage == "smoke":
        return "It ends without an error. Nothing is learned from its figures."
    if reason.stage == "baseline":
        return "None: it measures, and claims nothing."
    return "None of its own: it is looked at, and what is claimed of it is claimed by what follows."


def criterion(success: Criterion, baseline: str) -> str:
    """When a hypothesis holds, in words."""
    if isinstance(success, Improvement):
        worth = f" A gain of {success.by:g} or more is worth finding." if success.by else ""
        return (
            f"`{success.metric}` is {_better(success.metric)} than that of `{baseline}` by the paired test "
            f"of section 5.{worth}"
        )
    return f"the whole 95 % interval of `{success.metric}` is {SAID[success.op]} {success.value:g}."


def _better(metric: str) -> str:
    return "higher" if higher_is_better(metric) else "lower"


def _belief(night: Night, reason: Reason) -> Sequence[str]:
    """What is believed of its effect, before and after what was seen here."""
    prior, now = reason.prior, reason.posterior
    if prior is None or now is None:
        return []
    metric = night.proposal.metric
    said = f"**Believed gain** in `{metric}`, with its 95 % range: {_range(now)}"
    said += "" if now == prior else f"; before anything was seen here {_range(prior)}"
    if reason.expected_gain is not None:
        said += (
            f". Expected of the night: {reason.expected_gain:+.4f}, the gain times the chance to notice it"
        )
    return [f"{said}."]


def _range(one: Belief) -> str:
    return f"{one.mean:+.3f} ({one.mean - 1.96 * one.sd:+.3f} to {one.mean + 1.96 * one.sd:+.3f})"
