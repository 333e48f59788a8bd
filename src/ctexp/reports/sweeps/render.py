"""The page of a sweep as one HTML file: names of users stay text, and nothing in it asks for the network."""

from pathlib import Path

from markupsafe import Markup

from ctexp.core import clock
from ctexp.core.page import template
from ctexp.core.wording import many
from ctexp.record.manifest import command_line
from ctexp.reports import wording
from ctexp.reports.sweeps import courses, pictures, scales
from ctexp.reports.sweeps.study import Study
from ctexp.sweeps.reading import importance
from ctexp.sweeps.reading.refining import said
from ctexp.sweeps.reading.telling import confirmation, difference, lucky, measured, night, ties, verdict_on
from ctexp.sweeps.space import Value

_LEADERS = 5
_HERE = Path(__file__).parent
_SHARED = _HERE.parent / "page"


def render(study: Study) -> str:
    """The page; equal studies give equal pages."""
    opened, told = study.opened, study.summary
    filters = {
        "amount": many,
        "value": _value,
        "time": lambda seconds: "–" if seconds is None else clock.duration(seconds),
    }
    coordinates, pruned = pictures.coordinates(opened), courses.epochs(opened)
    command = command_line("train", (*told.base, *told.best.words)) if told.best else ""
    return template(_HERE, filters, _SHARED).render(
        title=f"Sweep {opened.sweep.name}",
        subtitle=_subtitle(study),
        sections=_sections(has_coordinates=coordinates is not None, has_pruned=pruned is not None),
        lead=lead(study),
        findings=_findings(study),
        best=told.best,
        rival=told.rival,
        command=command,
        night=night(told),
        confirm=confirmation(told),
        leaders=opened.ranked[:_LEADERS],
        keys=opened.chosen,
        measured=scales.measured(opened),
        facts=_facts(study),
        history=pictures.history(opened),
        importance=study.importance,
        forests=importance.FORESTS,
        shares=pictures.importances(study.importance),
        slices=pictures.slices(opened),
        coordinates=coordinates,
        courses=pruned,
        time=courses.hours(opened),
        spent=_spent(study),
        rows=opened.rows,
        uncertain=any(row.error is not None for row in opened.rows),
        retried=any(row.attempts > 1 for row in opened.rows),
        told=any(row.problem or row.reused is not None for row in opened.rows),
        provenance=_provenance(study),
        file=_file(study),
        style=Markup(_own(_SHARED / "style.css") + _own(_HERE / "style.css")),  # noqa: S704 - no word of a user is in it
        written=clock.iso(study.moment),
    )


