"""The charts of one experiment, each with what it shows in words."""

from collections.abc import Sequence

import numpy as np

from ctexp.core.classes import CLASSES
from ctexp.core.wording import many
from ctexp.record.calibration import HIGHEST, LOWEST
from ctexp.reports import ranked
from ctexp.reports.charts import lines, reliability
from ctexp.reports.charts.axes import Axis
from ctexp.reports.charts.lines import Line
from ctexp.reports.charts.svg import Drawing
from ctexp.reports.operating import Share, share
from ctexp.reports.sheets import Member, Sheet, View
from ctexp.reports.wording import plain

_LOSSES = {"train/loss": "training", "val/loss": "validation"}
_METRICS = {"val/macro_f1": "macro F1", "val/accuracy": "accuracy", "val/miss_rate": "miss rate"}


def learning(sheet: Sheet) -> list[Drawing]:
    """Loss and validation metrics over epochs, a line for each run; none where nothing was trained."""
    trained = [member for member in sheet.members if member.epochs]
    if not trained:
        return []
    last = max(float(member.epochs[-1]["epoch"] or 0) for member in trained)
    x = Axis("epoch", 0, max(last, 1.0), whole=True)
    seen = [row[key] for member in trained for row in member.epochs for key in _LOSSES if row.get(key)]
    finite = [value for value in seen if value is not None and np.isfinite(value)]
    runs = "" if len(trained) == 1 else f", {len(trained)} runs"
    best = _best_epoch(trained[0]) if len(trained) == 1 else None
    said = "The dotted line is the best epoch." if best else ""
    return [
        lines.chart(
            f"Loss over {many(int(last), 'epoch')}{runs}",
            f"{_course(trained, _LOSSES)} {said}".strip(),
            x,
            Axis("loss", 0, min(max(1.05 * max(finite, default=1.0), 0.01), 1e300)),
            _over_epochs(trained, _LOSSES),
            at=best,
        ),
        lines.chart(
            f"Validation over {many(int(last), 'epoch')}{runs}",
            f"{_course(trained, _METRICS)} {said}".strip(),
            x,
            Axis("metric", 0, 1),
            _over_epochs(trained, _METRICS),
            at=best,
        ),
    ]


def _over_epochs(trained: Sequence[Member], columns: dict[str, str]) -> list[Line]:
    found = []
    for index, (column, name) in enumerate(columns.items()):
        for run, member in enumerate(trained):
            xs = [float(row["epoch"] or 0) for row in member.epochs]
            ys = [row.get(column) for row in member.epochs]
            found.append(Line("" if run else name, xs, ys, f"s{index}"))
    return found


def _course(trained: Sequence[Member], columns: dict[str, str]) -> str:
    """Where each line begins and ends, for the first run."""
    told = []
    for column, name in columns.items():
        values = [row.get(column) for row in trained[0].epochs]
        known = [value for value in values if value is not None and np.isfinite(value)]
        if known:
            told.append(f"{name} from {known[0]:.3f} to {known[-1]:.3f}")
    return ("" if len(trained) == 1 else "First run: ") + ", ".join(told) + "."


def _best_epoch(member: Member) -> float | None:
    """The first epoch with the best macro F1, by which checkpoints are chosen unless configured otherwise."""
    known = [
        (float(row["epoch"] or 0), value)
        for row in member.epochs
        if (value := row.get("val/macro_f1")) is not None and np.isfinite(value)
    ]
    return max(known, key=lambda pair: pair[1])[0] if known else None


def ranking(view: View) -> list[Drawing]:
    """ROC and precision-recall curves of each class against the rest, and of cancer against normal."""
    probabilities, labels = view.cases.probabilities, view.cases.label
    kinds = {plain(name): (labels == k, probabilities[:, k]) for k, name in enumerate(CLASSES)}
    kinds |= {"cancer, against normal": (view.cases.cancer, view.score)}
    found = {name: ranked.curves(*its) for name, its in kinds.items()}
    known = {name: its for name, its in found.items() if np.isfinite(its.auroc)}
    roc = [Line("", [0, 1], [0, 1], "guess")]
    precise = []
    for index, (name, its) in enumerate(known.items()):
        kind = f"s{index}"
        roc.append(Line(f"{name}: area {its.auroc:.3f}", list(its.false_alarms), list(its.sensitivity), kind))
        label = f"{name}: {its.auprc:.3f} (a guess {its.share:.2f})"
        precise.append(Line(label, list(its.sensitivity[1:]), list(its.precision[1:]), kind))
    areas = "; ".join(line.name for line in roc if line.name)
    averages = "; ".join(line.name for line in precise)
    return [
        lines.chart(
            "ROC curves",
            f"Area under the curve, each class against the rest: {areas}.",
            Axis("1 - specificity (false alarms)", 0, 1),
            Axis("sensitivity", 0, 1),
            roc,
            square=True,
        ),
        lines.chart(
            "Precision and recall",
            f"Average precision, each class against the rest: {averages}.",
            Axis("recall (sensitivity)", 0, 1),
            Axis("precision (PPV)", 0, 1),
            precise,
            square=True,
        ),
    ]


def calibration(view: View) -> list[Drawing]:
    """Reliability as trained and, where the temperature is known, after scaling."""
    cases, trained = view.cases, view.answers.joint.probabilities
    found = [reliability.chart("As trained", cases.label, trained, cases.group)]
    if cases.temperature is not None:
        limit = ", as far as it may go" if cases.temperature in (LOWEST, HIGHEST) else ""
        title = f"After temperature scaling ({cases.temperature:.2f}{limit})"
        found.append(reliability.chart(title, cases.label, cases.probabilities, cases.group))
    return found


def confusion(view: View) -> list[list[Share]]:
    """What images of each true class (a row) were called: counts and shares of the row with intervals."""
    labels, called, groups = view.cases.label, view.cases.called, view.cases.group
    table = []
    for k in range(len(CLASSES)):
        of_class = labels == k
        table.append([share(called[of_class] == j, groups[of_class]) for j in range(len(CLASSES))])
    return table
