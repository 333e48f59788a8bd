"""On six histories of real trainings: what is found, and what is proposed for the next night."""

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ctexp.planning.plan.document import Plan
from ctexp.planning.plan.load import load
from tests.planning.histories.six import HISTORIES
from tests.project import inv

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SECTIONS = (
    "## 1. Executive summary",
    "## 2. Experiment schedule",
    "## 3. Shell script",
    "## 4. Resource estimates",
    "## 5. Post-experiment analysis plan",
)


@dataclass(frozen=True)
class Looked:
    """What the verbs say of a history.

    Attributes:
        project: its folder.
        diagnosis: of `inv diagnose --json`.
        told: of `inv plan --json`.
        plan: that it wrote; `page` its document.
    """

    project: Path
    diagnosis: dict[str, Any]
    told: dict[str, Any]
    plan: Plan
    page: str

    def finding(self, kind: str) -> dict[str, Any]:
        """What was found of one kind."""
        found: dict[str, Any] = next(one for one in self.diagnosis["findings"] if one["kind"] == kind)
        return found

    @property
    def seen(self) -> set[str]:
        """The kinds that were seen."""
        return {one["kind"] for one in self.diagnosis["findings"] if one["state"] == "seen"}

    @property
    def moves(self) -> set[str]:
        """The moves that the plan makes."""
        return {one["move"] for one in self.told["experiments"] if one["move"]}


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Looked]:
    """Every history, built, diagnosed and planned for."""
    folder = tmp_path_factory.mktemp("histories")
    return {name: _looked(build(folder / name)) for name, build in HISTORIES.items()}


def _looked(project: Path) -> Looked:
    diagnosis = json.loads(inv(project, "diagnose", "--json").stdout)
    told = json.loads(inv(project, "plan", "tonight", "--window", "2h", "--json").stdout)
    file = project / "research" / "plans" / "tonight.yaml"
    plan = load(file, "research/plans/tonight.yaml").plan
    return Looked(project, diagnosis, told, plan, file.with_suffix(".md").read_text())


def test_one_run_that_learned_by_heart(histories: dict[str, Looked]) -> None:
    its = histories["overfitting"]

    assert {"overfitting", "noise_floor_unknown"} <= its.seen
    assert its.finding("overfitting")["confidence"] != "high"  # on one seed
    assert its.diagnosis["established"] == []
    assert len(_seeds(its.plan, "baseline")) >= 3
    assert its.moves & {"strong_augmentation", "standard_augmentation", "mixup", "dropout"}
    assert not its.moves & {"higher_lr", "longer_training", "no_augmentation", "class_balanced_sampler"}


def test_a_leaky_split_voids_what_was_seen_and_the_pair_is_remembered(histories: dict[str, Looked]) -> None:
    its = histories["leaky_pair"]

    assert its.diagnosis["bottleneck"] == "leakage"
    assert its.finding("leakage")["confidence"] == "high"
    assert its.finding("confused_pair")["state"] == "seen"
    assert set(its.finding("confused_pair")["about"]) >= {"adenocarcinoma", "squamous_cell_carcinoma"}
    assert "data.split=clean" in its.plan.common
    assert its.plan.baseline in its.plan.experiments  # nothing older can be compared with
    assert "pairwise_confusion" in its.moves
    assert not its.moves & {"class_balanced_sampler", "class_balanced_loss", "balanced_softmax"}
    assert "void" in its.page


def test_what_has_converged_is_not_cured_of_what_it_has_not(histories: dict[str, Looked]) -> None:
    its = histories["converged"]

    well = {
        "leakage",
        "overfitting",
        "underfitting",
        "imbalance",
        "instability",
        "calibration",
        "label_noise",
    }
    assert not its.seen & well
    assert not its.moves & {
        "lower_lr",
        "strong_augmentation",
        "mixup",
        "class_balanced_sampler",
        "longer_training",
    }
    tried = {one["move"] for one in _considered(its.project) if one["tried"] or one["elsewhere"]}
    assert tried == {"dropout", "ema"}
    assert its.finding("noise_floor_unknown")["state"] == "not seen"


