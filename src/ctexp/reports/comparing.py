"""The experiments of a page held against one of them, as far as they judged the same images."""

from collections.abc import Callable, Sequence

from ctexp.config.verdict import VerdictSettings
from ctexp.core.errors import CtexpError
from ctexp.core.metric_names import higher_is_better
from ctexp.evaluation.verdicts.compare import compare
from ctexp.evaluation.verdicts.documents import Candidate, Comparison
from ctexp.reports.charts import forest
from ctexp.reports.charts.forest import Difference
from ctexp.reports.charts.svg import Drawing
from ctexp.reports.sheets import Sheet, View
from ctexp.reports.wording import plain, signed


def compared(
    baseline: Sheet,
    others: Sequence[Sheet],
    settings: VerdictSettings,
    progress: Callable[[str, int, int], None] = lambda _step, _done, _total: None,
) -> tuple[Comparison | None, list[str]]:
    """Compare what can be compared; the document, and why some are not in it, one line each.

    Validation images, or those judged out of fold: a page opens no test split.
    """
    notes, fit = [], []
    view = baseline.chosen
    if view is None:
        return None, [f"{baseline.title}: no predictions to compare with"] if others else []
    for sheet in others:
        if sheet.chosen is None:
            notes.append(f"{sheet.title}: not compared, it has no predictions")
        elif _images(sheet.chosen) != _images(view):
            notes.append(f"{sheet.title}: not compared, it judged other images than {baseline.title}")
        else:
            fit.append(sheet.chosen)
    if not fit:
        return None, notes
    try:
        return compare(view.answers, [one.answers for one in fit], settings, progress=progress), notes
    except CtexpError as error:
        return None, [*notes, *(f"not compared: {problem}" for problem in error.problems)]


def _images(view: View) -> set[tuple[str, str]]:
    return set(zip(view.cases.image_id, view.cases.sha256, strict=True))


def plot(candidate: Candidate, baseline: str) -> Drawing | None:
    """The forest plot of one candidate; None where no metric has an interval."""
    rows = []
    for name, its in candidate.metrics.items():
        if its.difference is None or its.low is None or its.high is None:
            continue
        said, higher = signed(its), higher_is_better(f"val/{name}")
        rows.append(Difference(plain(name), its.difference, its.low, its.high, said, its.verdict, higher))
    return forest.chart(f"{candidate.title} against {baseline}", rows) if rows else None
