"""What the panel of the operating point needs: the images for its script, and how it stands before that."""

from typing import Any

import numpy as np
from markupsafe import Markup

from ctexp.evaluation import intervals
from ctexp.evaluation.operating import threshold_at
from ctexp.reports import operating, ranked, wording
from ctexp.reports.build import Report
from ctexp.reports.charts.axes import Axis, Frame
from ctexp.reports.charts.svg import Drawing, number
from ctexp.reports.operating import OperatingPoint
from ctexp.reports.sheets import Sheet, View

_FRAME = Frame(Axis("1 - specificity", 0, 1), Axis("sensitivity", 0, 1), 28, 328)


def panel(report: Report) -> dict[str, Any]:
    """The template's words: `operating` for the script, `start` of the first view, `starts` of all."""
    views: list[dict[str, Any]] = []
    starts: list[dict[str, Any]] = []
    for one in report.judged:
        view, cases = one.view, one.view.cases
        threshold = _threshold(one.sheet, view, report.settings.specificity)
        told = {
            "title": one.sheet.named(view),
            "split": view.split,
            "origin": _origin(threshold, one.sheet, view, report.settings.specificity),
        }
        views.append(told | {"start": threshold} | operating.packed(cases.cancer, view.score, cases.group))
        point = operating.at(cases.cancer, view.score, cases.group, threshold)
        starts.append(
            told
            | {
                "threshold_text": "above all" if threshold > 1 else f"{threshold:.4f}",
                "point": point,
                "curve": "" if starts else _curve(view, point),
            }
        )
    if not starts:
        return {"operating": None, "starts": [], "start": None}
    script = {
        "views": views,
        "z": intervals.Z,
        "few": intervals.FEW,
        "nothing": operating.NOTHING,
    }
    return {"operating": script, "starts": starts, "start": starts[0]}


def _threshold(sheet: Sheet, view: View, specificity: float) -> float:
    """Chosen on validation, or out of fold, after calibration, by the seeds of the view."""
    answers = sheet.choosing(view)
    found = None if answers is None else threshold_at(answers, specificity)
    return operating.NOTHING if found is None else found


def _origin(threshold: float, sheet: Sheet, view: View, specificity: float) -> str:
    if sheet.chosen is None or sheet.choosing(view) is None:
        return "not chosen: not all of these seeds have answers on validation"
    if threshold > 1:
        return "not chosen: no normal image of validation to choose it by"
    asked = f"for a specificity of at least {wording.percent(specificity)}"
    by = "" if len(view.answers.seeds) == len(sheet.chosen.answers.seeds) else " by the same seeds alone"
    return f"chosen {wording.where(sheet.chosen.split)}{by} {asked}"


def _curve(view: View, point: OperatingPoint) -> Markup:
    """The ROC curve of cancer against normal, with a dot at the threshold; the script moves both."""
    drawing = Drawing("ROC curve, cancer against normal", "The dot is the threshold chosen above.", 364)
    _FRAME.draw(drawing)
    drawing.path([_FRAME.at(0, 0), _FRAME.at(1, 1)], "line guess")
    found = ranked.curves(view.cases.cancer, view.score)
    steps = zip(np.nan_to_num(found.false_alarms), np.nan_to_num(found.sensitivity), strict=True)
    path = "L".join(f"{number(x)} {number(y)}" for x, y in (_FRAME.at(*step) for step in steps))
    drawing.add(Markup('<path id="roc-curve" class="line s0" d="M{}"/>').format(path))
    specificity, sensitivity = point.specificity.value, point.sensitivity.value
    x, y = _FRAME.at(1 - (1.0 if specificity is None else specificity), sensitivity or 0.0)
    drawing.add(
        Markup(
            '<circle id="roc-here" class="here" r="7" cx="{}" cy="{}" data-left="{}" data-right="{}" '
            'data-top="{}" data-bottom="{}"/>'
        ).format(number(x), number(y), _FRAME.left, _FRAME.right, _FRAME.top, _FRAME.bottom)
    )
    return drawing.svg()