def test_noise_gets_seeds_and_no_claims(histories: dict[str, Looked]) -> None:
    its = histories["noise"]

    assert its.diagnosis["established"] == []
    assert "nothing" in its.diagnosis["said"].lower()
    assert its.moves == set()
    assert all(one.success is None for one in its.plan.experiments.values())
    assert len(_seeds(its.plan, "baseline")) >= 3
    assert "Nothing is established yet" in its.page
    assert "nothing will be claimed" in its.page
    assert its.told["outlook"] == []


def test_a_learning_rate_that_is_too_high_is_lowered(histories: dict[str, Looked]) -> None:
    its = histories["unstable"]

    assert "instability" in its.seen
    assert "lower_lr" in its.moves
    assert "higher_lr" not in its.moves


def test_a_rare_class_is_balanced(histories: dict[str, Looked]) -> None:
    its = histories["rare_class"]

    assert its.finding("imbalance")["state"] == "seen"
    assert "squamous_cell_carcinoma" in its.finding("imbalance")["about"]
    assert len(its.moves & {"class_balanced_sampler", "class_balanced_loss", "balanced_softmax"}) >= 2
    assert not its.moves & {"strong_augmentation", "mixup", "lower_lr"}


def test_the_six_plans_are_six_plans(histories: dict[str, Looked]) -> None:
    asked = {
        name: {tuple(one.overrides) for one in its.plan.experiments.values()}
        for name, its in histories.items()
    }

    for one, other in itertools.combinations(histories, 2):
        assert asked[one] != asked[other], (one, other)


@pytest.mark.parametrize("name", HISTORIES)
def test_a_proposed_plan_is_sound_and_renders(name: str, histories: dict[str, Looked]) -> None:
    its = histories[name]

    checked = json.loads(inv(its.project, "plan-check", "tonight", "--json").stdout)
    inv(its.project, "plan-render", "tonight")

    assert [one["job"] for one in checked["schedule"]["jobs"]] == [
        one["job"] for one in its.told["schedule"]["jobs"]
    ]
    assert all(one["fits"] != "no" for one in checked["schedule"]["jobs"])
    assert (its.project / "scripts" / "tonight.sh").is_file()
    assert next(iter(its.plan.experiments)) == "smoke"
    assert [line for line in its.page.splitlines() if line.startswith("## ")] == list(SECTIONS)


@pytest.mark.parametrize("name", HISTORIES)
def test_every_recommendation_cites_runs_and_says_what_would_refute_it(
    name: str, histories: dict[str, Looked]
) -> None:
    its = histories[name]
    runs = {path.name for path in (its.project / "runs").iterdir()}

    for one in its.told["experiments"]:
        assert one["refuted_by"], one["experiment"]
        assert all(cited in runs or "/" in cited for cited in one["cites"]), one["experiment"]
    assert any(one["cites"] for one in its.told["experiments"])


@pytest.mark.parametrize("name", HISTORIES)
def test_the_same_history_gives_the_same_bytes(name: str, histories: dict[str, Looked]) -> None:
    plans = histories[name].project / "research" / "plans"
    before = {path.name: path.read_bytes() for path in sorted(plans.iterdir())}
    for path in plans.iterdir():
        path.unlink()

    inv(histories[name].project, "plan", "tonight", "--window", "2h")

    assert {path.name: path.read_bytes() for path in sorted(plans.iterdir())} == before


def _seeds(plan: Plan, name: str) -> list[int]:
    return plan.experiments[name].seeds or plan.seeds


def _considered(project: Path) -> list[dict[str, Any]]:
    """Every move with what is believed of it."""
    told = json.loads(inv(project, "plan", "--explain", "--json").stdout)
    moves: list[dict[str, Any]] = told["moves"]
    return moves
