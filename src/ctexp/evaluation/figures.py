"""The pictures: curves over epochs, the confusion matrix, the reliability diagram, features' importances.

PNG, 1200 x 800 pixels, higher for many features, in the colour-blind safe palette of Okabe & Ito.
Matplotlib's objects are used directly: no pyplot, no window, no state shared with others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ctexp.core.classes import CLASSES
from ctexp.core.files import replacing
from ctexp.core.metric_names import higher_is_better
from ctexp.core.wording import many
from ctexp.evaluation import intervals, scores
from ctexp.evaluation.predictions import Predictions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BLUE, _ORANGE, _GREEN, _PURPLE, _SKY, _GREY = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#666666",
)
_MAIN = ("macro_f1", "balanced_accuracy", "accuracy", "auroc")
_COLOURS = (_BLUE, _ORANGE, _GREEN, _PURPLE, _GREY)
_MARKERS = ("o", "s", "^", "D", "v")  # a second sign, for those who see no colours and for printers


def curves(
    history: Sequence[Mapping[str, Any]], path: Path, monitor: str = "val/macro_f1", prefix: str = ""
) -> None:
    """Draw losses, validation metrics and the learning rate over epochs, the best epoch marked.

    Args:
        history: a row per epoch, at least one, with `epoch`, `learning_rate`, `train/loss`, `val/<metric>`;
            None, NaN or an absent key leaves a gap.
        path: the PNG to write.
        monitor: the metric that chooses the best epoch; the first of equals is the best.
        prefix: what the title begins with, for example `phantom (synthetic)`.
    """
    from matplotlib.ticker import MaxNLocator

    figure = _figure()
    grid = figure.add_gridspec(2, 2, height_ratios=(3, 1))
    epochs = _column(history, "epoch")
    best = _best(_column(history, monitor), not higher_is_better(monitor))

    losses = figure.add_subplot(grid[0, 0])
    _lines(losses, epochs, {f"{split} loss": _column(history, f"{split}/loss") for split in ("train", "val")})
    losses.set_ylabel("loss")

    names = [f"val/{name}" for name in _MAIN]
    if monitor not in (*names, "val/loss"):
        names.append(monitor)
    columns = {_readable(name): _column(history, name) for name in names}
    metrics = figure.add_subplot(grid[0, 1], sharex=losses)
    _lines(metrics, epochs, columns)
    metrics.set_ylabel("validation metric")
    lowest = np.nanmin([0.9, *np.concatenate(list(columns.values()))])
    metrics.set_ylim(np.floor(lowest * 10) / 10 - 0.02, 1.02)

    rate = figure.add_subplot(grid[1, :], sharex=losses)
    rate.plot(epochs, _column(history, "learning_rate"), color=_GREY, marker=".", linewidth=1.5)
    rate.set_ylabel("learning rate")
    rate.ticklabel_format(axis="y", scilimits=(-2, 3))
    rate.set_ylim(bottom=0)
    rate.set_xlim(epochs[0] - 0.5, epochs[-1] + 0.5)
    _tidy(rate)

    title = f"Training, {many(len(history), 'epoch')}"
    if best is not None:
        for axes in (losses, metrics, rate):
            axes.axvline(epochs[best], color=_GREY, linestyle=":", linewidth=1.5, zorder=0)
        value = _column(history, monitor)[best]
        title += f", best {_readable(monitor)} {value:.3f} at epoch {epochs[best]:.0f} (dotted)"
    for axes in (losses, metrics, rate):
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    figure.suptitle(_title(prefix, title), fontsize=12)
    _save(figure, path)


def confusion(matrix: ArrayLike, path: Path, split: str = "val", prefix: str = "") -> None:
    """Draw a confusion matrix: counts, and shares of each true class as percentages and colour.

    Args:
        matrix: counts `(4, 4)`, rows the truth, columns the prediction.
        path: the PNG to write.
        split: for the title.
        prefix: what the title begins with.
    """
    counts = np.asarray(matrix, dtype=np.int64)
    totals = counts.sum(axis=1)
    shares = np.divide(counts, totals[:, None], out=np.zeros(counts.shape), where=totals[:, None] > 0)
    figure = _figure()
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(*counts.shape):
        ink = "white" if shares[row, column] > 0.55 else "black"
        share = f"{shares[row, column]:.0%}" if totals[row] else "–"
        number = f"{counts[row, column]}"
        axes.text(column, row - 0.02, number, ha="center", va="bottom", fontsize=16, color=ink)
        axes.text(column, row + 0.08, share, ha="center", va="top", fontsize=10, color=ink)
    names = [name.replace("_", " ").replace(" carcinoma", "\ncarcinoma") for name in CLASSES]
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(names)), [f"{name}\n(n = {n})" for name, n in zip(names, totals, strict=True)])
    axes.set_xlabel("predicted", fontsize=12, labelpad=8)
    axes.set_ylabel("truth", fontsize=12, labelpad=8)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    edges = np.arange(len(names) + 1) - 0.5
    axes.set_xticks(edges, minor=True)
    axes.set_yticks(edges, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="minor", length=0)
    bar = figure.colorbar(image, ax=axes, label="share of the true class", format=lambda x, _: f"{x:.0%}")
    bar.outline.set_visible(False)
    axes.set_title(_title(prefix, f"Confusion matrix, {split}, {counts.sum()} images"), fontsize=12, pad=12)
    _save(figure, path)


def reliability(predictions: Predictions, path: Path, split: str = "val", prefix: str = "") -> None:
    """Draw how often the model is right by how sure it says it is, with the images in each bin.

    Args:
        predictions: the split's table.
        path: the PNG to write.
        split: for the title.
        prefix: what the title begins with.
    """
    probabilities, labels = predictions.probabilities, predictions.label
    confidence, bins = scores.confidence_bins(probabilities)
    right = probabilities.argmax(axis=1) == labels
    count = np.bincount(bins, minlength=scores.ECE_BINS)
    used = np.flatnonzero(count)
    groups = predictions.groups
    mean = np.array([confidence[bins == b].mean() for b in used])
    accuracy = np.array([right[bins == b].mean() for b in used])
    worth = [count[b] / intervals.design_effect(right[bins == b], groups[bins == b]) for b in used]
    bounds = np.array([intervals.wilson(a, n) for a, n in zip(accuracy, worth, strict=True)])
    gaps = scores.calibration_gaps(labels, probabilities, np.ones((1, len(labels))))
    ece = float(np.abs(gaps).sum())

    figure = _figure()
    grid = figure.add_gridspec(2, 1, height_ratios=(3, 1))
    axes = figure.add_subplot(grid[0])
    axes.plot([0, 1], [0, 1], color=_GREY, linestyle="--", linewidth=1.2, label="perfect calibration")
    axes.errorbar(
        mean,
        accuracy,
        yerr=np.abs(bounds.T - accuracy),
        color=_BLUE,
        ecolor=_SKY,
        fmt="o",
        capsize=3,
        label="images of a bin, with 95 % Wilson interval",
    )
    axes.set_ylim(-0.02, 1.04)
    axes.set_ylabel("accuracy")
    axes.legend(loc="upper left", framealpha=0.85, edgecolor="none")
    title = f"Reliability, {split}, {len(labels)} images, ECE {ece:.3f}"
    axes.set_title(_title(prefix, title), fontsize=12, pad=10)

    below = figure.add_subplot(grid[1], sharex=axes)
    width = 1 / scores.ECE_BINS
    drawn = below.bar((np.arange(scores.ECE_BINS) + 0.5) * width, count, width * 0.9, color=_BLUE)
    below.bar_label(drawn, [str(n) if n else "" for n in count], fontsize=9, padding=1)
    below.set_ylim(0, count.max() * 1.25)
    below.set_xlim(0, 1.01)
    below.set_ylabel("images")
    below.set_xlabel("confidence: probability of the predicted class")
    axes.tick_params(labelbottom=False)
    for panel in (axes, below):
        _tidy(panel)
    _save(figure, path)


def importances(
    columns: Sequence[tuple[str, float, float, float]], path: Path, threshold: float, prefix: str = ""
) -> None:
    """Draw how much a network relies on each column, with intervals, the most important first.

    Args:
        columns: name, rise of log-loss in nats, and its interval's ends, at least one.
        path: the PNG to write.
        threshold: what the interval of a top feature lies above.
        prefix: what the title begins with.
    """
    figure = _figure()
    figure.set_figheight(max(16 / 3, 0.17 * len(columns)))
    axes = figure.add_subplot()
    names = [name for name, *_ in columns]
    values, lows, highs = np.array([numbers for _, *numbers in columns]).T
    colours = [_BLUE if low > threshold else _GREY for low in lows]
    places = np.arange(len(names))
    axes.barh(places, values, color=colours, height=0.7)
    axes.hlines(places, lows, highs, color="black", linewidth=1.2)
    axes.axvline(threshold, color="black", linestyle=":", linewidth=1.2)
    axes.set_yticks(places, names, fontsize=7)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel("rise of validation log-loss when the column is permuted, nats, with 95 % interval")
    _tidy(axes)
    top = int((lows > threshold).sum())
    text = f"Importance of {len(names)} features; {top} lie above {threshold:g} (blue)"
    figure.suptitle(_title(prefix, text), fontsize=12)
    _save(figure, path)


def _figure() -> Figure:
    """An empty figure of 1200 x 800 pixels whose layout leaves room for every label."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 16 / 3), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Figure, path: Path) -> None:
    """Write the figure as PNG, atomically; the canvas's own way, since `savefig` draws everything twice."""
    canvas: Any = figure.canvas  # Agg's, as `_figure` made it
    with replacing(path) as temporary:
        canvas.print_png(temporary)


