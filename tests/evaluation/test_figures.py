from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ctexp.evaluation import figures
from ctexp.evaluation.metrics import point, summarise
from ctexp.evaluation.predictions import Predictions

Split = Callable[..., Predictions]
PHANTOM = "phantom (synthetic)"


def pixels(path: Path) -> Any:
    """The picture as grey values, after checks that it is one, of the right size, with nothing cut off."""
    with Image.open(path) as image:
        assert image.format == "PNG"
        grey = np.asarray(image.convert("L"), dtype=np.int64)
    assert grey.shape == (800, 1200)
    border = np.concatenate([grey[:3].ravel(), grey[-3:].ravel(), grey[:, :3].ravel(), grey[:, -3:].ravel()])
    assert (border == 255).all(), "something reaches the edge"
    assert (grey < 128).sum() > 5000
    return grey


def history(split: Split, epochs: int) -> list[dict[str, Any]]:
    rows = []
    for epoch in range(epochs):
        predictions = split(72, 0.3 * epoch, seed=epoch)
        values = point(predictions.label, predictions.logits)
        rows.append(
            {"epoch": epoch + 1, "learning_rate": 1e-4 / (1 + epoch), "train/loss": 1.4 / (1 + epoch)}
        )
        rows[-1] |= {f"val/{name}": value for name, value in values.items()}
    return rows


def test_curves_mark_the_best_epoch(split: Split, tmp_path: Path) -> None:
    rows = history(split, 8)
    for best in (3, 6):
        marked = [row | {"val/macro_f1": 0.95 if row["epoch"] == best else 0.6} for row in rows]
        figures.curves(marked, tmp_path / f"{best}.png", prefix=PHANTOM)
    # The panel of the learning rate differs only in the dotted lines; it shows epochs 0.5 to 8.5.
    changed = (pixels(tmp_path / "3.png") != pixels(tmp_path / "6.png"))[600:720].any(axis=0)
    where = (np.flatnonzero(changed) - 97) / (1190 - 97) * 8 + 0.5
    assert set(where.round()) == {3, 6}


def test_the_best_loss_is_the_lowest(split: Split, tmp_path: Path) -> None:
    rows = [row | {"val/loss": loss} for row, loss in zip(history(split, 3), (0.9, 0.3, 0.6), strict=True)]
    figures.curves(rows, tmp_path / "loss.png", monitor="val/loss")
    figures.curves(
        [row | {"val/ece": row["val/loss"]} for row in rows], tmp_path / "f1.png", monitor="val/ece"
    )
    dotted = [
        (pixels(tmp_path / name)[600:720, 560:730] < 160).sum(axis=0) for name in ("loss.png", "f1.png")
    ]
    for column in dotted:  # epoch 2 of 3 is in the middle
        assert column.max() > 40


def test_curves_of_one_epoch_and_of_gaps(split: Split, tmp_path: Path) -> None:
    rows = history(split, 5)
    figures.curves(rows[:1], tmp_path / "one.png")
    pixels(tmp_path / "one.png")
    rows[1]["val/macro_f1"] = None
    rows[2]["val/loss"] = float("nan")
    rows[3]["train/loss"] = float("inf")
    del rows[4]["val/auroc"]
    figures.curves(rows, tmp_path / "gaps.png", monitor="val/recall_normal")
    pixels(tmp_path / "gaps.png")


def test_curves_without_a_value_to_choose_by(tmp_path: Path) -> None:
    rows = [{"epoch": 1, "learning_rate": 0.1, "train/loss": float("nan")}]
    figures.curves(rows, tmp_path / "none.png")
    pixels(tmp_path / "none.png")


@pytest.mark.parametrize("n", [4, 72, 100_000])
def test_confusion_is_legible_for_few_and_many(split: Split, tmp_path: Path, n: int) -> None:
    predictions = split(n, 1.5)
    matrix = summarise(predictions, "val", resamples=2)["confusion"] if n < 1000 else [[n] * 4] * 4
    figures.confusion(matrix, tmp_path / "confusion.png", split="test", prefix=PHANTOM)
    pixels(tmp_path / "confusion.png")


def test_a_confused_and_a_perfect_model_look_different(tmp_path: Path) -> None:
    figures.confusion(np.diag([20, 10, 15, 9]), tmp_path / "perfect.png")
    figures.confusion(np.diag([20, 10, 15, 9])[::-1], tmp_path / "confused.png")
    perfect, confused = (pixels(tmp_path / f"{name}.png") for name in ("perfect", "confused"))
    # Dark cells run down the diagonal of one and up that of the other.
    for picture, first, last in ((perfect, True, False), (confused, False, True)):
        cells = picture[120:670, 240:1000]
        assert (np.median(cells[:120, :160]) < 100) == first
        assert (np.median(cells[:120, -160:]) < 100) == last


@pytest.mark.parametrize("skill", [0.0, 2.0, 60.0])
def test_reliability_of_unsure_and_of_certain_models(split: Split, tmp_path: Path, skill: float) -> None:
    predictions = split(72, skill)
    figures.reliability(predictions, tmp_path / "r.png", prefix=PHANTOM)
    pixels(tmp_path / "r.png")


def test_figures_are_the_same_each_time(split: Split, tmp_path: Path) -> None:
    predictions = split(72, 1)
    for name in ("one.png", "two.png"):
        figures.reliability(predictions, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.png", "two.png"]


def test_drawing_leaves_no_figure_open(split: Split, tmp_path: Path) -> None:
    from matplotlib import pyplot

    predictions = split(30, 1)
    figures.reliability(predictions, tmp_path / "r.png")
    figures.confusion(np.eye(4), tmp_path / "c.png")
    assert pyplot.get_fignums() == []
