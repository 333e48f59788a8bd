"""`research-status` as it is called: nothing but real records of today makes anything met or opens a gate."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from invoke.exceptions import Exit

from ctexp.cli.verb import perform
from ctexp.research.figures import Cited, Derived, Figure
from ctexp.research.places import Places
from ctexp.research.running.experiment import Start, lock_of
from tests.project import HERE
from tests.research.answers import answer, failed, figure, handler, plan

PLAN = """\
project: {name: chest CT, hypothesis: noise hides nodules}
experiments:
  floor: {type: question, sub_experiments: [spread]}
  dose:
    name: Does noise hide nodules
    type: claim
    sub_experiments: [drawn, filtered]
    success_criteria:
      gain: {target: 0.02, acceptable: 0.01, failure: 0, direction: higher}
      val/loss: {target: 0.5, failure: 0.9}
    dependencies: [floor]
  filters: {type: claim, sub_experiments: [one], success_criteria: {mcc: 0.1}}
gates:
  night: {name: Worth a second night, experiments: [floor, dose], unlocks: [filters]}
"""


BY_HAND = PLAN.replace("    type: claim\n", "    type: claim\n    status: met\n").replace(
    "unlocks: [filters]}", "unlocks: [filters], status: open}"
)


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose first two experiments are answered, and met."""
    root = tmp_path_factory.mktemp("answered")
    (root / "conf").mkdir()
    shutil.copy(HERE / "conf" / "config.yaml", root / "conf")
    write(root, PLAN)
    return root


