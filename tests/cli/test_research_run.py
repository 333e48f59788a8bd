import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from ctexp.cli.research_run import research_run
from ctexp.core.errors import Busy, DataError, UsageError
from ctexp.research.places import Places
from ctexp.research.record import Answer
from ctexp.research.running.experiment import Start, lock_of
from tests.project import HERE, TINY, add_tiny_set, git, inv, make_project
from tests.research.answers import answer, handler, plan
from tests.waiting import until

PLAN = """
project: {name: Try}
experiments:
  noise:
    type: question
    sub_experiments: [spread, broken, counted]
    success_criteria:
      mean: {target: 0.3, direction: higher}
  after:
    type: claim
    sub_experiments: [counted]
    dependencies: [noise]
"""

SPREAD = f"""
STUB = {{"finding": "fine", "metrics": {{"mean": (0.9, 0.8, 1.0)}}}}
TINY = {list(TINY)!r}

def e_spread(runner):
    runs = runner.train(TINY, name="plain", seeds=(1, 2))
    others = runner.train([*TINY, "optimizer.lr=0.01"], name="fast", seeds=(1, 2))
    mean = runner.mean(runner.figures(others, "val/macro_f1"))
    recall = runner.figure(runs[0], "val/recall_normal")
    compared = runner.compare(runs, others, ["macro_f1"])
    runner.log_metrics({{"mean": mean.value}})
    runner.results.save_json_artifact("values", [one.value for one in mean.source.of])
    difference = compared.difference("macro_f1")
    return {{
        "finding": f"Macro F1 is {{mean}}, recall of normal {{recall}}, the difference {{difference:+}}.",
        "metrics": {{"mean": mean}},
    }}
"""
BROKEN = "def e_broken(runner):\n    raise KeyError('no such column')\n"
COUNTED = """
STUB = {"metrics": {"n": 1}}

def e_counted(runner):
    return {"finding": "one", "metrics": {"n": runner.count(1)}}
"""


def words(**changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "experiment_id": "noise",
        "only": None,
        "override": [],
        "rerun_failed": False,
        "force": False,
        "stub_mode": False,
        "executor": "local",
        "yes": False,
        "json": False,
    }
    return given | changes


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is taken for a project, with a plan."""
    shutil.copytree(HERE / "conf" / "executor", tmp_path / "conf" / "executor")
    (tmp_path / "conf" / "config.yaml").write_text("paths: {data: data, runs: runs}\n")
    plan(tmp_path, PLAN)
    monkeypatch.setenv("CTEXP_ROOT", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        (
            {"experiment_id": ""},
            ["--experiment-id: missing; research/research_plan.yaml has noise, after, all"],
        ),
        ({"experiment_id": "nois"}, ["research/research_plan.yaml has no 'nois'; did you mean 'noise'?"]),
        ({"only": "spraed"}, ["noise has no part 'spraed'; did you mean 'spread'?"]),
        ({"experiment_id": "all", "only": "spread"}, ["--only: a part of one experiment is meant"]),
        ({"executor": "slumr"}, ["--executor: 'slumr' is none; did you mean 'slurm'?"]),
        (
            {"rerun_failed": True, "force": True, "override": ["seed=3"]},
            ["--rerun-failed and --force contradict each other", "seed=3: handlers set seed themselves"],
        ),
    ],
)
def test_wrong_words_are_told_at_once_and_nothing_runs(
    bare: Path, changes: dict[str, Any], problems: list[str]
) -> None:
    with pytest.raises(UsageError) as refused:
        research_run(**words(stub_mode=True, **changes))
    assert len(refused.value.problems) == len(problems)
    for said, expected in zip(refused.value.problems, problems, strict=True):
        assert expected in said
    assert not list(bare.glob("runs/research/*_*"))
    assert not (bare / "research" / "results").exists()


def test_an_experiment_that_waits_is_not_begun(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    handler(bare, "after", "counted", COUNTED)
    assert research_run(**words(experiment_id="after", yes=True)) == 12
    out, err = capsys.readouterr()
    assert "after: waits, noise is not completed" in out
    assert out.splitlines()[-1] == "Completed: 0 Failed: 0"
    assert err == "CriterionNotMet: after: noise is not completed -> run that first, or --force\n"
    assert not Places(bare).record("after", "counted").exists()


@pytest.mark.parametrize(("word", "counts"), [("trainer.max_epochs=2", False), ("logger=none", True)])
def test_what_will_not_count_is_told_before_anything_runs(
    bare: Path, capsys: pytest.CaptureFixture[str], word: str, counts: bool
) -> None:
    held = lock_of(Start(bare, bare / "data", bare / "runs"), "noise")
    with held, pytest.raises(Busy):
        research_run(**words(override=[word], yes=True))
    told = f"the answers will not count: made with {word} on the command line" in capsys.readouterr().err
    assert told is not counts


def test_an_altered_page_is_refused_before_anything_runs(bare: Path) -> None:
    page = Places(bare).experiment_findings("noise")
    page.parent.mkdir(parents=True)
    page.write_text("<!-- ctexp head -->\n\nall is met\n")
    with pytest.raises(DataError, match=r"FINDINGS\.md:1: a block whose end mark is gone"):
        research_run(**words(yes=True))
    assert not (bare / "runs").exists()


def test_an_experiment_under_way_is_busy(bare: Path) -> None:
    held = lock_of(Start(bare, bare / "data", bare / "runs"), "noise")
    with held, pytest.raises(Busy, match="experiment noise is in use by pid"):
        research_run(**words(yes=True))


def test_where_all_is_done_nothing_runs(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for sub in ("spread", "broken", "counted"):
        answer(bare, "noise", sub)
    assert research_run(**words(json=True)) == 0
    document = json.loads(capsys.readouterr().out)
    (its,) = document["experiments"]
    assert [part["state"] for part in its["parts"]] == ["kept"] * 3
    assert (document["completed"], document["failed"]) == (3, 0)
    assert research_run(**words(rerun_failed=True)) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Completed: 0 Failed: 0"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with images, a plan and handlers, one of them broken."""
    project = make_project(tmp_path_factory.mktemp("research") / "project")
    add_tiny_set(project)
    plan(project, PLAN)
    for sub, text in (("spread", SPREAD), ("broken", BROKEN), ("counted", COUNTED)):
        handler(project, "noise", sub, text)
    handler(project, "after", "counted", COUNTED)
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=handlers")
    return project


