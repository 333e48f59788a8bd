"""Looks at the test split: counted, chained, on the disk first, and missed when they are gone."""

import json
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ctexp.core.errors import DataError, UsageError
from ctexp.core.paths import ledger_file
from ctexp.record.cross_validation import CrossValidation
from ctexp.record.git import capture
from ctexp.record.ledger import Ledger, count_cross_validation, counted, open_test
from ctexp.record.look import Look
from ctexp.record.manifest import Dataset
from ctexp.record.run_dir import RunDir
from tests.project import git
from tests.record.samples import BEGIN, HASH, run_of

OTHER = "f" * 64


def dataset(**changes: Any) -> Dataset:
    rows = {"train": {"normal": 9}, "val": {"normal": 3}, "test": {"normal": 5, "adenocarcinoma": 3}}
    fields = {"name": "tiny", "catalog_sha256": HASH, "split": "official", "rows": rows}
    return Dataset(**fields | changes)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project's folder under git, with one run."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message=start")
    run_of(tmp_path / "runs", dataset=dataset())
    return tmp_path


def run(root: Path) -> RunDir:
    return RunDir(next((root / "runs").glob("resnet50_*")))


def look(root: Path, *, final: bool = True, subjects: tuple[RunDir, ...] = ()) -> Look:
    return open_test(root, root / "runs", kind="evaluate", subjects=subjects or (run(root),), final=final)


def lines(root: Path) -> list[str]:
    return ledger_file(root).read_text().splitlines()


def problems(root: Path) -> list[str]:
    return Ledger(ledger_file(root)).problems(root, root / "runs")


