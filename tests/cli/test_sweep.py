"""`inv sweep`: everything is checked before anything is made, and what is told of a sweep is so."""

import json
from pathlib import Path
from typing import Any

import pytest
from invoke.exceptions import Exit

from ctexp.cli.sweep_costs import Cost, by_pilot
from ctexp.cli.verb import perform
from ctexp.record.result import Result
from ctexp.record.run_dir import RunDir
from ctexp.record.sweep import Sweep, SweepDir
from ctexp.record.values import seconds_of
from ctexp.sweeps.board.opening import open_board
from ctexp.sweeps.file.load import load
from ctexp.sweeps.trials import Row, Taken
from tests import judged
from tests.project import TINY, add_tiny_set, inv, make_project

FLAGS = {"config": "", "no_pilot": True, "work": False, "resume": None, "budget": None}
MORE_FLAGS = {"dry_run": False, "executor": None, "agents": None, "yes": False, "json": False}

GRID = """\
program: train.py
method: grid
metric: {name: val_f1, goal: maximize}
parameters:
  optimizer.lr: {values: [0.001, 0.01]}
  optimizer.weight_decay: {values: [0.0, 0.1]}
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with images and a grid of four; each test removes what it makes."""
    project = make_project(tmp_path_factory.mktemp("sweeps") / "project")
    add_tiny_set(project)
    (project / "conf" / "sweep" / "tiny.yaml").write_text(GRID)
    return project


