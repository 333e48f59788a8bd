"""Which runs can be made again, and whether their records are still what they say."""

from pathlib import Path
from typing import Any

import pytest

from ctexp.core.errors import CtexpError, DataError, PreflightError
from ctexp.core.files import sha256_file
from ctexp.record.calibration import Calibration
from ctexp.record.checkpoint_files import write_sums
from ctexp.record.git import GitState
from ctexp.record.manifest import Origin
from ctexp.record.result import Result
from ctexp.reproduction.integrity import tampered
from ctexp.reproduction.recorded import recorded
from tests.judged import CLEAN, a_run
from tests.record import samples
from tests.reproduction.records import a_recorded, flip, other_start


def refused(folder: Path, kind: type[CtexpError], **changes: Any) -> str:
    with pytest.raises(kind) as failure:
        a_recorded(folder, **changes)
    return " ".join((*failure.value.problems, failure.value.hint))


def test_what_did_not_end_measured_is_refused_with_the_way_on(tmp_path: Path) -> None:
    assert "train --resume" in refused(tmp_path, DataError, state="interrupted")
    assert "diverged, there is no result to compare with" in refused(tmp_path, DataError, state="diverged")


def test_a_run_whose_source_nobody_knows_is_refused(tmp_path: Path) -> None:
    unknown = GitState(reason="not inside a git work tree")
    assert "not inside a git work tree" in refused(tmp_path, PreflightError, git=unknown)


def test_a_run_that_went_on_with_another_source_is_refused(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    samples.attempt(run.id, 1, git=CLEAN).write(run.attempt(1))
    other_start(run, "f" * 40)
    with pytest.raises(PreflightError, match="was resumed with another source"):
        recorded(run)


def test_what_makes_a_run_special_is_told(tmp_path: Path) -> None:
    run = a_run(
        tmp_path,
        state="timeout",
        origin=Origin(parent="cv_1"),
        git=CLEAN.model_copy(update={"left_out": ("conf/big.yaml (over 256 KB)",)}),
    )
    samples.attempt(run.id, 1, git=CLEAN).write(run.attempt(1))
    other_start(run, samples.COMMIT)
    notes = "\n".join(recorded(run).notes)
    for told in ("started 2 times", "time budget", "lacks conf/big.yaml", "a part of cv_1"):
        assert told in notes


def test_a_whole_record_is_not_tampered_with(tmp_path: Path) -> None:
    assert tampered(a_recorded(tmp_path)) == []


@pytest.mark.parametrize(
    "file", ["checkpoints/best.ckpt", "config.yaml", "environment.txt", "predictions_val.parquet"]
)
def test_a_changed_file_is_named_with_both_hashes(tmp_path: Path, file: str) -> None:
    run = a_run(tmp_path)
    table = run.predictions("val")
    result = Result.read(run.result)
    result.model_copy(update={"predictions": {"val": sha256_file(table)}}).write(run.result)
    of = recorded(run)
    if file == "config.yaml":
        (run.path / file).write_text((run.path / file).read_text().replace("seed: 1", "seed: 2"))
    else:
        flip(run.path / file)
    found = {one.what: one for one in tampered(of)}[file]
    assert found.counts
    assert str(found.recorded).startswith("sha256 ")
    assert str(found.found).startswith("sha256 ")
    assert found.found != found.recorded


def test_weights_that_came_with_new_sums_are_told_by_the_calibration(tmp_path: Path) -> None:
    of = a_recorded(tmp_path)
    flip(of.run.checkpoints / "best.ckpt")
    write_sums(of.run.checkpoints, {"best.ckpt": sha256_file(of.run.checkpoints / "best.ckpt")})
    assert Calibration.read(of.run.calibration).checkpoint_sha256
    assert "checkpoints/best.ckpt, as calibration.json names it" in [one.what for one in tampered(of)]


def test_the_result_of_another_run_is_told(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    strange = Result.read(run.result).model_copy(update={"run_id": "net_20261105-213000_k3f9q2"})
    strange.write(run.result)
    (found,) = tampered(recorded(run))
    assert (found.recorded, found.found) == (run.id, "net_20261105-213000_k3f9q2")


def test_damage_of_lists_is_told_and_no_crash(tmp_path: Path) -> None:
    of = a_recorded(tmp_path)
    (of.run.checkpoints / "sha256sums").write_bytes(b"\xeb\x00  best.ckpt\n")
    assert [one.what for one in tampered(of)] == ["checkpoints/best.ckpt"]
    (of.run.checkpoints / "sha256sums").unlink()
    (of.run.checkpoints / "sha256sums").mkdir()
    assert [one.recorded for one in tampered(of)] == ["not in sha256sums"]
    of.run.environment.write_bytes(b"numpy==2.1.0\xeb\n")
    with pytest.raises(DataError, match="cannot be read"):
        recorded(of.run)
