"""The charts: what they show stands in them in words, and numbers lie where they should."""

import math
import re

import numpy as np
import pytest
from sklearn import metrics as reference

from ctexp.reports import ranked
from ctexp.reports.charts import forest, lines, reliability
from ctexp.reports.charts.axes import Axis, Frame
from ctexp.reports.charts.forest import Difference
from ctexp.reports.charts.lines import Line
from ctexp.reports.charts.svg import WIDTH, Drawing


def coordinates(svg: str) -> list[float]:
    return [float(x) for x in re.findall(r' (?:x1|x2|x|cx)="([-\d.]+)"', svg)]


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 0.037), (-0.2, 0.2), (0, 98765)])
def test_ticks_are_round_and_inside(low: float, high: float) -> None:
    ticks = Axis("x", low, high).ticks()
    assert 2 <= len(ticks) <= 7
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in ticks)
    steps = np.diff(ticks)
    assert np.allclose(steps, steps[0])
    assert round(steps[0] / 10 ** math.floor(math.log10(steps[0]) + 1e-9), 6) in {1, 2, 5}


def test_epochs_are_whole() -> None:
    assert Axis("epoch", 0, 3, whole=True).ticks() == [0, 1, 2, 3]


def test_a_frame_keeps_what_lies_outside_on_its_edge() -> None:
    frame = Frame(Axis("x", 0, 1), Axis("y", 0, 1), 10, 110, left=20, right=120)
    assert frame.at(0.5, 0.25) == (70, 85)
    assert frame.at(7, -3) == (120, 110)


def test_a_gap_breaks_a_line_and_a_long_one_is_thinned() -> None:
    xs = list(range(3000))
    ys = [None if x == 1500 else float(x) for x in xs]
    drawn = lines.chart("t", "d", Axis("x", 0, 3000), Axis("y", 0, 3000), [Line("n", xs, ys, "s0")]).svg()
    paths = re.findall(r'<path d="M([^"]+)" class="line s0"', drawn)
    assert len(paths) == 3  # two pieces, and the legend's sample
    assert all(path.count("L") < 240 for path in paths)


def test_words_of_users_are_text_and_the_title_is_read_aloud() -> None:
    drawing = Drawing("<b>", "&", 10)
    drawing.text((1, 1), "<script>", '" onload="x')
    svg = drawing.svg()
    assert "<script>" not in svg
    assert 'onload="x"' not in svg
    assert 'role="img" aria-label="&lt;b&gt;. &amp;"' in svg


def test_a_forest_shows_every_verdict_in_words_and_stays_on_the_sheet() -> None:
    rows = [
        Difference("accuracy", -0.4, -0.9, 0.1, "said", "worse"),
        Difference("f1", 0, 0, 0, "0", "undecided"),
    ]
    svg = forest.chart("a against b", rows).svg()
    assert "accuracy said, worse" in svg
    assert all(f">{verdict}</text>" in svg for verdict in ("worse", "undecided"))
    assert all(0 <= x <= WIDTH for x in coordinates(svg))


def whiskers(svg: str) -> list[tuple[float, float]]:
    found = re.findall(r'<line x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="([\d.]+)" class="whisker', svg)
    return [(float(x1), float(x2)) for x1, y1, x2, y2 in found if y1 == y2]


def test_a_forest_keeps_signs_and_says_for_each_row_which_side_is_better() -> None:
    rows = [
        Difference("miss rate", 0.1, 0.05, 0.15, "+0.100", "worse", higher=False),
        Difference("f1", 0.1, 0.05, 0.15, "+0.100", "better"),
    ]
    drawn = forest.chart("a against b", rows)
    svg = drawn.svg()
    assert all(low > WIDTH / 2 and high > low for low, high in whiskers(svg))
    assert svg.index("miss rate</text>") < svg.index("← lower is better") < svg.index("f1</text>")
    assert "higher is better →" in svg
    assert "miss rate +0.100, worse, lower is better" in drawn.description


def test_one_wide_interval_is_cut_with_an_arrow_and_leaves_the_others_their_size() -> None:
    usual = [Difference(name, 0.02, -0.08, 0.12, "said", "undecided") for name in ("a", "b", "c")]
    wide = Difference("d", 0.1, -0.9, 1.0, "said", "undecided")
    alone, together = (forest.chart("t", rows).svg() for rows in (usual, [*usual, wide]))
    assert "goes on" not in alone
    assert "an arrow: the interval goes on" in together
    (low, high), *_, (left, right) = whiskers(together)
    assert high - low > WIDTH / 4
    assert (left, right) == (14, WIDTH - 14)
    slanted = re.findall(r'<line x1="(\S+)" y1="(\S+)" x2="\S+" y2="(?!\2")\S+" class="whisker', together)
    assert sorted(float(x) for x, _ in slanted) == [14, 14, WIDTH - 14, WIDTH - 14]


def test_no_words_of_a_forest_stand_where_its_lines_are_drawn() -> None:
    rows = [Difference("balanced accuracy", 0.02, -0.08, 0.12, "said", "undecided")] * 3
    svg = forest.chart("t", rows).svg()
    written = [float(y) for y in re.findall(r'<text x="\S+" y="([\d.]+)"', svg)]
    drawn = [
        (float(a), float(b)) for a, b in re.findall(r'<line x1="\S+" y1="(\S+)" x2="\S+" y2="(\S+)"', svg)
    ]
    assert all(base <= min(ends) or base - 10 >= max(ends) for base in written for ends in drawn)


def test_reliability_says_each_bin_with_its_interval() -> None:
    labels = np.array([0] * 10)
    probabilities = np.tile([0.75, 0.15, 0.05, 0.05], (10, 1))
    drawn = reliability.chart("t", labels, probabilities, np.arange(10))
    assert drawn.description == "Calibration error 0.250. 75% sure: 100% of 10 right (72% to 100%)"


def test_curves_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(3)
    positive = random.random(200) < 0.3
    score = np.floor(100 * random.random(200) + 40 * positive) / 100  # with ties
    found = ranked.curves(positive, score)
    alarms, sensitivity, _ = reference.roc_curve(positive, score, drop_intermediate=False)
    assert np.allclose(found.false_alarms, alarms, atol=1e-12)
    assert np.allclose(found.sensitivity, sensitivity, atol=1e-12)
    precision, recall, _ = reference.precision_recall_curve(positive, score)
    assert np.allclose(found.precision[1:], precision[:-1][::-1], atol=1e-12)
    assert np.allclose(found.sensitivity[1:], recall[:-1][::-1], atol=1e-12)
    assert found.auroc == pytest.approx(reference.roc_auc_score(positive, score), abs=1e-12)
    assert found.auprc == pytest.approx(reference.average_precision_score(positive, score), abs=1e-12)


def test_a_class_without_images_has_no_curve() -> None:
    assert math.isnan(ranked.curves(np.zeros(4, dtype=bool), np.arange(4.0)).auroc)
