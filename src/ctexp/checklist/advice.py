"""What to do about an audit: what is critical, what to mend and add, how to keep order, where to begin."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ctexp.checklist.audit import Audit, RunAudit, Verdict
from ctexp.checklist.facts import Facts
from ctexp.checklist.points import POINTS, Mark
from ctexp.core.wording import some

_SEEDS = 3
"""Fewer seeds of an experiment say nothing about its spread (docs/verdicts.md)."""

_SAID: dict[Verdict, str] = {
    "whole": "nothing vital is missing",
    "gaps": "gaps, none of them vital",
    "not reproducible": "something vital is missing",
}

_STEPS = 5
_NAMED = 3


@dataclass(frozen=True)
class Recommendation:
    """Something to mend.

    Attributes:
        point: of the checklist.
        said: what is wrong.
        detail: with the first run it is wrong with; may be empty.
        fix: a command or code, for that run.
        runs: the ids of all runs that it is wrong with.
        lost: points of a hundred that it costs the whole.
        critical: whether a run cannot be made again, or not be believed, because of it.
    """

    point: str
    said: str
    detail: str
    fix: str
    runs: tuple[str, ...]
    lost: float
    critical: bool


@dataclass(frozen=True)
class Addition:
    """Something that is not wrong, and would be better otherwise."""

    said: str
    fix: str


@dataclass(frozen=True)
class Advice:
    """All of it, the weightiest first.

    Attributes:
        critical: for want of these a run cannot be made again, or not be believed.
        recommendations: the rest of what is not whole.
        metrics: worth adding.
        organisation: names and how runs belong together.
        next_steps: commands, in order.
    """

    critical: tuple[Recommendation, ...]
    recommendations: tuple[Recommendation, ...]
    metrics: tuple[Addition, ...]
    organisation: tuple[Addition, ...]
    next_steps: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)


def advise(audit: Audit, everything: Sequence[Facts] = (), *, account: bool = False) -> Advice:
    """What to do about it.

    Args:
        audit: of the runs that were asked about.
        everything: what is known of their relatives, other runs of the same names; those audited by default.
        account: whether there are credentials for the tracker.
    """
    wrong = sorted([*_unreadable(audit), *_lacking(audit)], key=lambda one: -one.lost)
    known = [run.facts for run in audit.runs if run.facts is not None]
    critical = tuple(one for one in wrong if one.critical)
    others = tuple(one for one in wrong if not one.critical)
    metrics = tuple(_metrics(known, everything or known))
    organisation = tuple(_organisation(everything or known))
    to_send = [one for one in known if one.sendable and (account or one.online)]
    steps = tuple(_steps(audit, known, [*critical, *others], metrics, to_send))
    return Advice(critical, others, metrics, organisation, steps)


def _unreadable(audit: Audit) -> Iterator[Recommendation]:
    lost = [run for run in audit.runs if not run.marks]
    if lost:
        yield Recommendation(
            point="record",
            said="the record does not say what the run is",
            detail="; ".join(lost[0].problems),
            fix="bring back manifest.json from a copy of the run; else train again, and count it for nothing",
            runs=tuple(run.run for run in lost),
            lost=100 * len(lost) / len(audit.runs),
            critical=True,
        )


def _lacking(audit: Audit) -> Iterator[Recommendation]:
    """The same thing wrong with several runs is said once, with the first."""
    about = {run.run: run for run in audit.runs}
    for _, _, lacking in audit.shares():
        alike: dict[tuple[str, str], list[tuple[str, Mark]]] = defaultdict(list)
        for run, mark in lacking:
            alike[mark.said, mark.fix].append((run, mark))
        for same in alike.values():
            run, mark = same[0]
            yield Recommendation(
                point=mark.point.id,
                said=mark.said,
                detail=mark.detail,
                fix=_filled(mark.fix, about[run].facts),
                runs=tuple(name for name, _ in same),
                lost=sum(_lost(about[name], one) for name, one in same) / len(audit.runs),
                critical=any(one.critical for _, one in same),
            )


def _lost(run: RunAudit, mark: Mark) -> float:
    """Points of a hundred that a run lacks because of a mark."""
    asked = sum(one.point.weight for one in run.marks if one.share is not None)
    return 100 * mark.point.weight * (1 - (mark.share or 0)) / asked


def _filled(fix: str, facts: Facts | None) -> str:
    if facts is None:
        return fix
    return fix.format(run=facts.run, command=facts.command, data=facts.data)


def _metrics(known: Sequence[Facts], everything: Sequence[Facts]) -> Iterator[Addition]:
    """What would say more than is measured now."""
    bare = [one for one in known if one.measured and not one.cancer and one.parent is None]
    if bare:
        yield Addition(
            f"sensitivity and specificity of cancer against normal, on validation{_of(bare, known)}",
            f"scripts/inv evaluate --run {bare[0].run} --split val",
        )
    for name, its in _by_name(everything).items():
        seeds = {one.seed for one in its if one.measured}
        if 0 < len(seeds) < _SEEDS and any(one.name == name for one in known):
            said = f"the spread of {name} over seeds: it has {len(seeds)}, and {_SEEDS} are the least"
            words = [word for word in its[0].command.split(" ") if not word.startswith("seed=")]
            yield Addition(said, " ".join([*words, f"seed={max(seeds) + 1}"]))
    unfitted = [one for one in known if one.measured and not one.calibrated]
    if unfitted:
        said = f"the calibration of probabilities{_of(unfitted, known)}"
        yield Addition(said, f"scripts/inv evaluate --run {unfitted[0].run} --split val")
    if any(one.gpu is False for one in known):
        yield Addition("how busy the GPU was: the driver did not say", "scripts/inv doctor")
    if old := [one for one in known if one.measured and not one.gradients]:
        yield Addition(f"norms of gradients, which tell instability early{_of(old, known)}", old[0].command)


def _organisation(everything: Sequence[Facts]) -> Iterator[Addition]:
    """One name an experiment, one experiment a name."""
    names: dict[str, list[str]] = defaultdict(list)
    for name, its in _by_name(everything).items():
        experiments = {one.experiment for one in its if one.experiment}
        if len(experiments) > 1:
            yield Addition(
                f"the name {name} holds {len(experiments)} experiments: no verdict can be had of it",
                f"run.name={name}-WHAT-IS-DIFFERENT for all but one; scripts/inv diff RUN RUN says what is",
            )
        for experiment in experiments:
            names[experiment].append(name)
    for same in names.values():
        if len(same) > 1:
            said = f"one experiment has {len(same)} names: {', '.join(same[:_NAMED])}"
            yield Addition(said, f"run.name={same[0]} for further seeds of it: seeds share a name")


def _steps(
    audit: Audit,
    known: Sequence[Facts],
    wrong: Sequence[Recommendation],
    metrics: Sequence[Addition],
    to_send: Sequence[Facts],
) -> Iterator[str]:
    """What to type, in order, as far as it can be typed."""
    steps = [f"scripts/inv train --resume {one.run}" for one in known if one.state == "interrupted"][:1]
    # To train again is a step only for what is worth nothing otherwise.
    steps += [step for one in wrong if (step := _typed(one.fix, anywhere=one.critical))]
    if to_send:
        one_alone = f" --run {to_send[0].run}" if len(audit.runs) == 1 else ""
        steps.append(f"scripts/inv wandb-sync{one_alone}")
    steps += [step for one in metrics if (step := _typed(one.fix))][:1]
    whole = [run for run in audit.runs if run.facts and run.facts.measured and not run.critical]
    if whole:
        steps.append(f"scripts/inv reproduce --run {whole[0].run}")
    yield from list(dict.fromkeys(steps))[:_STEPS]


def _typed(fix: str, *, anywhere: bool = False) -> str:
    """The command that a fix is, or that stands at its end; empty where it is words alone."""
    if fix.startswith(("scripts/inv ", "git ")):
        return fix.partition(", or ")[0]
    return fix[fix.index("scripts/inv ") :] if anywhere and "scripts/inv " in fix else ""


def _by_name(everything: Sequence[Facts]) -> dict[str, list[Facts]]:
    """Runs that stand for themselves, by `run.name`."""
    found: dict[str, list[Facts]] = defaultdict(list)
    for one in everything:
        if one.parent is None:
            found[one.name].append(one)
    return found


def _of(some: Sequence[Facts], known: Sequence[Facts]) -> str:
    return f" ({len(some)} of {len(known)} runs)" if len(known) > 1 else ""


def assessment(audit: Audit) -> list[str]:
    """The whole in a few sentences."""
    critical = [run for run in audit.runs if run.critical or not run.marks]
    runs = "1 run" if len(audit.runs) == 1 else f"{len(audit.runs)} runs"
    lines = [f"{audit.title}: {audit.score} of 100 points, {_SAID[audit.verdict]}"]
    if len(audit.runs) > 1:
        least, most = (choose(audit.runs, key=lambda run: run.score) for choose in (min, max))
        lines[0] += f" ({len(critical)} of {runs})" if critical else f" ({runs})"
        if f"{least.score:.0f}" != f"{most.score:.0f}":
            lines.append(f"the least has {least.score:.0f}: {least.run}")
    whole = [point.id for point, share, _ in audit.shares() if share == 1.0]
    lines.append(f"{len(whole)} of {len(POINTS)} points are whole")
    return [*lines, *_neutral(audit)]


def _neutral(audit: Audit) -> Iterator[str]:
    """What is to be known and speaks neither for nor against a record."""
    many = len(audit.runs) > 1
    if running := [run.run for run in audit.runs if run.state == "running"]:
        which = f"{some(running)} {'is' if len(running) == 1 else 'are'}" if many else "it is"
        yield f"{which} still running: what its end leaves is not judged yet"
    kept = [run for run in audit.runs if run.facts and run.facts.sendable and not run.facts.online]
    if kept:
        verb = "is" if len(kept) == 1 else "are"
        which = f"{len(kept)} of {len(audit.runs)} runs {verb}" if many else "it is"
        send = "who has an account sends with scripts/inv wandb-sync"
        yield f"{which} kept by the tracker on this machine; {send}"
