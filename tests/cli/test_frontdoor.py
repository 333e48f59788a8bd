"""Overrides, flags and further tasks on one line of the stock `inv`, and what it says to a wrong one."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invoke.main import program
from invoke.parser import parser
from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext

from ctexp.cli.frontdoor import BadCommand, FrontDoorMachine
from tests.cli.verbs import contexts_of

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.prefix) / "bin"

TASKS = """
import json
from invoke import task
from ctexp.cli import frontdoor

frontdoor.install()

@task(iterable=["override", "tag"], auto_shortflags=False)
def train(c, override=None, tag=None, resume=None, as_json=False):
    "Train."
    print(json.dumps({"train": override, "tag": tag, "resume": resume, "json": as_json, "rest": c.remainder}))

@task(auto_shortflags=False)
def runs(c, name=None, limit=20):
    "List."
    print(json.dumps({"runs": name, "limit": limit}))

@task(auto_shortflags=False)
def show(c, run):
    "Show."
    print(json.dumps({"show": run}))

@task(auto_shortflags=False)
def both(c, a, b, as_json=False):
    "Two."
    print(json.dumps({"both": [a, b]}))

@task(auto_shortflags=False)
def begin(c, experiment_id):
    "Begin."
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose tasks print what reaches them."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "tasks.py").write_text(TASKS)
    return folder


def inv(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BIN / "inv", *words], cwd=folder, capture_output=True, text=True, check=False)


def parsed(folder: Path, words: Sequence[str], patch: pytest.MonkeyPatch) -> None:
    """Parse a command line as `inv` does in a folder, in this process and without running anything."""
    patch.setattr(parser, "ParseMachine", FrontDoorMachine)
    patch.setattr(sys, "argv", ["inv", *words])
    parser.Parser(contexts_of(folder), initial=program.initial_context).parse_argv([*words])


def calls(folder: Path, *words: str) -> list[dict[str, Any]]:
    """What each task of a command line was called with."""
    done = inv(folder, *words)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_overrides_flags_and_tasks_stand_side_by_side(folder: Path) -> None:
    words = ["train", "model=resnet50", "+a=1", "++b=2", "~c", "--as-json", "~d=4", "runs", "--name", "x"]
    train, runs = calls(folder, *words)
    assert train["train"] == ["model=resnet50", "+a=1", "++b=2", "~c", "~d=4"]
    assert train["json"] is True
    assert runs == {"runs": "x", "limit": 20}


def test_each_task_gets_its_own_overrides(folder: Path) -> None:
    first, second = calls(folder, "train", "seed=1", "train", "seed=2", "model@x.y/z=w")
    assert first["train"] == ["seed=1"]
    assert second["train"] == ["seed=2", "model@x.y/z=w"]


def test_a_flags_value_stays_the_flags_even_if_it_looks_like_an_override(folder: Path) -> None:
    (train,) = calls(folder, "train", "--tag", "a=b", "c=d", "--tag=e=f", "--resume", "~g", "h=i")
    assert train["tag"] == ["a=b", "e=f"]
    assert train["resume"] == "~g"
    assert train["train"] == ["c=d", "h=i"]


def test_the_override_flag_is_the_same_as_a_bare_word(folder: Path) -> None:
    (train,) = calls(folder, "train", "a=1", "--override", "b=2", "c=3")
    assert train["train"] == ["a=1", "b=2", "c=3"]


def test_what_follows_two_dashes_is_left_to_invoke(folder: Path) -> None:
    (train,) = calls(folder, "train", "a=1", "--", "b=2", "runs")
    assert (train["train"], train["rest"]) == (["a=1"], "b=2 runs")


@pytest.mark.parametrize(
    "value",
    [
        "a b",
        "",
        "'x'",
        '"x y"',
        "[1,2]",
        "{a: 1}",
        "x=y=z",
        "$(touch canary)",
        "-1",
        "--as-json",
        "runs",
        "a\nb",
        "ü",
    ],
)
def test_values_arrive_verbatim(folder: Path, value: str) -> None:
    (train,) = calls(folder, "train", f"data.name={value}", "--as-json")
    assert train["train"] == [f"data.name={value}"]
    assert train["json"] is True


def context() -> ParserContext:
    flags = [Argument("override", kind=list), Argument("resume"), Argument("json", kind=bool, default=False)]
    return ParserContext("train", args=flags)


keys = st.from_regex(r"[A-Za-z_][A-Za-z0-9_./@:-]*", fullmatch=True)
prefixes = st.sampled_from(["", "+", "++", "~"])


