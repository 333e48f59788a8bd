"""`sweep-status`, `sweep-best`, `sweep-report` and `sweep-refine` on a real board, as they are called."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from invoke.exceptions import Exit

from ctexp.cli.verb import perform
from ctexp.record.sweep import SweepDir
from ctexp.sweeps.board.opening import open_board
from ctexp.sweeps.file.load import load
from ctexp.sweeps.space import Values
from ctexp.sweeps.trials import Board, Taken, Told
from tests.project import make_project
from tests.sweeps.reading.samples import a_sweep, trained

FILE = """\
method: grid
metric: {name: val/macro_f1}
parameters:
  optimizer.lr: {values: [0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1]}
ctexp:
  overrides: [model=tiny_cnn]
  seeds: [1, 2]
"""
COUNT = 8


def take(board: Board, agent: str = "somewhere:1") -> Taken:
    taken = board.take(agent)
    assert isinstance(taken, Taken)
    return taken


def skill(values: Values) -> float:
    lr = values["optimizer.lr"]
    assert isinstance(lr, float)
    return 3.0 - 1.2 * abs(math.log10(lr / 0.001))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a grid of eight trials: six finished with their runs, one failed, one at work."""
    folder = make_project(tmp_path_factory.mktemp("sweep") / "project")
    runs = folder / "runs"
    its = a_sweep(runs, file=FILE)
    board = open_board(its.place, its.spec, its.sweep, lambda values: json.dumps(values), create=True)
    for _ in range(COUNT - 2):
        taken = take(board)
        row = trained(runs, taken.number, taken.values, skill(taken.values), seeds=(1, 2))
        for member, run in row.runs.items():
            board.began(taken, member, run)
        board.finish(taken, Told("finished", row.value, row.mean, row.error, seconds=90.0))
    board.finish(take(board), Told("failed", None, problem="the loss is not finite in epoch 2", seconds=9.0))
    take(board, "elsewhere:2")
    a_sweep(runs, file=FILE)  # a second one, whose database is not there: made, and killed at once
    return folder