def _lines(axes: Axes, epochs: NDArray[np.float64], columns: Mapping[str, NDArray[np.float64]]) -> None:
    """One marked line for each column, and the legend."""
    for (name, values), colour, marker in zip(columns.items(), _COLOURS, _MARKERS, strict=False):
        axes.plot(epochs, values, color=colour, marker=marker, markersize=3.5, linewidth=1.5, label=name)
    axes.legend(fontsize=9, framealpha=0.85, edgecolor="none")
    _tidy(axes)


def _tidy(axes: Axes) -> None:
    """A light grid, and no frame where there is no axis."""
    axes.grid(color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _column(history: Sequence[Mapping[str, Any]], name: str) -> NDArray[np.float64]:
    """A column of the history as floats, NaN where a row has no finite value."""
    values = np.array([np.nan if row.get(name) is None else row[name] for row in history], dtype=np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def _best(values: NDArray[np.float64], lower: bool) -> int | None:
    """The first row with the best finite value."""
    if not np.isfinite(values).any():
        return None
    return int(np.nanargmin(values) if lower else np.nanargmax(values))


def _readable(metric: str) -> str:
    """`val/macro_f1` as `macro F1`."""
    name = metric.removeprefix("val/").replace("_", " ").replace("f1", "F1")
    return name.upper() if name in {"auroc", "auprc", "mcc", "ece"} else name


def _title(prefix: str, text: str) -> str:
    """The title, on two lines where it begins with a prefix."""
    return f"{prefix}\n{text}" if prefix else text