@pytest.fixture
def project(bare: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(bare)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    return bare


def sweep(*words: str, code: int = 0, **flags: Any) -> None:
    asked = {"override": list(words), **FLAGS, **MORE_FLAGS, **flags}
    if not code:
        perform("sweep:sweep", asked, debug=False)
        return
    with pytest.raises(Exit) as end:
        perform("sweep:sweep", asked, debug=False)
    assert end.value.code == code


def made(project: Path) -> list[Path]:
    return list((project / "runs" / "sweeps").glob("*"))


def test_a_dry_run_tells_everything_and_makes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = made(project)
    sweep(*TINY, config="tiny", dry_run=True, budget="2m")
    out, err = capsys.readouterr()
    assert made(project) == before
    assert "not made: --dry-run" in out
    assert "grid over optimizer.lr, optimizer.weight_decay" in out
    assert "4; one training each: s42" in out
    assert "unknown before trials have run (no like runs yet); at most the budget, 2 min 00 s" in out
    assert "optimizer.lr = 0.001, 0.01" in out
    assert "conf/sweep/tiny.yaml:1: without effect here: program (every trial is an `inv train`)" in err


def test_it_is_recorded_with_its_file_and_its_trials(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PLAN", "QUEUE", "JOB"):
        monkeypatch.setenv(f"CTEXP_{name}", name.lower())
    sweep(*TINY, "seed=7", "run.name=first", config="tiny", budget="1h", json=True)
    document = json.loads(capsys.readouterr().out)
    place = SweepDir.find(project / "runs", document["id"])
    record = Sweep.read(place.record)
    assert (record.name, record.seed, record.budget_seconds) == ("first", 7, 3600)
    assert (record.metric, record.goal, record.method) == ("val/macro_f1", "maximize", "grid")
    assert record.overrides == (*TINY, "seed=7", "run.name=first")
    assert record.command.startswith("scripts/inv sweep --config=tiny --budget=1h data.name=tiny")
    assert (record.origin.queue, record.origin.job) == ("queue", "job")
    assert record.dataset == "tiny"
    assert place.file.read_text() == GRID
    assert document["trials"] == 4
    board = open_board(place, load(place.file, record.file, record.overrides), record, identity=str)
    taken = board.take("somebody")
    assert isinstance(taken, Taken)
    assert (taken.number, taken.values) == (0, {"optimizer.lr": 0.001, "optimizer.weight_decay": 0.0})
    assert document["members"] == ["s7"]
    assert document["agent"] == f"scripts/inv sweep-agent --sweep-id={place.id}"
    assert document["cost"]["seconds"] is None


@pytest.mark.parametrize(
    ("flags", "words", "code", "what"),
    [
        ({"config": "tine"}, TINY, 2, "tine: there is no such sweep -> did you mean 'tiny'?"),
        ({}, TINY, 2, "--config is missing"),
        ({"config": "tiny"}, (*TINY, "optimizer.lr=1"), 2, "optimizer.lr=1: the sweep chooses it"),
        ({"config": "tiny"}, (*TINY, "optimzer.lr=1"), 2, "optimzer.lr: unknown key; did you mean"),
        ({"config": "tiny"}, (*TINY, "run.name=No"), 2, "run.name=No: a sweep's name has"),
        (
            {"config": "tiny"},
            (*TINY, "paths.runs=elsewhere"),
            2,
            "agents look for the sweep where conf/ says",
        ),
        ({"config": "tiny"}, TINY[1:], 3, "chest_ct"),
        ({"config": "tiny", "budget": "3"}, TINY, 2, "'3' has no unit"),
        ({"config": "tiny", "work": True, "executor": "lab"}, TINY, 2, "--executor: 'lab' is none"),
        ({"config": "tiny", "work": True, "executor": "modal"}, TINY, 2, "its nodes do not see runs, where"),
        ({"config": "tiny", "work": True, "agents": "many"}, TINY, 2, "--agents: expected a whole number"),
        ({"config": "tiny", "agents": "2"}, TINY, 2, "nobody is to work on it yet -> say --work as well"),
        (
            {"config": "tiny", "executor": "local"},
            TINY,
            2,
            "nobody is to work on it yet -> say --work as well",
        ),
        ({"config": "tiny", "budget": "0s"}, TINY, 2, "--budget: '0s' is no time at all"),
        ({"config": "tiny"}, (*TINY, "features=top_features", "model=dual_pathway"), 2, ""),
        ({"resume": "tiny", "config": "tiny"}, (), 2, "--resume takes what the sweep began with"),
        ({"resume": "tiny", "dry_run": True}, (), 2, "it takes no --dry-run"),
    ],
)
def test_a_refusal_makes_nothing(
    project: Path,
    capsys: pytest.CaptureFixture[str],
    flags: dict[str, Any],
    words: tuple[str, ...],
    code: int,
    what: str,
) -> None:
    before = made(project)
    sweep(*words, code=code, **flags)
    assert what in capsys.readouterr().err
    assert made(project) == before


def test_trials_that_cannot_be_compared(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "samples.yaml").write_text("method: grid\nparameters: {data.sample: {values: [8, 16]}}\n")
    sweep(*TINY, config="samples.yaml", code=2)
    assert "trials are judged by different images (tiny, split " in capsys.readouterr().err
    (project / "samples.yaml").unlink()


def test_what_a_pilot_says_of_the_cost_and_what_it_leaves_out(tmp_path: Path) -> None:
    run = judged.a_run(tmp_path, "tiny-t0", 42)
    trained = seconds_of(run)
    assert trained is not None
    unknown = Cost(24, 1, None, None, None, 0.0, "no like runs yet")
    cost = by_pilot(unknown, [run], trained + 13.0, None)
    assert cost.seconds == pytest.approx(24 * trained)
    assert cost.basis.endswith(
        "not counted: each agent's start, 13 s, and about a second for each further training"
    )
    assert by_pilot(unknown, [run], None, 5.0).seconds == 5.0


@pytest.mark.usefixtures("project")
def test_a_pilot_that_uses_up_the_budget_is_said_to(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pilot = Row(0, "finished", {}, 1, seconds=15.0)
    monkeypatch.setattr("ctexp.cli.sweep._pilot", lambda *_: (0, pilot))
    sweep(*TINY, config="tiny", no_pilot=False, budget="5s")
    assert "the budget is used up by the pilot, which is a trial like the others: 15 s of 5.0 s" in (
        capsys.readouterr().err
    )
    sweep(*TINY, config="tiny", no_pilot=False, budget="16s")
    assert "used up" not in capsys.readouterr().err


def test_pruning_that_no_training_lasts_long_enough_for_is_told(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    early = GRID + "early_terminate: {type: hyperband, min_iter: 3}\n"
    (project / "early.yaml").write_text(early)
    sweep(*TINY, config="early.yaml", dry_run=True)
    out, err = capsys.readouterr()
    assert (
        "early.yaml: no trial will be ended early: that begins at epoch 3, "
        "and a training has 3 (trainer.max_epochs)"
    ) in err
    assert "at epoch 3, again at 9 and so on, only the best one in 3 goes on (asha)" in out
    (project / "early.yaml").write_text(early.replace("min_iter: 3", "min_iter: 2"))
    sweep(*TINY, config="early.yaml", dry_run=True)
    assert "ended early:" not in capsys.readouterr().err
    (project / "early.yaml").unlink()


def test_uncommitted_changes_can_be_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, program = made(project), project / "mine.py"
    program.touch()
    sweep(*TINY, "git.dirty=refuse", config="tiny", code=4)
    program.unlink()
    said = capsys.readouterr().err
    # The file itself counts for nothing, although git does not know it: the sweep keeps a copy of its own.
    assert "uncommitted changes in code or configuration: 1 file (mine.py)" in said
    assert made(project) == before


def test_a_database_that_is_not_there_leaves_nothing_behind(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = f"{GRID}ctexp: {{storage: 'postgresql://nobody@127.0.0.1:1/none'}}\n"
    (project / "elsewhere.yaml").write_text(nowhere)
    before = made(project)
    sweep(*TINY, config="elsewhere.yaml", code=4)
    assert "127.0.0.1" in capsys.readouterr().err
    assert made(project) == before
    (project / "elsewhere.yaml").unlink()


def test_more_folds_than_there_are(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "folds.yaml").write_text(f"{GRID}ctexp: {{folds: 5}}\n")
    sweep(*TINY, config="folds.yaml", code=3)
    assert "kfold" in capsys.readouterr().err
    (project / "folds.yaml").unlink()


@pytest.mark.slow  # real trainings
def test_a_pilot_a_whole_sweep_and_a_second_one(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    add_tiny_set(project)
    (project / "conf" / "sweep" / "tiny.yaml").write_text(GRID)
    done = inv(project, "sweep", "--config", "tiny", *TINY)
    assert "1 finished" not in done.stdout  # the agent's lines are no results of this command
    assert "pilot        trial 0 finished" in done.stdout
    assert "4 trainings of" in done.stdout
    assert "as long as the pilot trained, others may differ; not counted: each agent's start, " in done.stdout
    place = SweepDir.find(project / "runs", "latest")
    (run,) = runs_of(project, place)
    assert run.read().manifest is not None
    worked = json.loads(inv(project, "sweep", "--resume", "latest", "--json").stdout)
    assert worked
    runs = runs_of(project, place)
    assert sorted(run.id.rpartition("_")[0].rpartition("_")[0] for run in runs) == [
        f"tiny-t{number}" for number in range(4)
    ]
    assert {Result.read(run.result).state for run in runs} == {"finished"}
    # Three like runs and more tell what the next one costs.
    dry = inv(project, "sweep", "--config", "tiny", *TINY, "--dry-run", "--json")
    cost = json.loads(dry.stdout)["cost"]
    assert cost["known"] == 1.0
    assert 0 < cost["seconds"] <= cost["seconds_p90"]
    assert cost["seconds"] == pytest.approx(4 * cost["training_seconds"])


@pytest.mark.slow  # real trainings
def test_a_pilot_that_fails_ends_it(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    add_tiny_set(project)
    wrong = GRID.replace("[0.001, 0.01]", "[1e30, 2e30]")
    (project / "conf" / "sweep" / "tiny.yaml").write_text(wrong)
    done = inv(project, "sweep", "--config", "tiny", *TINY, "--work", code=12)
    assert "the pilot failed: " in done.stderr
    assert len(runs_of(project, SweepDir.find(project / "runs", "latest"))) == 1


def runs_of(project: Path, place: SweepDir) -> list[RunDir]:
    """The runs that name a sweep as their parent."""
    runs = [RunDir(path) for path in sorted((project / "runs").glob("tiny-t*"))]
    manifests = [(run, run.read().manifest) for run in runs]
    return [run for run, manifest in manifests if manifest and manifest.origin.parent == place.id]