@settings(deadline=None)
@given(st.lists(st.tuples(prefixes, keys, st.text())))
def test_any_override_arrives_verbatim_and_in_order(parts: Sequence[tuple[str, str, str]]) -> None:
    overrides = [f"{prefix}{key}={value}" for prefix, key, value in parts]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parser, "ParseMachine", FrontDoorMachine)
        result = parser.Parser([context()], initial=ParserContext()).parse_argv(
            ["train", *overrides, "--json"]
        )
    assert result[-1].args["override"].value == overrides
    assert result[-1].args["json"].value is True


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["trian"], "trian: no such task -> did you mean 'train'?"),
        (["train", "a=1", "rnus"], "rnus: no such task -> did you mean 'runs'?"),
        (["xyz"], "xyz: no such task -> choose one of: begin, both, runs, show, train"),
        (["train", "--as-jsn"], "--as-jsn: no such flag of train -> did you mean '--as-json'?"),
        (["train", "--hepl"], "--hepl: no such flag of train -> did you mean '--help'?"),
        (["--lisst"], "--lisst: no such flag -> did you mean '--list'?"),
        (["runs", "model=x"], "model=x: runs takes no overrides -> scripts/inv --help runs"),
        (
            ["model=x", "train"],
            "model=x: an override before any task -> name the task first: scripts/inv train model=x",
        ),
        (
            ["train", "=x"],
            "'=x' stands alone: train takes overrides and flags -> write KEY=VALUE; scripts/inv --help train",
        ),
        (["runs", "--limit", "many"], "--limit: 'many' is not a whole number -> scripts/inv --help runs"),
        (["train", "--resume"], "--resume: its value is missing -> scripts/inv --help train"),
        (["train", "--tag"], "--tag: its value is missing -> scripts/inv --help train"),
        (["show"], "show: no run is named -> scripts/inv show RUN"),
        (["show", "--xyzzy"], "--xyzzy: no such flag of show -> scripts/inv --help show"),
        (["both"], "both: no a and no b are named -> scripts/inv both A B"),
        (["both", "latest"], "both: no b is named -> scripts/inv both latest B"),
        (["both", "latest", "--b"], "--b: no such flag of both -> scripts/inv both latest B"),
        (["both", "latest", "--as-jsn"], "--as-jsn: no such flag of both -> did you mean '--as-json'?"),
        (["both", "1", "2", "3"], "'3' stands alone: both takes A and B -> scripts/inv --help both"),
        (["begin"], "begin: no id is named -> scripts/inv begin ID"),
        (["sh"], "sh: no such task -> did you mean 'show'?"),
        (["show", "a", "b"], "'b' stands alone: show takes one RUN -> scripts/inv --help show"),
        (["runs", "a_2"], "'a_2' stands alone: runs takes flags -> write --name a_2"),
        (["runs", "--name", "a", "8"], "'8' stands alone: runs takes flags -> write --limit 8"),
        (
            ["train", "resnet50"],
            "'resnet50' stands alone: train takes overrides and flags -> write KEY=VALUE; "
            "scripts/inv --help train",
        ),
        (["train", "--run.name=a"], "--run.name: no such flag of train -> write run.name=a, without dashes"),
        (["train", "--seed", "3"], "--seed: no such flag of train -> write seed=3, without dashes"),
        (["runs", "--run.name=a"], "--run.name: no such flag of runs -> did you mean '--name'?"),
    ],
)
def test_a_wrong_command_says_what_would_be_right(
    folder: Path, words: list[str], line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadCommand) as refused:
        parsed(folder, words, monkeypatch)
    assert refused.value.args == (f"UsageError: {line}",)


def test_a_wrong_command_is_one_line_and_exit_2(folder: Path) -> None:
    done = inv(folder, "train", "a=1", "rnus")
    line = "UsageError: rnus: no such task -> did you mean 'runs'?\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", line)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("compare", "compare: no such task -> did you mean 'compare-baselines'?"),
        ("analyze", "analyze: no such task -> choose one of: analyze-errors, analyze-features"),
        ("report b_2026", "'b_2026' stands alone: report takes flags -> write --runs b_2026"),
        ("compare-baselines a b", "'a' stands alone: compare-baselines takes flags -> write --candidate a"),
        (
            "compare-baselines --candidate a b",
            "'b' stands alone: compare-baselines takes flags -> write --candidate b",
        ),
        ("predict --run best", "predict: no path is named -> scripts/inv predict PATH"),
        ("diff", "diff: no first run and no second run are named -> scripts/inv diff A B"),
        ("diff tiny", "diff: no second run is named -> scripts/inv diff tiny B"),
        ("evaluate a b", "'b' stands alone: evaluate takes one RUN -> scripts/inv --help evaluate"),
        ("reproduce latest --hre", "--hre: no such flag of reproduce -> did you mean '--here'?"),
        ("doctor xyz", "'xyz' stands alone: nothing here takes a value -> scripts/inv --help doctor"),
        (
            "cross-validate --folds 3",
            "--folds: no such flag of cross-validate -> "
            "folds are made first: scripts/inv data-split --dataset NAME --scheme kfold --folds 3",
        ),
    ],
)
def test_a_wrong_word_names_the_verb_or_flag_that_was_meant(
    words: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadCommand) as refused:
        parsed(ROOT, words.split(), monkeypatch)
    assert refused.value.args == (f"UsageError: {line}",)


