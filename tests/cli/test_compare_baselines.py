"""`compare-baselines` as people type it: what it says, what it writes down, when it refuses."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pexpect
import pytest
from invoke.exceptions import Exit

from ctexp.cli.verb import perform
from ctexp.core.paths import baselines_file, decisions_file, ledger_file
from ctexp.record import baselines, decisions
from ctexp.record.ledger import Ledger
from ctexp.record.subjects import subject
from tests import judged
from tests.project import make_project

FLAGS: dict[str, Any] = {
    "baseline": "baseline",
    "split": "val",
    "final": False,
    "intersect": False,
    "require": None,
    "promote": False,
    "reason": "",
    "json": False,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with three seeds each of `poor`, `good` and `again`, and one of `part` on fewer images."""
    project = make_project(tmp_path_factory.mktemp("compare") / "project")
    for name, skill, first in (("poor", 1.0, 1), ("good", 3.0, 11), ("again", 3.0, 21)):
        for seed in range(first, first + 3):
            tables = {
                split: judged.predictions(200, skill, seed, prefix=split)
                for split in (("val",) if name == "again" else ("val", "test"))
            }
            judged.a_run(
                project / "runs", name, seed, tables=tables, overrides=("optimizer.lr=0.5",), root=project
            )
    part = judged.predictions(200, 3.0, 31).at(np.arange(150))
    judged.a_run(project / "runs", "part", 31, tables={"val": part}, root=project)
    judged.a_run(project / "runs", "stopped", 1, state="interrupted", root=project)
    for name in ("cv", "cw"):
        judged.a_cross_validation(project / "runs", name, skill=3)
    return project


