"""Five seeds each on synthetic images: a true difference is found, one of seeds alone is not claimed."""

import json
from pathlib import Path
from typing import Any

import pytest

from ctexp.warm.parent import Parent
from tests.project import inv, make_project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

RECIPE = ("experiment=quickstart", "data.image_size=48", "logger=none", "trainer.accelerator=cpu")


def train(warm: Parent, project: Path, name: str, seeds: range, epochs: int) -> None:
    for seed in seeds:
        words = (*RECIPE, f"run.name={name}", f"seed={seed}", f"trainer.max_epochs={epochs}")
        inv(project, "train", *words, CTEXP_WARM=str(warm.socket))


def compare(project: Path, baseline: str, candidate: str, *words: str, code: int = 0) -> dict[str, Any]:
    said = inv(
        project,
        *("compare-baselines", "--baseline", baseline, "--candidate", candidate, "--json", *words),
        code=code,
    ).stdout
    document: dict[str, Any] = json.loads(said)
    return document


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_project(tmp_path_factory.mktemp("verdicts") / "project")
    inv(folder, "data-phantom")
    with Parent(folder) as warm:
        train(warm, folder, "trained", range(1, 6), 25)
        train(warm, folder, "trained-again", range(6, 11), 25)
        train(warm, folder, "hardly", range(1, 6), 3)
    return folder


def test_a_true_difference_is_found_whichever_way_it_is_asked_for(project: Path) -> None:
    found = compare(project, "hardly", "trained", "--require", "better")["candidates"][0]
    assert found["metrics"]["macro_f1"]["verdict"] == "better"
    assert found["metrics"]["accuracy"]["verdict"] == "better"
    assert found["metrics"]["macro_f1"]["low"] > 0
    reversed_ = compare(project, "trained", "hardly")["candidates"][0]
    assert reversed_["metrics"]["macro_f1"]["verdict"] == "worse"
    assert reversed_["decision"] == "abandon"


def test_seeds_alone_make_no_difference(project: Path) -> None:
    found = compare(project, "trained", "trained-again")["candidates"][0]
    assert {metric["verdict"] for metric in found["metrics"].values()} == {"undecided"}
    assert found["metrics"]["macro_f1"]["seed_source"] == "measured"
    assert found["decision"] != "promote"
    compare(project, "trained", "trained-again", "--require", "better", code=12)
