"""The rendered script: what stands in it, and what bash makes of it when nothing goes wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from ctexp.planning.render.seal import origin
from tests.planning.render import stub
from tests.planning.render.plans import EVERYTHING, plan_of, script_of

GOLDEN = Path(__file__).parents[2] / "golden"
SHELLCHECK = Path(sys.executable).with_name("shellcheck")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the script of the plan with everything."""
    folder = tmp_path / "a place; with 'quotes' and $(spaces)"
    stub.make_place(folder, script_of(plan_of()), ["resnet18-s42"])
    return folder


def test_the_script_is_as_it_was_agreed_on() -> None:
    assert script_of(plan_of()) == (GOLDEN / "backbones.sh").read_text()


def test_the_same_plan_gives_the_same_bytes() -> None:
    assert script_of(plan_of()) == script_of(plan_of())
    free_text = plan_of(goal="something else", notes="$(touch canary)")
    assert script_of(free_text) == script_of(plan_of())


@pytest.mark.parametrize("analysis", [[], ["compare"], ["compare", "errors", "report"]])
def test_shellcheck_has_nothing_to_say(analysis: list[str], tmp_path: Path) -> None:
    small = {"resnet18": {"overrides": ["model=resnet18"]}}
    for number, plan in enumerate(
        [plan_of(analysis=analysis), plan_of(analysis=analysis, experiments=small)]
    ):
        script = tmp_path / f"{number}.sh"
        script.write_text(script_of(plan))
        subprocess.run([SHELLCHECK, script], check=True)


def test_what_is_not_a_job_stays_short() -> None:
    script = script_of(plan_of(experiments={"resnet18": {}}, seeds=[1]))
    assert len(script.splitlines()) < 280
    assert all(len(line) <= 120 for line in script_of(plan_of()).splitlines())


def test_the_winner_s_words_stand_between_common_and_own_ones(place: Path) -> None:
    (place / "keys").write_text("tuned-s42\ntuned-s43:oom\n")
    (place / "base").write_bytes(b"model=densenet121\0x=[a b, '$(touch canary)'\n]\0")
    assert stub.bash(place / "scripts" / "plan.sh").returncode == 0
    first, second = stub.calls(place)[:2]
    common, winner = first[3:5] + EVERYTHING["common"], ["model=densenet121", "x=[a b, '$(touch canary)'\n]"]
    assert first[3:] == [*common, *winner, "optim.weight_decay=0.1", "run.name=backbones-tuned", "seed=42"]
    own = ["optim.weight_decay=0.1", "data.batch_size=8", "run.name=backbones-tuned-oom", "seed=43"]
    assert second[3:] == [*common, *winner, *own]
    assert not list(place.rglob("canary"))


def test_no_job_begins_without_the_words_of_its_base(place: Path) -> None:
    (place / "keys").write_text("tuned-s42\nresnet18-s42\n")
    (place / "base").touch()
    (place / "base_code").write_text("3")
    assert stub.bash(place / "scripts" / "plan.sh").returncode == 3
    assert not [call for call in stub.calls(place) if call[0] == "run"]


@pytest.mark.parametrize("code", [1, 5, 75, 124])
def test_what_run_says_ends_the_night(place: Path, code: int) -> None:
    (place / "keys").write_text("resnet18-s42\nresnet18-s43\n")
    (place / "work").write_text(f"[[ $command != run ]] || exit {code}")
    assert stub.bash(place / "scripts" / "plan.sh").returncode == code
    called = stub.calls(place)
    assert [call[1] for call in called if call[0] == "run"] == ["resnet18-s42"]
    steps = [call[1] for call in called if call[0] == "step"]
    assert steps[-1:] == ([] if code == 5 else ["report"])  # nothing can be written on a full disk
    assert (place / "end").read_text() == f"{code}\n"


def test_what_next_says_ends_the_night(place: Path) -> None:
    (place / "next_code").write_text("5")
    assert stub.bash(place / "scripts" / "plan.sh").returncode == 5
    assert not [call for call in stub.calls(place) if call[0] == "run"]


def test_a_key_of_another_script_is_refused(place: Path) -> None:
    (place / "keys").write_text("other-s1\n")
    ended = stub.bash(place / "scripts" / "plan.sh")
    assert ended.returncode == 1
    assert "no job other-s1 in this script" in ended.stdout


def test_a_failed_step_does_not_keep_others_from_being_done(place: Path) -> None:
    (place / "work").write_text("[[ $command != step ]] || exit 3")
    assert stub.bash(place / "scripts" / "plan.sh").returncode == 0
    assert [call[1] for call in stub.calls(place)][1:] == [
        "compare",
        *(f"errors-{name}" for name in ("densenet121", "resnet18", "folds", "tuned")),
        "report",
    ]