def refused(root: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        look(root)
    return caught.value


def commit(root: Path) -> None:
    git(root, "add", "--force", "research/test_ledger.jsonl")
    git(root, "commit", "--quiet", "--message=looks")


def test_two_looks_are_two_lines_each_naming_the_one_before(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = look(root), look(root)
    assert (first.seq, second.seq) == (1, 2)
    assert (first.previous, second.previous) == (None, first.sha256)
    told = capsys.readouterr().err.splitlines()
    assert told == ["look 1 at the test split of tiny", "look 2 at the test split of tiny"]
    stored = json.loads(lines(root)[1])
    assert stored["kind"] == "evaluate"
    assert (stored["dataset"], stored["catalog_sha256"], stored["images"]) == ("tiny", HASH, 8)
    assert stored["subjects"] == [run(root).id]
    assert problems(root) == []


def test_without_final_nothing_is_opened_and_the_count_is_told(root: Path) -> None:
    for looked in ("never looked at", "looked at once", "looked at 2 times"):
        before = lines(root) if ledger_file(root).exists() else []
        with pytest.raises(UsageError, match=rf"tiny is sealed.*\({looked} so far"):
            look(root, final=False)
        assert (lines(root) if ledger_file(root).exists() else []) == before
        look(root)


def test_each_version_of_a_data_set_is_counted_by_itself(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    look(root)
    other = run_of(root / "runs", "other", dataset=dataset(catalog_sha256=OTHER))
    look(root, subjects=(other,))
    assert capsys.readouterr().err.splitlines()[1] == (
        "look 1 at the test split of tiny; 1 at other versions of the data set"
    )
    with pytest.raises(DataError, match="the runs are of 2 data sets"):
        look(root, subjects=(run(root), other))


def test_a_split_without_test_images_cannot_be_opened(root: Path) -> None:
    fold = run_of(root / "runs", "fold", dataset=dataset(split="kfold", fold=0, rows={"val": {"normal": 3}}))
    with pytest.raises(DataError, match="kfold split of tiny has no test images"):
        look(root, subjects=(fold,))
    assert not ledger_file(root).exists()


def test_a_line_taken_out_of_the_middle_breaks_the_chain(root: Path) -> None:
    for _ in range(3):
        look(root)
    first, _, third = lines(root)
    ledger_file(root).write_text(f"{first}\n{third}\n")
    error = refused(root)
    assert "line 2 does not follow" in error.problems[0]
    assert "git checkout -- " in error.hint
    assert error.exit_code == 3
    assert lines(root) == [first, third]


@pytest.mark.parametrize("place", [0, 1])
def test_a_changed_line_breaks_the_chain(root: Path, place: int) -> None:
    for _ in range(3):
        look(root)
    changed = lines(root)
    changed[place] = changed[place].replace('"images":8', '"images":7')
    ledger_file(root).write_text("\n".join(changed) + "\n")
    assert [f"line {place + 2} does not follow" in problem for problem in problems(root)] == [True]


def test_the_last_line_is_missed_by_the_commits_even_when_its_removal_was_committed(root: Path) -> None:
    look(root), look(root)
    commit(root)
    whole = ledger_file(root).read_text()
    ledger_file(root).write_text(lines(root)[0] + "\n")
    assert "look 2 " in problems(root)[0]
    assert "was committed and is gone or changed" in refused(root).problems[0]
    commit(root)
    assert len(problems(root)) == 1
    ledger_file(root).write_text(whole)
    assert problems(root) == []
    look(root)


def test_a_change_that_was_committed_and_taken_back_is_forgiven(root: Path) -> None:
    look(root)
    commit(root)
    true = ledger_file(root).read_text()
    ledger_file(root).write_text(true.replace('"images":8', '"images":7'))
    commit(root)
    assert "look 1 " in problems(root)[0]
    ledger_file(root).write_text(true)
    assert problems(root) == []


def test_a_removed_ledger_is_missed_by_the_run_whose_figures_name_a_look(root: Path) -> None:
    named = look(root).named
    run(root).metrics.write_text(json.dumps({"schema_version": 1, "splits": {"test": {"look": named}}}))
    assert problems(root) == []
    ledger_file(root).unlink()
    (problem,) = problems(root)
    assert problem.startswith(f"{run(root).id}: its figures come from look 1, which ")
    refused(root)


def test_looks_of_two_merged_branches_are_all_kept(root: Path) -> None:
    (root / ".gitattributes").write_text("research/*.jsonl merge=union\n")
    git(root, "add", ".gitattributes")
    look(root)
    commit(root)
    git(root, "checkout", "--quiet", "-b", "side")
    look(root)
    commit(root)
    git(root, "checkout", "--quiet", "main")
    look(root), look(root)
    commit(root)
    git(root, "merge", "--quiet", "--no-edit", "side")
    assert len(lines(root)) == 4
    assert problems(root) == []
    look(root)
    assert problems(root) == []


def test_a_torn_last_line_is_set_aside_at_whichever_byte_it_was_cut(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    look(root), look(root)
    whole = ledger_file(root).read_bytes()
    first = whole.index(b"\n") + 1
    for length in (*range(first, len(whole), 7), len(whole) - 1):  # each is a look, which reaches the disk
        ledger_file(root).write_bytes(whole[:length])
        tail = whole[first:length]
        capsys.readouterr()
        third = look(root)
        all_of_it = length == len(whole) - 1  # but for the end of the line
        assert third.seq == (3 if all_of_it else 2)
        aside = list(ledger_file(root).parent.glob("*.torn-*"))
        assert [file.read_bytes() for file in aside] == ([tail] if tail and not all_of_it else [])
        assert ("torn by a crash" in capsys.readouterr().err) == bool(aside)
        assert problems(root) == []
        for file in aside:
            file.unlink()


def _look_from_elsewhere(root: Path) -> int:
    os.environ.pop("CTEXP_ROOT", None)
    return look(root).seq


def test_looks_at_once_are_all_counted(root: Path) -> None:
    with ProcessPoolExecutor(4) as pool:
        numbers = list(pool.map(_look_from_elsewhere, [root] * 8))
    assert sorted(numbers) == list(range(1, 9))
    assert problems(root) == []


def test_the_ledger_does_not_make_the_source_look_changed(root: Path) -> None:
    look(root)
    assert capture(root).state.dirty is False


def test_a_cross_validation_with_official_test_images_is_counted_once_and_apart(root: Path) -> None:
    record = CrossValidation(
        id="cv_20261121-050417_ab2cd3",
        name="cv",
        created=BEGIN,
        command="scripts/inv cross-validate",
        overrides=(),
        config_sha256=HASH,
        dataset="tiny",
        catalog_sha256=HASH,
        split_sha256=HASH,
        folds=2,
        seeds=(1,),
        members=(),
    )
    assert count_cross_validation(root, record, 0) is None
    first = count_cross_validation(root, record, 8)
    assert first is not None
    assert count_cross_validation(root, record, 8) == first
    assert len(lines(root)) == 1
    assert counted(Ledger(ledger_file(root)), "tiny", HASH) == (
        "no look at the test split of tiny; 1 cross-validation has judged images of it out of fold"
    )
    assert look(root).seq == 2
    assert problems(root) == []