def record(project: Path, sub: str, *, stub: bool = False) -> Answer:
    return Answer.read(Places(project, stub).record("noise", sub))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_story_of_a_broken_handler(whole: Path) -> None:
    stubbed = inv(whole, "research-run", "--experiment-id", "noise", "--stub-mode", code=12)
    assert stubbed.stdout.splitlines()[-1] == "Completed: 2 Failed: 1"
    assert "made up" in stubbed.stdout
    assert record(whole, "spread", stub=True).stub
    assert not Places(whole).results.exists()
    assert not list((whole / "runs").glob("noise-*"))
    status = json.loads(inv(whole, "research-status", "--json").stdout)
    assert status["experiments"][0]["state"] == "open"

    first = inv(whole, "research-run", "--experiment-id", "all", code=12)
    assert first.stdout.splitlines()[-1] == "Completed: 2 Failed: 1"
    assert "after: waits, noise is not completed" in first.stdout
    spread, broken = record(whole, "spread"), record(whole, "broken")
    assert broken.error is not None
    assert 'File "' in broken.error.traceback
    assert "research/handlers/noise/broken.py:2" in broken.error.hint
    assert len(spread.runs) == 4
    assert "--only spread --force" in spread.command
    assert set(spread.basis.data) == {"tiny", "tiny/official"}
    assert (spread.git.dirty, broken.git.dirty) == (False, False)
    assert (Places(whole).experiment_findings("noise")).is_file()
    assert inv(whole, "findings-check").returncode == 0
    runs = sorted(path.name for path in (whole / "runs").glob("noise-*"))
    assert len(runs) == 4

    handler(whole, "noise", "broken", COUNTED.replace("counted", "broken"))
    second = inv(whole, "research-run", "--experiment-id", "noise", "--rerun-failed")
    assert second.stdout.splitlines()[-1] == "Completed: 1 Failed: 0"
    assert record(whole, "spread") == spread
    assert record(whole, "broken").git.dirty  # its handler was not committed
    third = inv(whole, "research-run", "--experiment-id", "noise", "--json")
    assert json.loads(third.stdout)["completed"] == 3
    assert record(whole, "spread") == spread

    # A corrected sentence costs a sentence: nothing is trained again.
    handler(whole, "noise", "spread", SPREAD.replace("Macro F1 is", "It is"))
    inv(whole, "research-run", "--experiment-id", "noise")
    assert record(whole, "spread").finding.startswith("It is")
    assert record(whole, "spread").runs == spread.runs
    assert sorted(path.name for path in (whole / "runs").glob("noise-*")) == runs


