"""A cross-validation whose folds, or which itself, are killed and stopped, and gone on with."""

import json
import os
import signal
from pathlib import Path

import pytest

from ctexp.core.paths import splits_folder
from ctexp.data.selection import select
from ctexp.evaluation.predictions import Predictions
from ctexp.record.cross_validation import CrossValidation, EnsembleList
from ctexp.record.find import run_paths
from ctexp.record.run_dir import RunDir
from tests.cli.test_cross_validate import WORDS, cross_validate, essence, newest, project_of, start
from tests.waiting import until


def training_of(project: Path, number: int) -> int | None:
    """The process of the run that was begun as the `number`-th, once it has a checkpoint."""
    runs = [RunDir(path) for path in run_paths(project / "runs")]
    if len(runs) < number or not (runs[number - 1].checkpoints / "last.ckpt").exists():
        return None
    holder = json.loads((runs[number - 1].path / "lock").read_text())["pid"]
    return int(holder) if runs[number - 1].lock().is_held() else None


LONG = (*WORDS[:-4], "trainer.max_epochs=12", "optimizer.lr=0.01", "logger=none")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_killed_fold_leaves_the_others_alone_and_is_gone_on_with(tmp_path: Path) -> None:
    project = project_of(tmp_path, folds=2)
    cross_validate(project, *LONG)
    expected = essence(newest(project))

    with start(project, *LONG) as process:
        os.kill(until(lambda: training_of(project, 3), 300), signal.SIGKILL)
        out, err = process.communicate(timeout=560)
    assert process.returncode == 12, out + err
    place = newest(project)
    assert [m.state for m in CrossValidation.read(place.record).members] == ["interrupted", "finished"]
    assert "fold 0, seed 42 interrupted" in err
    assert f"scripts/inv cross-validate --resume {place.id}" in err
    missing = json.loads(place.metrics.read_text())["coverage"]["missing"]
    split = select(project / "data", splits_folder(project), "tiny", "kfold", 0)
    assert missing == sorted(row.image_id for row in split.rows["val"])
    assert len(Predictions.read(place.predictions).image_id) == 42 - len(missing)
    assert f"{len(missing)} images not judged" in out
    assert len(EnsembleList.read(place.ensemble).members) == 1

    cross_validate(project, "--resume", place.id)

    assert essence(place) == expected
    runs = [RunDir(path) for path in run_paths(project / "runs")[2:]]
    assert [run.attempt_numbers() for run in runs] == [[1, 2], [1]]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_after_a_checkpoint_and_says_how_to_go_on(
    tmp_path: Path, signum: signal.Signals
) -> None:
    project = project_of(tmp_path, folds=2)
    with start(project, *LONG, "--json") as process:
        child = until(lambda: training_of(project, 1), 300)
        process.send_signal(signum)
        out, err = process.communicate(timeout=560)
    assert process.returncode == 128 + signum, out + err
    place = newest(project)
    assert not Path(f"/proc/{child}").exists()
    assert json.loads(out)["error"]["hint"] == f"scripts/inv cross-validate --resume {place.id}"
    first, second = CrossValidation.read(place.record).members
    assert (first.state, first.exit_code) == ("interrupted", 128 + signum)
    assert (second.state, second.run_id) == ("pending", None)
    assert not place.metrics.exists()

    cross_validate(project, "--resume", "latest")
    assert [m.state for m in CrossValidation.read(place.record).members] == ["finished", "finished"]
    assert len(run_paths(project / "runs")) == 2


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_where_the_whole_thing_is_killed_nobody_trains_the_same_fold_twice(tmp_path: Path) -> None:
    project = project_of(tmp_path, folds=2)
    # Not a pipe: the training that is left alone would end where nobody reads it.
    with (tmp_path / "said").open("w") as said, start(project, *LONG, stderr=said) as process:
        child = until(lambda: training_of(project, 1), 300)
        os.kill(child, signal.SIGSTOP)  # so that it is still there when we look
        process.kill()
    try:
        _, err = cross_validate(project, "--resume", "latest", code=75)
        assert "is in use by" in err
    finally:
        os.kill(child, signal.SIGCONT)
    until(lambda: not newest(project).lock().is_held(), 300)

    cross_validate(project, "--resume", "latest")

    runs = [RunDir(path) for path in run_paths(project / "runs")]
    assert [run.attempt_numbers() for run in runs] == [[1], [1]]
    assert all(run.state() == "finished" for run in runs)