@pytest.fixture
def project(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same with a clean slate."""
    monkeypatch.chdir(made)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    shutil.rmtree(made / "research", ignore_errors=True)
    shutil.rmtree(made / ".dvc", ignore_errors=True)
    return made


Compare = Callable[..., str]


@pytest.fixture
def compare(project: Path, capsys: pytest.CaptureFixture[str]) -> Compare:
    """Call the verb; all that it said on both streams."""

    def call(*candidates: str, code: int = 0, **flags: Any) -> str:
        assert Path.cwd() == project
        capsys.readouterr()
        words = FLAGS | {"candidate": list(candidates)} | flags
        if code:
            with pytest.raises(Exit) as caught:
                perform("compare_baselines:compare_baselines", words, debug=False)
            assert caught.value.code == code
        else:
            perform("compare_baselines:compare_baselines", words, debug=False)
        said = capsys.readouterr()
        return said.out if words["json"] else said.out + said.err

    return call


def test_the_verdict_comes_first_and_is_written_down(project: Path, compare: Compare) -> None:
    lines = compare("good", baseline="poor").splitlines()
    assert lines[0] == "val: 200 images in 200 groups; baseline poor, 3 seeds; 5 metrics, alpha 0.05"
    assert lines[2] == "good, 3 seeds: promote"
    assert lines[4].startswith("  target test/accuracy 0.9: met (test/accuracy 0.9")
    assert lines[5] == "  next: --promote makes it the baseline"
    (line,) = decisions.read(decisions_file(project))
    assert (line.baseline, line.candidate, line.decision) == ("poor", "good", "promote")
    assert line.command == "scripts/inv compare-baselines --baseline poor --candidate good"
    assert line.commit is not None
    assert line.reason.startswith("all gates pass; macro_f1 ")


def test_no_number_is_cut_off_on_a_narrow_terminal(project: Path) -> None:
    inv = Path(sys.executable).with_name("inv")
    words = ["compare-baselines", "--baseline", "poor", "--candidate", "again"]
    terminal = pexpect.spawn(str(inv), words, cwd=project, dimensions=(60, 80), encoding="utf-8", timeout=60)
    said = str(terminal.read())
    assert "macro_f1" in said
    assert "…" not in said


def test_json_is_one_document_with_everything(compare: Compare) -> None:
    found = json.loads(compare("good", "again", baseline="poor", json=True))
    assert [one["title"] for one in found["candidates"]] == ["good", "again"]
    assert [one["target"]["status"] for one in found["candidates"]] == ["met", "undecided"]
    assert found["candidates"][1]["target"]["said"] == "the test split has not been looked at with it"
    assert found["promoted"] is None
    good = found["candidates"][0]
    assert good["metrics"]["macro_f1"]["verdict"] == "better"
    assert set(good["gates"][0]) == {"name", "passed", "evidence"}


def test_every_candidate_gets_its_line_with_the_reason_given(project: Path, compare: Compare) -> None:
    compare("good", "again", baseline="poor", reason="a new loss")
    compare("poor", baseline="good")
    lines = decisions.read(decisions_file(project))
    assert [(one.candidate, one.decision) for one in lines] == [
        ("good", "promote"),
        ("again", "promote"),
        ("poor", "abandon"),
    ]
    assert [one.reason for one in lines[:2]] == ["a new loss"] * 2


def test_require_better_asks_it_of_every_candidate(compare: Compare) -> None:
    compare("good", baseline="poor", require="better")
    said = compare("again", baseline="good", require="better", code=12)
    assert "CriterionNotMet: again: macro_f1 is undecided, not better" in said
    said = compare("poor", "again", baseline="good", require="better", code=12)
    assert "poor: macro_f1 is worse, not better" in said
    assert "again: macro_f1 is undecided, not better" in said


def test_all_wrong_words_are_told_at_once(project: Path, compare: Compare) -> None:
    said = compare(split="vall", require="bettr", code=2)
    assert "--candidate: missing" in said
    assert "'vall' is no split to compare on; did you mean 'val'?" in said
    assert "'bettr' cannot be required; choose better" in said
    assert "--final opens the test split" in compare("good", baseline="poor", final=True, code=2)
    said = compare("goood", "stopped", baseline="pooor", code=3)
    assert "no run 'goood' (did you mean 'good'?)" in said
    assert "no run 'pooor' (did you mean 'poor'?)" in said
    assert "interrupted, left out" in said
    assert not decisions_file(project).exists()


def test_an_unfinished_run_is_refused_with_how_to_finish_it(project: Path, compare: Compare) -> None:
    (run,) = (path.name for path in (project / "runs").glob("stopped_*"))
    assert f"scripts/inv train --resume {run}" in compare(run, baseline="poor", code=3)


def test_a_run_is_not_compared_with_itself(project: Path, compare: Compare) -> None:
    assert "the baseline (good) has the same run" in compare("good", baseline="good", code=2)
    one = min(path.name for path in (project / "runs").glob("good_*"))
    assert f"has the same run: {one}" in compare(one, baseline="good", code=2)
    assert "another candidate (good) has the same run" in compare("good", "good", baseline="poor", code=2)


def test_what_is_the_baseline_itself_is_not_better(project: Path, compare: Compare) -> None:
    best = subject(project / "runs", "best").runs[0].id
    said = compare("best", require="better", baseline=best, code=12)
    assert f"best is the baseline itself, {best}: nothing is better" in said


def test_other_images_are_refused_or_left_out_and_counted(compare: Compare) -> None:
    said = compare("part", baseline="poor", code=3)
    assert "poor: 200 images of val, 150 of them judged by all" in said
    assert "add --intersect" in said
    said = compare("part", baseline="poor", intersect=True)
    assert "150 images in 150 groups" in said
    assert "warning: poor: 50 images left out, which not all have judged" in said
    said = compare("cv", baseline="poor", intersect=True)
    assert said.startswith("oof: 80 images")


def test_missing_predictions_come_with_the_command_that_makes_them(project: Path, compare: Compare) -> None:
    said = compare("again", baseline="poor", split="test", final=True, code=3)
    assert "no predictions of the test split" in said
    assert "--split test --final" in said
    assert not ledger_file(project).exists()


def test_a_sealed_test_split_is_opened_by_final_and_counted_each_time(
    project: Path, compare: Compare
) -> None:
    said = compare("good", baseline="poor", split="test", code=2)
    assert "is sealed" in said
    assert not ledger_file(project).exists()
    assert "look 1 at the test split of phantom" in compare("good", baseline="poor", split="test", final=True)
    said = compare("good", baseline="poor", split="test", final=True)
    assert "look 2 at the test split of phantom" in said
    assert "test: 200 images" in said
    looks = Ledger(ledger_file(project)).looks("phantom")
    assert [look.kind for look in looks] == ["compare", "compare"]
    assert len(looks[0].subjects) == 6


def test_cross_validations_alone_have_no_test_split(project: Path, compare: Compare) -> None:
    said = compare("cw", baseline="cv", split="test", final=True, code=2)
    assert "cross-validations have no test split" in said
    assert not ledger_file(project).exists()


def test_a_damaged_list_of_decisions_stops_it_before_anything_is_seen(
    project: Path, compare: Compare
) -> None:
    decisions_file(project).parent.mkdir(parents=True)
    decisions_file(project).write_text("damaged\n")
    said = compare("good", baseline="poor", split="test", final=True, code=3)
    assert "research/decisions.jsonl: line 1 is no decision" in said
    assert decisions_file(project).read_text() == "damaged\n"
    assert not ledger_file(project).exists()


def test_without_a_baseline_the_way_to_one_is_told(compare: Compare) -> None:
    said = compare("good", code=3)
    assert "no baseline is set yet" in said
    assert "--promote" in said


def test_a_promotion_is_refused_by_gates_and_changes_nothing(project: Path, compare: Compare) -> None:
    (project / ".dvc").mkdir()
    said = compare("again", baseline="good", promote=True, code=12)
    assert "CriterionNotMet: again: improves over baseline: macro_f1 " in said
    assert "nothing was promoted" in said
    assert not baselines_file(project).exists()
    assert not (project / "research" / "baselines").exists()
    (line,) = decisions.read(decisions_file(project))
    assert line.decision != "promote"


def test_a_promotion_that_could_not_be_is_refused_before_the_comparison(
    project: Path, compare: Compare
) -> None:
    assert "DVC is not set up" in compare("good", baseline="poor", promote=True, code=4)
    said = compare("good", "again", baseline="poor", promote=True, code=2)
    assert "2 candidates, and one can be the baseline" in said
    (project / ".dvc").mkdir()
    elsewhere = shutil.copytree(next((project / "runs").glob("good_*")), project / "else" / "good")
    said = compare(str(elsewhere), baseline="poor", promote=True, code=2)
    assert f"{elsewhere} is not in {project / 'runs'}" in said
    baselines_file(project).parent.mkdir()
    baselines_file(project).write_text("current: [\n")
    assert "baselines.yaml" in compare("good", baseline="poor", promote=True, code=3)
    assert not decisions_file(project).exists()


def test_it_needs_no_torch(project: Path) -> None:
    words = FLAGS | {"candidate": ["good"], "baseline": "poor"}
    program = (
        "import sys\nfrom ctexp.cli.verb import perform\n"
        f"perform('compare_baselines:compare_baselines', {words!r}, debug=True)\n"
        "assert not {'torch', 'pytorch_lightning', 'timm', 'matplotlib'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=project, check=True, capture_output=True)


def test_a_candidate_is_named_again_for_each(project: Path) -> None:
    inv = Path(sys.executable).with_name("inv")
    words = [
        "compare-baselines",
        "--baseline",
        "poor",
        "--candidate",
        "good",
        "--candidate",
        "again",
        "--json",
    ]
    done = subprocess.run([inv, *words], cwd=project, check=True, capture_output=True, text=True)
    assert [one["title"] for one in json.loads(done.stdout)["candidates"]] == ["good", "again"]
    assert baselines.current(project) is None
