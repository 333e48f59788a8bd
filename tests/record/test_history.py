import math
from pathlib import Path

import pytest

from ctexp.core.errors import DataError
from ctexp.record.history import History, read


@pytest.fixture
def history(tmp_path: Path) -> History:
    history = History(tmp_path / "history.csv")
    for epoch in range(4):
        history.append(
            {"epoch": epoch, "step": 10 * (epoch + 1), "train/loss": 1 / (epoch + 3), "gpu_percent": None}
        )
    return history


def test_rows_come_back_with_every_digit(history: History) -> None:
    assert read(history.path) == history.rows
    assert history.rows[1] == {"epoch": 1, "step": 20, "train/loss": 0.25, "gpu_percent": None}
    assert read(history.path)[0]["train/loss"] == 1 / 3


def test_the_file_is_a_plain_table(history: History) -> None:
    lines = history.path.read_text().splitlines()
    assert lines[:2] == ["epoch,step,train/loss,gpu_percent", "0,10,0.3333333333333333,"]
    assert len(lines) == 5


def test_resuming_drops_what_will_be_trained_again(history: History) -> None:
    resumed = History(history.path)
    resumed.truncate_after(1)
    resumed.append({"epoch": 2, "step": 30, "train/loss": 9.0})
    assert [row["epoch"] for row in read(history.path)] == [0, 1, 2]
    assert read(history.path)[2]["train/loss"] == 9.0


def test_resuming_from_the_very_beginning_keeps_no_row(history: History) -> None:
    history.truncate_after(-1)
    assert history.path.read_bytes() == b""
    assert History(history.path).rows == []  # it may be killed again before its first epoch ends
    history.append({"epoch": 0})
    assert read(history.path) == [{"epoch": 0}]


def test_a_column_may_come_later(history: History) -> None:
    history.append({"epoch": 4, "val/loss": 0.5})
    rows = read(history.path)
    assert rows[0]["val/loss"] is None
    assert (rows[4]["val/loss"], rows[4]["step"]) == (0.5, None)


def test_a_diverged_epoch_is_kept_as_it_was(history: History) -> None:
    history.append({"epoch": 4, "train/loss": float("nan"), "lr": float("inf")})
    last = read(history.path)[-1]
    assert last["train/loss"] is not None
    assert math.isnan(last["train/loss"])
    assert last["lr"] == math.inf


@pytest.mark.parametrize("row", [{"epoch": 3.0}, {"epoch": None}, {"loss": 1.0}])
def test_epochs_rise(row: dict[str, float | None], history: History) -> None:
    with pytest.raises(ValueError, match="epoch"):
        history.append(row)
    assert len(read(history.path)) == 4


def test_a_table_of_something_else_names_every_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_bytes(b"epoch,loss\n0,0.5\n1,half\n2\n\0\0\0\n4,1\n,1\n")
    with pytest.raises(DataError) as caught:
        read(path)
    assert [problem.split(": ")[1] for problem in caught.value.problems] == [
        f"line {n}" for n in (3, 4, 5, 7)
    ]
    assert "line 4: 1 cells instead of 2" in caught.value.problems[1]


@pytest.mark.parametrize(
    "content", [b"loss\n1\n", b"\xff\xfe", b"\0" * 20, b"epoch\n" + b"9" * 200_000, b'"epoch' * 30_000]
)
def test_what_is_no_history_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_bytes(content)
    with pytest.raises(DataError, match=r"history\.csv"):
        History(tmp_path / "history.csv")


@pytest.mark.parametrize("content", [None, b"", b"\n"])
def test_no_history_has_no_rows(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "history.csv").write_bytes(content)
    assert read(tmp_path / "history.csv") == []