@pytest.fixture
def project(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(made)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    return made


@pytest.fixture
def sweep(project: Path) -> str:
    return sweeps(project)[0]


def sweeps(project: Path) -> list[str]:
    return sorted(
        path.name for path in (project / "runs" / "sweeps").iterdir() if (path / "trials.db").exists()
    )


def said(
    capsys: pytest.CaptureFixture[str], verb: str, sweep: str, code: int = 0, **flags: Any
) -> tuple[str, str]:
    """Call a verb, expecting an exit code; what stood on stdout and on stderr."""
    ended = 0
    try:
        perform(f"{verb}:{verb}", {"sweep": sweep, "json": False} | flags, debug=False)
    except Exit as error:
        ended = error.code
    heard = capsys.readouterr()
    assert ended == code, heard.err
    return heard.out, heard.err


def document(capsys: pytest.CaptureFixture[str], verb: str, sweep: str, **flags: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said(capsys, verb, sweep, json=True, **flags)[0])
    return found


def test_status_tells_trials_agents_and_what_failed(sweep: str, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = said(capsys, "sweep_status", sweep)
    assert out.startswith(f"{sweep}: grid, val/macro_f1 maximized, optuna\n")
    assert "trials: 6 finished, 1 failed, 1 running" in out
    assert "left: 1 of 8 trials, about 1 min 30 s with 1 agent at the pace so far" in out
    assert "elsewhere:2" in out
    assert "warning: trial 6 failed: the loss is not finite in epoch 2" in err
    lines = out.splitlines()
    table = lines[lines.index("") + 1 :]
    assert table[0].split() == ["trial", "state", "val/macro_f1", "overrides"]
    ranked = [float(line.split()[2]) for line in table[1:7]]
    assert ranked == sorted(ranked, reverse=True)
    assert all(" ± " in line and " lr=" in line for line in table[1:7])
    assert [line.split()[1] for line in table[7:9]] == ["failed", "running"]
    assert max(len(line) for line in lines) <= 100
    told = document(capsys, "sweep_status", sweep)
    first = told["trials"][0]
    assert (first["seconds"], first["overrides"]) == (90.0, ["optimizer.lr=3e-05"])
    assert first["standard_error"] > 0
    assert "error" not in first | told["best"]
    assert (told["left"], told["total"], len(told["trials"])) == (1, 8, 8)
    assert told["agents"][0]["silent"] < 30


def test_the_best_is_ready_to_paste_and_says_how_sure_it_is(
    project: Path, sweep: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = said(capsys, "sweep_best", sweep)
    told = document(capsys, "sweep_best", sweep)
    assert told["command"] in out
    assert told["command"].startswith("scripts/inv train data=phantom model=tiny_cnn optimizer.lr=0.")
    verdict = "established: trial" if told["established"] else "not established that trial"
    assert verdict in out
    assert "the best of 6 trials was chosen by its luck too" in out
    assert f"scripts/inv plan --from {sweep}" in out
    assert "for seed in 43 44 45; do" in out
    assert all(len(line) <= 100 for line in out.splitlines() if "scripts/inv" not in line)
    assert told["best"]["overrides"][0].startswith("optimizer.lr=0.")
    assert told["best"]["standard_error"] > 0
    assert told["tied"] == []
    assert told["effect"]["low"] < told["effect"]["difference"] < told["effect"]["high"]
    best = told["best"]["number"]
    progress = json.loads((project / "runs" / "sweeps" / sweep / "progress.json").read_text())
    assert progress["best"]["number"] == best


def test_the_page_is_written_beside_the_sweep_or_where_it_was_asked_for(
    project: Path, sweep: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = said(capsys, "sweep_report", sweep, output=None)
    assert out.splitlines()[-1] == f"page: runs/sweeps/{sweep}/sweep.html"
    assert (
        "the loss is not finite in epoch 2"
        in (project / "runs" / "sweeps" / sweep / "sweep.html").read_text()
    )
    told = document(capsys, "sweep_report", sweep, output=str(tmp_path / "page.html"))
    assert Path(told["path"]).is_file()
    assert told["importance"] == {}
    assert told["importance_unknown"] == "6 finished trials, and 12 are the fewest for 1 parameter"
    assert "no name of a page" in said(capsys, "sweep_report", sweep, code=2, output="page.pdf")[1]


def test_a_finer_sweep_is_written_once_and_loads(
    project: Path, sweep: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = said(capsys, "sweep_refine", sweep, name=None, overwrite=False)
    path = project / "conf" / "sweep" / "lr_wd_fine.yaml"
    assert out.startswith("conf/sweep/lr_wd_fine.yaml: closer around the ")
    assert out.splitlines()[-1] == "next: scripts/inv sweep --config lr_wd_fine data=phantom"
    spec = load(path, str(path))
    assert spec.name == "lr_wd_fine"
    assert sweep in path.read_text()
    assert "is there already" in said(capsys, "sweep_refine", sweep, code=2, name=None, overwrite=False)[1]
    told = document(capsys, "sweep_refine", sweep, name=None, overwrite=True)
    assert told["parameters"]["optimizer.lr"]["changed"]
    assert [one.name for one in path.parent.iterdir() if one.name.startswith(".")] == []


def test_a_sweep_without_a_finished_trial_has_no_best(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    its = a_sweep(project / "runs", file=FILE)
    open_board(its.place, its.spec, its.sweep, lambda _values: "", create=True)
    _, err = said(capsys, "sweep_best", its.sweep.id, code=3)
    assert "no trial has finished (8 trials in all" in err
    out, _ = said(capsys, "sweep_status", its.sweep.id)
    assert "nobody is at work on it" in out
    assert f"next: scripts/inv sweep-agent --sweep-id {its.sweep.id}" in out


def test_a_sweep_whose_trials_are_gone_is_refused_in_a_line(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = next(path for path in (project / "runs" / "sweeps").iterdir() if not (path / "trials.db").exists())
    for verb in ("sweep_status", "sweep_best"):
        _, err = said(capsys, verb, SweepDir(lost).id, code=3)
        assert err.count("\n") == 1
    assert "choose one of" in said(capsys, "sweep_best", "nothing", code=3)[1]