@pytest.mark.parametrize("words", [("prune", "--keep", "x"), ("show",), ("train", "--nme")])
def test_a_wrong_command_that_asks_for_json_gets_it(words: tuple[str, ...]) -> None:
    done = inv(ROOT, *words, "--json")
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert error["exit_code"] == 2
    assert done.stderr == f"UsageError: {error['problems'][0]} -> {error['hint']}\n"


def test_a_positional_value_may_be_a_tasks_name(folder: Path) -> None:
    assert calls(folder, "show", "train") == [{"show": "train"}]


def completed(folder: Path, *words: str) -> list[str]:
    """What bash offers after these words, by the script that `inv` prints for it."""
    script = """
        source <(inv --print-completion-script bash)
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        [[ $(complete -p inv) =~ "-F "([^ ]+) ]]
        "${BASH_REMATCH[1]}" inv "${COMP_WORDS[-1]}" && printf '%s\\n' "${COMPREPLY[@]}"
    """
    environment = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}
    command = ["bash", "-c", script, "bash", *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completes_tasks_and_flags(folder: Path) -> None:
    assert completed(folder, "inv", "tra") == ["train"]
    assert completed(folder, "inv", "train", "--re") == ["--resume"]
    assert completed(folder, "inv", "train", "model=resnet50", "--as") == ["--as-json"]
    assert completed(folder, "inv", "train", "a=1", "sh") == ["show"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_a_completion_script_for_each_shell(folder: Path, shell: str) -> None:
    done = inv(folder, "--print-completion-script", shell)
    assert done.returncode == 0
    assert "--complete --" in done.stdout


def test_the_list_names_every_verb_on_a_line_of_its_own() -> None:
    done = inv(ROOT, "--list")
    assert done.returncode == 0
    lines = [line.split(maxsplit=1) for line in done.stdout.splitlines() if line.startswith("  ")]
    assert [name for name, _ in lines] == [
        *("analyze-errors", "analyze-features", "audit-tracking", "bench", "check"),
        *("compare-baselines", "cross-validate"),
        *("data-audit", "data-delta", "data-import", "data-phantom", "data-pull", "data-push", "data-split"),
        *("diagnose", "diff", "doctor", "estimate", "evaluate", "export", "export-runs", "extract-features"),
        *(
            "findings-check",
            "monitor",
            "plan",
            "plan-check",
            "plan-render",
            "predict",
            "prune",
            "queue-cancel",
            "queue-status",
            "queue-watch",
        ),
        *("quickstart", "report", "reproduce"),
        *("research-new", "research-run", "research-status", "ruff", "runs", "show"),
        *("sweep", "sweep-agent", "sweep-best", "sweep-refine", "sweep-report", "sweep-status"),
        *("test", "train", "wandb-sync", "warm"),
    ]
    assert all(about.endswith(".") for _, about in lines)


@pytest.mark.parametrize("words", [("both", "--help"), ("both", "latest", "-h"), ("--help", "both")])
def test_help_is_shown_to_who_has_no_words_yet(folder: Path, words: tuple[str, ...]) -> None:
    done = inv(folder, *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Two." in done.stdout


def test_help_shows_that_overrides_are_bare_and_which_flags_take_values() -> None:
    done = inv(ROOT, "--help", "plan")
    assert done.returncode == 0
    assert "inv plan data=phantom experiment=quickstart" in done.stdout
    said = " ".join(done.stdout.split())
    assert "--focus=STRING architecture, training, data or sweep (may be given again)" in said
    assert "--name=STRING of the plan:" in said
    assert "--debug show the traceback" in said


def test_the_list_loads_nothing_heavier_than_invoke() -> None:
    script = (
        "import invoke.main, sys; before = set(sys.modules); import tasks;"
        "print(sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['ctexp', 'tasks']"