LONG = f"""
def e_one(runner):
    slow = [*{list(TINY)!r}, "trainer.max_epochs=100", "trainer.early_stopping=null"]
    runs = runner.train(slow, name="plain", seeds=(1, 2))
    return {{"finding": "so", "metrics": {{"mean": runner.mean(runner.figures(runs, "val/macro_f1"))}}}}
"""

NASTY = {
    "killed": (
        "import os, signal\ndef e_killed(runner):\n    os.kill(os.getpid(), signal.SIGKILL)\n",
        "Killed",
    ),
    "exits": ("import os\ndef e_exits(runner):\n    os._exit(0)\n", "NoAnswer"),
    "floods": ("def e_floods(runner):\n    while True:\n        print('x' * 100_000)\n", "Flooded"),
    "large": (
        "def e_large(runner):\n    runner.results.save_artifact('x.bin', bytes(1024**3))\n",
        "UsageError",
    ),
    "elsewhere": (
        "import os, subprocess, sys, tempfile, threading, time\n"
        "def e_elsewhere(runner):\n"
        "    os.chdir(tempfile.gettempdir())\n"
        "    threading.Thread(target=time.sleep, args=(300,)).start()\n"
        "    print(subprocess.Popen(['sleep', '300']).pid, flush=True)\n"
        "    sys.stdout.close()\n"
        "    return {'finding': 'came back', 'metrics': {'n': 1}}\n",
        "",
    ),
}


@pytest.mark.slow
def test_whatever_a_handler_does_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    plan(
        project,
        f"experiments:\n  bad:\n    type: question\n    sub_experiments: [{', '.join(NASTY)}, none]\n",
    )
    for sub, (text, _) in NASTY.items():
        handler(project, "bad", sub, text)
    done = inv(project, "research-run", "--experiment-id", "bad", "--json", code=12)
    document = json.loads(done.stdout)
    assert (document["completed"], document["failed"]) == (1, 5)
    (its,) = document["experiments"]
    kinds = {part["id"]: (part["error"] or {"kind": ""})["kind"] for part in its["parts"]}
    assert kinds == {sub: kind for sub, (_, kind) in NASTY.items()} | {"none": "MissingHandler"}
    assert not Places(project).artifacts("bad", "large").exists()
    log = next((project / "runs" / "research").glob("bad_*/elsewhere.log"))
    with suppress(psutil.NoSuchProcess):  # killed; whoever inherits orphans here may take a moment to bury it
        psutil.Process(int(log.read_text())).wait(timeout=10)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_the_training_and_the_next_start_goes_on_with_it(
    tmp_path: Path, signum: signal.Signals
) -> None:
    project = make_project(tmp_path / "project")
    add_tiny_set(project)
    plan(project, "experiments:\n  long:\n    type: question\n    sub_experiments: [one]\n")
    handler(project, "long", "one", LONG)
    variables = {key: value for key, value in os.environ.items() if not key.startswith("CTEXP_")}
    command = [sys.executable, "-m", "invoke", "research-run", "--experiment-id", "long"]
    child = subprocess.Popen(command, cwd=project, env=variables, stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    for line in child.stderr:
        if "training long-plain_" in line:
            break
    until(lambda: any((project / "runs").glob("long-plain_*/checkpoints/*")), 240)
    child.send_signal(signum)
    _, err = child.communicate(timeout=120)
    assert child.returncode == 128 + signum, err
    assert "go on with it: scripts/inv research-run --experiment-id long" in err
    begun = {path.name for path in (project / "runs").glob("long-plain_*")}
    assert begun
    assert not Places(project).record("long", "one").exists()
    inv(project, "research-run", "--experiment-id", "long")
    used = set(Answer.read(Places(project).record("long", "one")).runs)
    assert begun <= used