@pytest.fixture
def project(answered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it for one test, and the one that commands are about."""
    root = shutil.copytree(answered, tmp_path / "project")
    monkeypatch.setenv("CTEXP_ROOT", str(root))
    return root


def write(root: Path, text: str) -> None:
    """A plan, and good answers to what it asks."""
    plan(root, text)
    answer(root, "floor", "spread", {"sd": spread("net_1", "net_2")})
    answer(root, "dose", "drawn", {"gain": figure(0.05, 0.01)})
    answer(root, "dose", "filtered", {"val/loss": figure(0.4, 0.05)})


def spread(*runs: str) -> Figure:
    """A number of several trainings."""
    one = Cited(file="net_1/metrics.json", run="net_1", sha256="0" * 64, key=("val", "mcc"))
    of = tuple(
        Figure(value=0.5, source=one.model_copy(update={"run": run, "file": f"{run}/metrics.json"}))
        for run in runs
    )
    return figure(0.01, 0.002, source=Derived(formula="sd", of=of))


def status(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What `inv research-status --json` prints."""
    perform("research_status:research_status", {"json": True}, debug=False)
    document = json.loads(capsys.readouterr().out)
    assert isinstance(document, dict)
    return document


def told(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """What `inv research-status` prints, and what it warns of."""
    perform("research_status:research_status", {"json": False}, debug=False)
    streams = capsys.readouterr()
    return streams.out, streams.err


def states(document: dict[str, Any]) -> dict[str, str]:
    return {one["id"]: one["state"] for one in document["experiments"]}


def is_open(document: dict[str, Any]) -> bool:
    (gate,) = document["gates"]
    assert isinstance(gate["open"], bool)
    return gate["open"]


def refused(capsys: pytest.CaptureFixture[str], code: int) -> list[str]:
    with pytest.raises(Exit) as caught:
        perform("research_status:research_status", {"json": True}, debug=False)
    assert caught.value.code == code
    problems = json.loads(capsys.readouterr().out)["error"]["problems"]
    assert isinstance(problems, list)
    return problems


@pytest.mark.usefixtures("project")
def test_real_answers_of_today_are_met_and_open_the_gate(capsys: pytest.CaptureFixture[str]) -> None:
    document = status(capsys)
    assert states(document) == {"floor": "answered", "dose": "met", "filters": "open"}
    assert is_open(document)
    assert document["gates"][0]["why"] == ["floor: answered", "dose: met"]
    assert not document["experiments"][0]["met"]  # nothing was asked of it
    dose = document["experiments"][1]
    assert (dose["status"], dose["met"]) == ("completed", True)
    assert [one["verdict"] for one in dose["criteria"]] == ["met", "met"]
    gain = dose["criteria"][0]
    assert (gain["value"], gain["low"], gain["high"], gain["sub"]) == (
        0.05,
        pytest.approx(0.04),
        pytest.approx(0.06),
        "drawn",
    )
    assert document["next"] == ["scripts/inv research-new filters", "scripts/inv findings-check"]
    assert document["experiments"][0]["parts"][0]["metrics"] == {
        "sd": {"value": 0.01, "low": pytest.approx(0.008), "high": pytest.approx(0.012)}
    }
    assert document["disagreements"] == document["warnings"] == []


def never_was(root: Path) -> None:
    """A record that says to rest on no handler, where there is none."""
    Places(root).handler("dose", "drawn").unlink()
    file = Places(root).record("dose", "drawn")
    document = json.loads(file.read_text())
    document["basis"]["handler"] = None
    file.write_text(json.dumps(document))


def edited(before: str, after: str) -> Callable[[Path], None]:
    """Another plan, which the answers were not given to."""
    assert before in BY_HAND
    return lambda root: plan(root, BY_HAND.replace(before, after))


def results_by_hand(root: Path) -> None:
    """Results that somebody wrote, instead of a record."""
    places = Places(root)
    places.record("dose", "drawn").unlink()
    for file in (places.experiment_results("dose"), places.summary):
        file.write_text("status: completed\nassessment: {success_criteria_met: true}\n")


SPOILT: dict[str, Callable[[Path], object]] = {
    "a stub record": lambda root: answer(root, "dose", "drawn", {"gain": figure(0.05, 0.01)}, stub=True),
    "a missing metric": lambda root: answer(root, "dose", "drawn", {"other": figure(0.05, 0.01)}),
    "an undefined metric": lambda root: answer(root, "dose", "drawn", {"gain": Figure(value=None)}),
    "a metric told twice": lambda root: answer(
        root, "dose", "filtered", {"gain": figure(0.05), "val/loss": figure(0.4)}
    ),
    "a number without an interval": lambda root: answer(
        root, "dose", "drawn", {"gain": figure(0.05, low=None, high=None)}
    ),
    "an interval that crosses the target": lambda root: answer(
        root, "dose", "drawn", {"gain": figure(0.05, 0.04)}
    ),
    "a metric of the wrong direction": lambda root: answer(
        root, "dose", "filtered", {"val/loss": figure(0.95, 0.01)}
    ),
    "a failed handler": lambda root: failed(root, "dose", "drawn"),
    "a missing record": lambda root: Places(root).record("dose", "drawn").unlink(),
    "a damaged record": lambda root: Places(root).record("dose", "drawn").write_text('{"state": "completed"'),
    "a record of another part": lambda root: shutil.copy(
        Places(root).record("dose", "drawn"), Places(root).record("dose", "filtered")
    ),
    "a missing handler": lambda root: Places(root).handler("dose", "drawn").unlink(),
    "a handler that never was": never_was,
    "results by hand": results_by_hand,
    "a changed handler": lambda root: handler(root, "dose", "drawn", "def e_other(runner): ...\n"),
    "a target that was moved": edited("target: 0.02", "target: 0.03"),
    "a metric that nobody measured": edited("      gain:", "      mcc: 0.1\n      gain:"),
    "a part that nobody answered": edited("filtered]", "filtered, third]"),
    "a changed dependency": lambda root: handler(root, "floor", "spread", "def e_other(runner): ...\n"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_nothing_else_is_met_or_opens_a_gate_whatever_people_wrote(
    project: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    plan(project, BY_HAND)
    SPOILT[what](project)
    document = status(capsys)
    dose = document["experiments"][1]
    assert not dose["met"]
    assert dose["state"] != "met"
    assert dose["recommendation"] != "proceed"
    assert not is_open(document)
    assert states(document)["filters"] == "blocked"
    met, opened = document["disagreements"]
    assert "experiments.dose.status: says met, computed: not met (" in met
    assert opened.endswith("gates.night.status: says open, computed: closed")


def test_a_criterion_against_its_metric_is_refused_with_its_line(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan(project, PLAN.replace("{target: 0.5, failure: 0.9}", "{target: 0.1, direction: higher}"))
    assert refused(capsys, 2) == [
        "research/research_plan.yaml:10: experiments.dose.success_criteria.val/loss: "
        "smaller values of it are the better ones: direction lower"
    ]


def test_a_claim_without_criteria_and_an_experiment_without_parts_open_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project, PLAN.replace("floor: {type: question", "floor: {type: claim"))
    document = status(capsys)
    assert (states(document)["floor"], is_open(document)) == ("review", False)
    plan(project, PLAN.replace("type: question, sub_experiments: [spread]", "type: question"))
    document = status(capsys)
    assert (states(document)["floor"], is_open(document)) == ("open", False)
    plan(project, PLAN.replace("experiments: [floor, dose], ", ""))
    assert not is_open(status(capsys))


def test_a_question_without_criteria_counts_only_where_its_answer_is_to_be_believed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(project, "floor", "spread", {"sd": spread("net_1")})
    document = status(capsys)
    assert states(document)["floor"] == "answered"
    assert document["gates"][0]["why"] == ["floor: answered, confidence low", "dose: met"]
    assert not is_open(document)
    assert document["next"][0].startswith("decide what follows from floor (answered, confidence low): ")


def test_an_answer_that_the_command_line_bent_is_met_by_nobody(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = answer(project, "dose", "drawn", {"gain": figure(0.05, 0.01)})
    bent = made.basis.model_copy(update={"overrides": ("trainer.max_epochs=90",)})
    answer(project, "dose", "drawn", {"gain": figure(0.05, 0.01)}, basis=bent)
    (drawn, _) = status(capsys)["experiments"][1]["parts"]
    assert (drawn["state"], is_open(status(capsys))) == ("overridden", False)
    assert drawn["said"].startswith("made with trainer.max_epochs=90 on the command line")
    assert status(capsys)["next"][0] == "scripts/inv research-run --experiment-id dose"


def test_what_somebody_carries_out_is_running_and_not_suggested_again(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failed(project, "floor", "spread")
    with lock_of(Start(project, project / "data", project / "runs"), "floor"):
        document = status(capsys)
        assert [one["running"] for one in document["experiments"]] == [True, False, False]
        assert not any("floor" in step for step in document["next"])
        assert "\nrunning\n  floor\n" in told(capsys)[0]
    assert status(capsys)["next"][0] == "scripts/inv research-run --experiment-id floor --rerun-failed"


def test_it_prints_what_is_open_blocked_and_met_with_numbers_and_what_is_next(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(project, "dose", "drawn", {"gain": figure(0.05, 0.045)})
    failed(project, "floor", "spread")
    Places(project).handler("dose", "filtered").unlink()
    out, err = told(capsys)
    assert (
        out
        == """\
chest CT: noise hides nodules

open
  floor
    question, 0 of 1 parts answered
    spread: failed, ValueError: no such run

blocked
  dose  Does noise hide nodules
    claim, 1 of 2 parts answered
    waits: floor is not completed
    no handler yet: filtered
    wanted: gain at least 0.02
    wanted: val/loss at most 0.5
  filters
    claim, 0 of 1 parts answered
    waits: gate night is closed
    no handler yet: one
    wanted: mcc at least 0.1

gates
  night (Worth a second night): closed (floor: open, dose: blocked); unlocks filters

next: scripts/inv research-run --experiment-id floor --rerun-failed
"""
    )
    assert err == ""


def test_numbers_of_an_answered_experiment_stand_beside_their_thresholds(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(project, "dose", "drawn", {"gain": figure(0.05, 0.045)})
    out, _ = told(capsys)
    assert "claim, 2 of 2 parts answered, investigate, confidence" in out
    assert "    borderline: gain 0.050 (95 % CI 0.005 to 0.095): its interval crosses the target 0.02" in out
    assert "    met: val/loss 0.400 (95 % CI 0.350 to 0.450): the whole interval is at most the target" in out
    assert "    sd 0.010 (95 % CI 0.008 to 0.012)\n" in out  # of a question, which wants no number
    assert out.endswith("next: decide what follows from dose (review): research/results/dose/FINDINGS.md\n")


def test_without_a_plan_it_says_how_to_begin(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Places(project).plan.unlink()
    assert refused(capsys, 2) == ["research/research_plan.yaml: there is none"]
