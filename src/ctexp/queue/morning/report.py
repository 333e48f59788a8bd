"""The whole night as one document, from journal, orders, the plan's copy and run directories alone."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from ctexp.config import verdict
from ctexp.config.verdict import VerdictSettings
from ctexp.core import clock, yaml_file
from ctexp.core.errors import UsageError
from ctexp.planning.plan.document import Plan
from ctexp.planning.render.script import usual
from ctexp.queue.deciding.packed import packing
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Event, uptime
from ctexp.queue.morning import jobs, outcome
from ctexp.queue.morning.documents import NightReport, StartReport, StepReport
from ctexp.queue.morning.hypotheses import Hypotheses
from ctexp.queue.orders import Orders
from ctexp.queue.state import Night, fold


def build(queue: QueueDir, orders: Orders, events: Sequence[Event], code: int | None) -> NightReport:
    """The document of a night.

    What cannot be read, a plan's copy or a setting, is told among its cautions, and nothing is lost by it.

    Args:
        queue: its folder.
        orders: what there was to do.
        events: what happened.
        code: why the script's loop has ended; None where nobody saw it end.
    """
    night = fold(orders, events)
    again = outcome.left(orders, night)
    counts = outcome.counted(night, again)
    exit_code = None if code is None else outcome.exit_code(code, night)
    told = jobs.reports(queue, orders, night, again)
    cautions = [str(event["text"]) for event in events if event["kind"] == "note" and not _done(event, night)]
    if any(begin.get("script_edited") for begin in night.begins):
        cautions.insert(0, "the script was edited by hand: what ran is what it says, not what the plan says")
    plan = _plan(queue, orders, cautions)
    settings = _settings(Path(orders.root), cautions)
    hypotheses = Hypotheses(orders, night, told, plan, settings) if plan else None
    starts = _starts(events, exit_code, orders.mode)
    newest = night.begins[-1] if night.begins else {}
    return NightReport(
        queue=queue.id,
        plan=orders.plan,
        plan_file=orders.plan_file,
        mode=orders.mode,
        device=orders.device,
        goal=plan.goal if plan else "",
        notes=plan.notes if plan else "",
        window=orders.window,
        opens=newest.get("opens"),
        closes=newest.get("closes"),
        began=night.begins[0]["time"] if night.begins else None,
        ended=(starts[-1].ended if starts else None) or _seen(events)["time"],
        seconds=round(sum(start.seconds for start in starts), 3),
        job_seconds=round(sum(job.seconds for job in told), 3),
        exit_code=exit_code,
        reason=outcome.reason(exit_code, counts, night),
        counts=counts,
        left=tuple(again),
        target=hypotheses.target() if hypotheses else None,
        experiments=tuple(hypotheses.reports()) if hypotheses else (),
        jobs=tuple(told),
        steps=tuple(_step(event) for event in night.steps.values()),
        starts=tuple(starts),
        cautions=tuple(cautions),
        packing=tuple(packing(orders, night)),
        go_on=_go_on(orders, again) if again or counts.failed else "",
    )


def _done(note: Event, night: Night) -> bool:
    """Whether it says of a step that it was not done, which a later start has done."""
    step = night.steps.get(note.get("step", ""))
    return step is not None and step["seq"] > note["seq"]


def _plan(queue: QueueDir, orders: Orders, cautions: list[str]) -> Plan | None:
    """The plan as it ran."""
    try:
        document = yaml_file.read_mapping(queue.plan, queue.plan.name)
        return Plan.model_validate(document, context={"name": orders.plan})
    except UsageError as error:
        lines = list(error.problems)
    except ValidationError as error:
        lines = [f"{queue.plan.name}: {problem['msg']}" for problem in error.errors(include_url=False)]
    cautions += [
        f"the copy of the plan cannot be read, its hypotheses are not told: {line}" for line in lines
    ]
    return None


def _settings(root: Path, cautions: list[str]) -> VerdictSettings | None:
    """What it takes to be called better."""
    try:
        return verdict.load(root)
    except UsageError as error:
        cautions += [f"nothing was compared: {problem}" for problem in error.problems]
    return None


def _step(event: Event) -> StepReport:
    return StepReport(
        name=str(event["name"]),
        exit_code=int(event["exit_code"]),
        seconds=max(0.0, float(event.get("seconds") or 0)),
        log=str(event.get("log") or ""),
    )


def _go_on(orders: Orders, again: Sequence[str]) -> str:
    """What takes up the jobs that are left; where none is, what begins anew."""
    return f"bash {usual(orders.plan, orders.executor)}" + ("" if again else " --fresh")


def _seen(events: Sequence[Event]) -> Event:
    """The last that the script itself told: long after a kill ends may be settled, and jobs dropped."""
    its_own = (one for one in reversed(events) if not one.get("recovered") and one["kind"] != "cancel")
    return next(its_own, {"time": clock.iso(clock.now()), "uptime": uptime()})


def _starts(events: Sequence[Event], exit_code: int | None, mode: str) -> list[StartReport]:
    """Each start of the script, and how it ended.

    Args:
        events: what happened.
        exit_code: of the newest, which ends now unless it has ended already; None where nobody saw it end.
        mode: of the queue.
    """
    begins = [index for index, event in enumerate(events) if event["kind"] == "begin"]
    return [
        _start(events[index:after], exit_code if after is None else None, mode)
        for index, after in zip(begins, [*begins[1:], None], strict=True)
    ]


def _start(events: Sequence[Event], exit_code: int | None, mode: str) -> StartReport:
    begin = events[0]
    closed = next((event for event in reversed(events) if event["kind"] == "close"), None)
    now = _seen(())
    until = closed or (_seen(events) if exit_code is None else now)
    # Machines of a cluster were booted at different times: there the calendar has to do.
    seconds = (
        (datetime.fromisoformat(until["time"]) - datetime.fromisoformat(begin["time"])).total_seconds()
        if mode == "slurm"
        else until["uptime"] - begin["uptime"]
    )
    return StartReport(
        began=begin["time"],
        ended=until["time"] if closed or until is now else None,
        seconds=round(max(0.0, seconds), 3),
        exit_code=closed["exit_code"] if closed else exit_code,
        reason=closed.get("reason", "") if closed else "",
        commit=begin.get("commit"),
        dirty=begin.get("dirty"),
    )