def test_begin_gets_plan_script_and_options(place: Path) -> None:
    stub.bash(place / "scripts" / "plan.sh", "--resume", "--only", "resnet18-s42")
    told = (place / "begin").read_text().split("\0")
    script = str(place.resolve() / "scripts" / "plan.sh")
    ours = ["--plan", "research/plans/backbones.yaml", "--sha256", "0" * 64, "--script", script, "--"]
    assert told == [*ours, "--resume", "--only", "resnet18-s42", ""]


def test_a_rehearsal_shows_every_command_and_does_nothing(place: Path) -> None:
    (place / "thought").write_text("touch next-was-asked")
    ended = stub.bash(place / "scripts" / "plan.sh", "--dry-run")
    lines = ended.stdout.splitlines()
    assert ended.returncode == 0
    assert lines[0] == "checks passed"
    assert [line.split(": inv ")[0] for line in lines[1:5]] == [
        "densenet121-s42",
        "densenet121-s43",
        "resnet18-s42",
        "    resnet18-s42:oom",
    ]
    common = "data.name=tiny trainer.max_epochs=3 'data.windows=[lung, soft]'"
    own = "model=resnet18 optim.lr=1e-3 run.name=backbones-resnet18 seed=42"
    assert lines[3] == f"resnet18-s42: inv train {common} {own}"
    assert any("BASE..." in line for line in lines if line.startswith("tuned-s42:"))
    assert lines[-1] == "report: inv report --queue QUEUE --baseline backbones-resnet18"
    assert not stub.calls(place)
    assert not (place / "queue").exists()
    assert not (place / "next-was-asked").exists()


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (["--only", "folds"], ["folds-s1"]),
        (["--only=tuned-s42"], ["tuned-s42", "tuned-s42:oom"]),
        (["--only", "folds-s1,densenet121"], ["densenet121-s42", "densenet121-s43", "folds-s1"]),
    ],
)
def test_a_rehearsal_of_some_jobs(place: Path, words: list[str], keys: list[str]) -> None:
    lines = stub.bash(place / "scripts" / "plan.sh", "--dry-run", *words).stdout.splitlines()
    assert [line.split(": inv ")[0].strip() for line in lines if "seed=" in line] == keys


def test_help_needs_no_environment(tmp_path: Path) -> None:
    script = tmp_path / "alone.sh"
    script.write_text(script_of(plan_of()))
    ended = stub.bash(script, "--help")
    assert ended.returncode == 0
    for said in ("--dry-run", "--detach", "Exit codes", "research/plans/backbones.yaml", "0" * 64):
        assert said in ended.stdout
    assert "set -u" not in ended.stdout


def test_no_environment_is_said_before_anything_is_done(tmp_path: Path) -> None:
    script = tmp_path / "scripts" / "alone.sh"
    script.parent.mkdir()
    script.write_text(script_of(plan_of()))
    ended = stub.bash(script)
    assert ended.returncode == 4
    assert f"no .venv in {tmp_path}" in ended.stderr


def test_a_script_started_within_another_night_begins_its_own(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = {"CTEXP_QUEUE_DIR": "/somewhere/else", "CTEXP_ROOT": "/somewhere"}
    monkeypatch.setattr(stub, "environment", lambda: {"PATH": "/usr/bin:/bin"} | foreign)
    assert stub.bash(place / "scripts" / "plan.sh").returncode == 0
    assert (place / "begin_root").read_text() == f"{place.resolve()}\n"


def test_the_script_does_not_end_before_the_screen_has_it_all(place: Path) -> None:
    slow = place / ".venv" / "bin" / "tee"
    slow.write_text('#!/bin/bash\nsleep 0.7; exec /usr/bin/tee "$@"\n')
    slow.chmod(0o755)
    with (place / "screen").open("w") as screen:
        words = ["bash", str(place / "scripts" / "plan.sh")]
        subprocess.run(words, stdout=screen, env=stub.environment(), check=True)
    assert (place / "screen").read_text().endswith("the night is over\n")


def test_an_edit_by_hand_is_seen() -> None:
    script = script_of(plan_of()).encode()
    assert origin(script) == "rendered"
    assert origin(script.replace(b"seed=42", b"seed=43", 1)) == "edited"
    assert origin(b"#!/bin/sh\necho hello\n") == "foreign"
    assert origin(b"") == "foreign"
