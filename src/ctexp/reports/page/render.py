"""A report as one HTML file: hostile names stay text, and nothing in it asks for the network."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from ctexp.core import clock
from ctexp.core.classes import CLASSES
from ctexp.core.page import template
from ctexp.core.wording import many
from ctexp.evaluation.verdicts.costs import cost
from ctexp.reports import comparing, pictures, provenance, statements, wording
from ctexp.reports.build import Judged, Report
from ctexp.reports.page import panel
from ctexp.reports.sheets import Sheet, View

HEADLINE = ("macro_f1", "balanced_accuracy", "accuracy", "auroc", "miss_rate", "ece")
"""The metrics of the table at a glance."""

_HERE = Path(__file__).parent
_KINDS = {"run": "one run", "cross-validation": "cross-validation"}


def render(report: Report, moment: datetime) -> str:
    """The page.

    Args:
        report: what stands on it.
        moment: when it is written; all else depends on the records alone.
    """
    filters = {
        "plain": wording.plain,
        "amount": many,
        "percent": wording.percent,
        "bounds": wording.bounds,
        "three": wording.three,
        "p": wording.p_value,
        "sentence": wording.sentence,
        "signed": wording.signed,
        "apart": statements.apart,
        "interval": wording.interval,
        "points": wording.points,
        "unit": wording.unit,
        "minutes": wording.minutes,
    }
    titles = [sheet.title for sheet in report.sheets]
    return template(_HERE, filters).render(
        title=_title(titles),
        subtitle=_subtitle(report),
        sections=_sections(report),
        lead=report.lead,
        verdict=list(report.verdict.items()),
        warnings=report.warnings,
        headline=HEADLINE,
        glance=[_glance(sheet) for sheet in report.sheets],
        comparison=report.comparison,
        forests=_forests(report),
        learning=[(sheet.title, pictures.learning(sheet)) for sheet in report.sheets],
        judged=[_told(one) for one in report.judged],
        averaged=_averaged(report.judged),
        classes=CLASSES,
        costs=[(sheet.title, cost(sheet.subject, _split(sheet))) for sheet in report.sheets],
        looks=report.looks,
        provenance=[(m.run.id, provenance.facts(m)) for sheet in report.sheets for m in sheet.members],
        style=_own("style.css"),
        script=_own("slider.js"),
        written=clock.iso(moment),
        **panel.panel(report),
    )


def _own(name: str) -> Markup:
    """A file of ours that goes into the page as it is."""
    return Markup((_HERE / name).read_text(encoding="utf-8"))  # noqa: S704 - not a word of a user is in it


def _title(titles: Sequence[str]) -> str:
    return f"Verdict on {titles[0]}" if len(titles) == 1 else f"Verdict on {len(titles)} experiments"


def _subtitle(report: Report) -> str:
    datasets = sorted(
        {
            f"{manifest.dataset.name}{' (synthetic)' if manifest.dataset.synthetic else ''}"
            for sheet in report.sheets
            if (manifest := sheet.manifest)
        }
    )
    runs = sum(len(sheet.members) for sheet in report.sheets)
    parts = [many(runs, "run"), f"data: {', '.join(datasets)}" if datasets else "", report.asked]
    return " · ".join(part for part in parts if part)


def _sections(report: Report) -> list[tuple[str, str]]:
    found = [("learned", "Verdict"), ("glance", "At a glance")]
    if report.comparison:
        found.append(("comparison", "Comparison"))
    if report.judged:
        found.append(("operating", "Operating point"))
    found.append(("training", "Training"))
    if report.judged:
        found += [("confusion", "Confusion"), ("calibration", "Calibration"), ("ranking", "ROC and PR")]
        found += [("mistakes", "Mistakes"), ("slices", "Slices")]
    return [*found, ("cost", "Cost"), ("provenance", "Provenance"), ("warnings", "Warnings")]


def _glance(sheet: Sheet) -> dict[str, Any]:
    view, manifest = sheet.chosen, sheet.manifest
    seeds = many(len(view.answers.seeds), "seed") if view else many(len(sheet.members), "run")
    return {
        "title": sheet.title,
        "kind": _KINDS.get(sheet.subject.kind, seeds),
        "network": manifest.model.name if manifest else "–",
        "images": f"{view.images:,} {wording.plain(view.split)}" if view else "–",
        "cells": [(view.entry(name), _range(view, name)) if view else (None, "") for name in HEADLINE],
    }


def _range(view: View, name: str) -> str:
    """The lowest and the highest seed; empty where there is one alone."""
    values = [its[name] for its in view.points if np.isfinite(its[name])]
    return f"seeds {min(values):.3f} to {max(values):.3f}" if len(values) > 1 else ""


def _forests(report: Report) -> list[Any]:
    document = report.comparison
    if document is None:
        return []
    drawn = (comparing.plot(candidate, document.baseline.title) for candidate in document.candidates)
    return [drawing for drawing in drawn if drawing]


def _told(one: Judged) -> dict[str, Any]:
    return {
        "title": one.sheet.named(one.view),
        "split": one.view.split,
        "images": one.view.images,
        "confusion": pictures.confusion(one.view),
        "calibration": pictures.calibration(one.view),
        "ranking": pictures.ranking(one.view),
        "mistakes": one.mistakes,
        "wrong": int(one.view.cases.wrong.sum()),
        "slices": one.slices,
    }


def _averaged(judged: Sequence[Judged]) -> str:
    """Whose answers stand in the sections on single images, where that is not who stands in the tables."""
    several = {len(one.view.answers.seeds) for one in judged if len(one.view.answers.seeds) > 1}
    if not several:
        return ""
    who = f"the {several.pop()} seeds" if len(several) == 1 else "each experiment's seeds"
    return f"Answers of {who} averaged; the tables above are means of single networks."


def _split(sheet: Sheet) -> str:
    return "val" if sheet.chosen is None else sheet.chosen.split