def _own(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _sections(*, has_coordinates: bool, has_pruned: bool) -> list[tuple[str, str]]:
    return [
        ("learned", "Verdict"),
        ("glance", "At a glance"),
        ("history", "History"),
        ("importance", "What mattered"),
        ("slices", "Slices"),
        *([("coordinates", "Parallel coordinates")] if has_coordinates else []),
        *([("pruned", "Pruned trials")] if has_pruned else []),
        ("time", "Time"),
        ("trials", "Every trial"),
        ("provenance", "Provenance"),
    ]


def _subtitle(study: Study) -> str:
    sweep = study.opened.sweep
    trials = many(len(study.opened.rows), "trial")
    synthetic = " (synthetic)" if study.synthetic else ""
    return f"{sweep.id} · {trials} · data: {sweep.dataset}{synthetic}"


def lead(study: Study) -> str:
    """What was found, in a sentence or two."""
    found, opened = study.standing, study.opened
    if found is None:
        return "No trial has finished: nothing can be said yet."
    if found.established:
        return f"Trial {found.best.number} is the best of {found.trials}, and better than the runner-up."
    if found.rival is None:
        return f"Trial {found.best.number} alone has finished: there is nothing to choose from yet."
    going_on = "" if study.status.over else f" {opened.sweep.name} is still going on."
    return (
        f"Trial {found.best.number} looks best of {found.trials}. That it is better than the runner-up, "
        f"trial {found.rival.number}, is not established.{going_on}"
    )


def _findings(study: Study) -> list[tuple[str, str, str]]:
    """A mark, a sentence, and what it rests on."""
    found, told = study.standing, study.summary
    if found is None or told.best is None:
        return [("note", wording.sentence(_states(study)), "")]
    kind = "better" if found.established else "undecided"
    apart = "" if found.effect is None else f"Difference on the metric: {difference(found)}."
    lines = [(kind, wording.sentence(verdict_on(found)), wording.sentence(apart))]
    lines += [("note", wording.sentence(line), "") for line in study.cautions]
    if found.needed:
        lines.append(("note", wording.sentence(found.needed), ""))
    for name, trial in (("best", told.best), ("runner-up", told.rival)):
        if trial is not None:
            value = measured(trial.mean, trial.error, len(trial.runs))
            lines.append(("note", f"The {name}, trial {trial.number}: {value}.", ", ".join(trial.words)))
    if tied := ties(found):
        lines.append(("note", wording.sentence(tied), ""))
    if found.trials > 1:
        lines.append(("note", wording.sentence(lucky(study.opened, found)), ""))
    return lines


def _states(study: Study) -> str:
    return ", ".join(f"{count} {state}" for state, count in study.status.counts.items()) or "no trials yet"


def _facts(study: Study) -> list[tuple[str, str]]:
    opened, status = study.opened, study.status
    spec = opened.spec
    seeds = many(len(spec.seeds or ()) or 1, "seed")
    members = f"{many(spec.folds, 'fold')} with {seeds}" if spec.folds else seeds
    early = spec.early
    pruned = "nothing: every trial was trained to its end"
    if early is not None:
        none = "" if study.status.counts.get("pruned") else "; no trial was pruned"
        pruned = f"{early.kind}, from epoch {early.min_epochs} on, 1 in {early.factor}{none}"
    drawn = spec.method if spec.method == "grid" else f"{spec.method} ({spec.sampler})"
    return [
        ("trials", _states(study)),
        ("chosen by", f"{scales.measured(opened)}, {spec.goal}d"),
        ("drawn by", drawn),
        ("a trial", members),
        ("pruned by", pruned),
        ("searched", "; ".join(f"{one.key}: {said(one.dimension)}" for one in spec.space.parameters)),
        ("time", _spent(study)),
        ("state", status.over or "going on"),
    ]


def _spent(study: Study) -> str:
    status = study.status
    parts = [f"All trials together took {clock.duration(status.spent)}"]
    if status.usual is not None:
        parts.append(f"a trial {clock.duration(status.usual)} (median)")
    if status.budget is not None:
        parts.append(f"of a budget of {clock.duration(status.budget)}")
    if status.remaining is not None:
        parts.append(f"about {clock.duration(status.remaining)} are left at the pace of the agents at work")
    return f"{'; '.join(parts)}."


def _provenance(study: Study) -> list[tuple[str, str]]:
    sweep = study.opened.sweep
    return [
        ("sweep", sweep.id),
        ("made", sweep.created),
        ("command", sweep.command),
        ("file", f"{sweep.file}, sha256 {sweep.file_sha256}"),
        ("overrides", " ".join(study.opened.base) or "none"),
        ("data", f"{sweep.dataset}, catalog sha256 {sweep.catalog_sha256}"),
        ("split", f"sha256 {sweep.split_sha256}" if sweep.split_sha256 else "as imported"),
        ("trials kept in", sweep.storage or str(study.opened.place.trials.name)),
        ("backend", sweep.backend),
        ("sampler's seed", str(sweep.seed)),
        *(("ignored", line) for line in study.opened.spec.ignored),
    ]


def _file(study: Study) -> str:
    path = study.opened.place.file
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _value(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else scales.text(value)
