"""A plan from what was found and what is believed: filled, written, checked, put into its window."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ctexp.config.compose import resolve_paths
from ctexp.core import clock
from ctexp.core.errors import CtexpError, UsageError
from ctexp.core.wording import some
from ctexp.planning.checking.checked import Checked
from ctexp.planning.diagnosis.findings import Diagnosis
from ctexp.planning.moves.catalogue import Catalogue
from ctexp.planning.plan.document import Limits, Plan, Reserve
from ctexp.planning.plan.jobs import experiment_of
from ctexp.planning.proposal import writing
from ctexp.planning.proposal.assembling import Assembled, assemble
from ctexp.planning.proposal.candidates import Candidate
from ctexp.planning.proposal.considering import Considering, consider
from ctexp.planning.proposal.documents import LeftOut, Proposal, Reason, Wishes
from ctexp.planning.proposal.filling import Room, fill, room
from ctexp.planning.proposal.follows import follows
from ctexp.planning.proposal.outlook import outlook
from ctexp.planning.proposal.rereading import reread
from ctexp.planning.proposal.seeds import MOST
from ctexp.planning.proposal.stages import Part
from ctexp.planning.proposal.wording import plain
from ctexp.planning.schedule.night import schedule
from ctexp.planning.schedule.schedule import Schedule
from ctexp.planning.study.study import Study

_Jobs = Mapping[str, list[float | None]]


def propose(
    study: Study, diagnosis: Diagnosis, catalogue: Catalogue, wishes: Wishes, now: datetime
) -> Proposal:
    """A plan for the next night; nothing is written.

    Args:
        study: what has been trained.
        diagnosis: what was found of it.
        catalogue: what can be done.
        wishes: what is wanted.
        now: aware; a window that ends by the clock is counted from then.

    Raises:
        UsageError: what is wanted makes no plan: overrides, a target nothing can decide, a window too short.
        DataError: there are no images.
    """
    looked = consider(study, diagnosis, catalogue, wishes)
    there = room(wishes.window, now)
    chosen, no_room, seeds = _chosen(study, looked, there)
    while True:
        night = assemble(study, looked, chosen, seeds)
        plan, text = _written(night, looked, wishes, there, diagnosis)
        read, checked = reread(text, wishes.name, study.root)
        _refuse(checked, wishes)
        fitted = schedule(checked.jobs, plan, resolve_paths(study.root)[1], now)
        if all(entry.fits != "no" for entry in fitted.entries):
            break
        if not chosen:
            raise _too_short(fitted, wishes)
        dropped = chosen.pop()
        no_room.insert(0, LeftOut(dropped.title, "no room, were it to take its p90"))
    jobs = _jobs(fitted)
    assumed = _guessed(night.parts, jobs)
    return Proposal(
        plan=read,
        text=text,
        night=looked.night,
        said=f"{looked.said}.",
        diagnosis=diagnosis,
        incumbent=study.incumbent.title if study.incumbent else None,
        why_incumbent=study.why_incumbent,
        data=study.data,
        images=looked.ground.images.said,
        judged=sum(looked.ground.images.judged.values()),
        groups=looked.ground.images.witnesses,
        metric=looked.metric,
        worthwhile=study.settings.worthwhile,
        detectable=night.design.detectable if night.hypotheses else None,
        first=looked.first,
        outlook=outlook(study, looked, night, chosen, wishes.name),
        reasons=_timed(night.parts, jobs),
        left_out=(*no_room, *looked.left_out),
        assumptions=(*night.assumptions, *_about_costs(assumed, wishes), *_about_room(night, there)),
        follows=follows(
            study, looked.considered, looked.metric, {one.title: len(night.seeds) for one in chosen}
        ),
        schedule=fitted,
        assumed_minutes=assumed,
        warnings=checked.warnings,
    )


def _chosen(study: Study, looked: Considering, there: Room) -> tuple[list[Candidate], list[LeftOut], int]:
    """What the night has room for, and with how many seeds; nothing but seeds where only they are wanted.

    Time that is left goes into more seeds of the same, as long as no change is lost by that, and a baseline
    that was trained before has as many.
    """
    if looked.night == "noise floor":
        why = "only seeds tonight: nothing that is compared now could be told from chance"
        return [], [LeftOut(one.title, why) for one in looked.ranked], MOST

    def filled(seeds: int) -> tuple[list[Candidate], list[LeftOut]]:
        before = assemble(study, looked, looked.ranked[:1], seeds).parts
        first = [part.reason.minutes for part in before if part.reason.stage in ("smoke", "baseline")]
        return fill(looked.ranked, seeds, 60 * sum(first), there.seconds)

    seeds = looked.design.seeds
    chosen, left_out = filled(seeds)
    baseline = assemble(study, looked, chosen, seeds).baseline
    while chosen and seeds < MOST:
        again = assemble(study, looked, chosen, seeds + 1).baseline
        if again != baseline or filled(seeds + 1)[0] != chosen:
            break
        seeds += 1
    return chosen, left_out, seeds


def _written(
    night: Assembled, looked: Considering, wishes: Wishes, there: Room, diagnosis: Diagnosis
) -> tuple[Plan, str]:
    """The plan, and the text of its file."""
    improving = f"Improve {looked.metric} on {looked.ground.images.said}."
    goal = wishes.goal.strip() or (improving if night.hypotheses else f"Know the noise of {looked.metric}.")
    plan = Plan(
        name=wishes.name,
        goal=goal,
        notes=plain(f"{looked.said}."),
        baseline=night.baseline,
        window=wishes.window,
        seeds=list(night.seeds),
        common=list(looked.ground.words),
        reserve=Reserve(analysis=there.analysis),
        limits=Limits(grace=there.grace),
        target=wishes.target,
        experiments={part.name: part.experiment for part in night.parts},
    )
    head = (
        f"Proposed by inv plan; {wishes.name}.md says why, and what would refute it.",
        *writing.commands(wishes.name),
        f"It rests on the runs so far: {diagnosis.runs}, of {diagnosis.recipes} configurations."
        if diagnosis.recipes
        else "It rests on no training: there was none.",
    )
    return plan, writing.text(plan, head, night.above)


def _refuse(checked: Checked, wishes: Wishes) -> None:
    """End here where anything is wrong.

    Raises:
        UsageError: what the user asked for is.
        CtexpError: the proposal itself is, which is a bug.
    """
    if checked.problems and (wishes.overrides or wishes.target):
        asked = [_as_asked(line) for line in checked.problems]  # the file it would be is not there
        raise UsageError(asked, "leave out, or say otherwise, what was asked for")
    if checked.problems:
        raise CtexpError([f"the proposed plan is wrong: {line}" for line in checked.problems])
    checked.refuse()


def _as_asked(line: str) -> str:
    """A problem of a plan that is not written, as one of what was typed."""
    line = re.sub(r"^\S+\.yaml:\d+: (common\.\d+: )?", "", line)
    return re.sub(r"^target(\.\w+)?: ", "--goal: ", line)


def _too_short(fitted: Schedule, wishes: Wishes) -> UsageError:
    """What a night needs at least."""
    costs = [entry.cost.seconds_p90 or entry.cost.seconds for entry in fitted.entries if entry.cost]
    unknown = sum(entry.cost is None for entry in fitted.entries)
    needed = sum(costs) + 60.0 * unknown + fitted.grace_seconds + fitted.analysis_seconds
    return UsageError(
        f"--window {wishes.window}: too short for a smoke test and the baseline's seeds, which take "
        f"{clock.duration(needed)} (p90) with the analysis",
        f"give it more: --window {int(needed // 60) + 1}m",
    )


def _guessed(parts: Sequence[Part], jobs: _Jobs) -> dict[str, float]:
    """Minutes of one job, by experiment, of those whose cost nobody knows."""
    return {
        part.name: part.reason.minutes / len(jobs[part.name]) for part in parts if None in jobs[part.name]
    }


def _timed(parts: Sequence[Part], jobs: _Jobs) -> dict[str, Reason]:
    """Reasons in the order in which experiments begin, with the minutes that the schedule knows."""
    reasons = {part.name: part.reason for part in parts}
    found = {}
    for name, costs in jobs.items():
        known = [cost for cost in costs if cost is not None]
        minutes = sum(known) / 60 if len(known) == len(costs) else reasons[name].minutes
        found[name] = replace(reasons[name], minutes=minutes, assumed=len(known) < len(costs))
    return found


def _jobs(fitted: Schedule) -> _Jobs:
    """The seconds of each experiment's jobs."""
    found: dict[str, list[float | None]] = {}
    for entry in fitted.entries:
        cost = entry.cost.seconds if entry.cost else None
        found.setdefault(experiment_of(entry.job), []).append(cost)
    return found


def _about_costs(assumed: Mapping[str, float], wishes: Wishes) -> list[str]:
    names = [name for name in assumed if name != "smoke"]
    if not names:
        return []
    return [
        f"nothing like {some(names)} was trained or measured here: what it takes is a guess; "
        f"`scripts/inv plan-check {wishes.name} --measure` finds it out, then `{wishes.command} --overwrite` "
        "fills the "
        "window by what was measured"
    ]


def _about_room(night: Assembled, there: Room) -> list[str]:
    if 60 * sum(part.reason.minutes for part in night.parts) <= there.seconds:
        return []
    return [
        "by that guess the window is too short for all of it; what has no time is left for the next start"
    ]
