"""The shipped experiments: a plan without a warning, handlers that load, the whole loop on tiny images."""

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from ctexp.research.handlers.load import load as load_handler
from ctexp.research.places import Places
from ctexp.research.plan.content import ResearchPlan
from ctexp.research.plan.load import load as load_plan
from ctexp.research.record import Answer
from tests.project import HERE, add_tiny_set, git, inv, make_project

UNTRACKED = "logger=none"
"""Of every training; all else stands in the handlers, or no answer would count."""

LESS = {
    '"data.image_size=64", "trainer.max_epochs=40"': '"data.image_size=16", "data.batch_size=16", '
    '"trainer.max_epochs=1", "trainer.accelerator=cpu"',
    "range(1, 11)": "range(1, 5)",
    "runs[:5], runs[5:]": "runs[:2], runs[2:]",
    "range(1, 6)": "range(1, 3)",
}
"""Smaller images, an epoch, and fewer seeds: sixteen trainings instead of forty."""


@pytest.fixture(scope="module")
def plan() -> ResearchPlan:
    return load_plan(Places(HERE).plan, "research/research_plan.yaml")


def parts(plan: ResearchPlan) -> list[tuple[str, str]]:
    return [(one.id, sub.id) for one in plan.experiments.values() for sub in one.subs]


def test_the_shipped_plan_loads_without_a_warning_and_has_a_page_for_each_experiment(
    plan: ResearchPlan,
) -> None:
    assert plan.warnings == ()
    assert list(plan.experiments) == ["noise_floor", "radiomics", "duplicates"]
    places = Places(HERE)
    for experiment in plan.experiments.values():
        page = places.page(experiment.id).read_text()
        criteria = {name.rpartition("/")[2] for name in experiment.criteria}
        told = {sub.id for sub in experiment.subs} | criteria
        assert {word for word in told if f"`{word}`" not in page} == set()


def test_every_shipped_handler_loads_and_its_made_up_figures_cover_the_criteria(
    plan: ResearchPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])  # where handlers look for their neighbours
    declared = set()
    for experiment, sub in parts(plan):
        handler = load_handler(Places(HERE), experiment, sub)
        assert handler.name == f"e_{sub}"
        assert handler.stub["finding"]
        declared |= {f"{experiment}:{name}" for name in handler.stub["metrics"]}
    wanted = {
        f"{one.id}:{name.rpartition('/')[2]}" for one in plan.experiments.values() for name in one.criteria
    }
    assert wanted <= declared


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as it is shipped, with fewer seeds; its synthetic set is noise with a bright square."""
    folder = make_project(tmp_path_factory.mktemp("research") / "project")
    for name in ("handlers", "experiments"):
        shutil.copytree(
            HERE / "research" / name, folder / "research" / name, ignore=shutil.ignore_patterns("__*")
        )
    for handler in Places(folder).handlers.rglob("*.py"):
        text = handler.read_text()
        for many, few in LESS.items():
            text = text.replace(many, few)
        handler.write_text(text)
    shutil.copy(Places(HERE).plan, Places(folder).plan)
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=research")
    add_tiny_set(folder, "phantom", train=40, val=16)
    return folder


def run(project: Path, *words: str, code: int = 0) -> str:
    """`research-run`; what it printed last."""
    done = inv(project, "research-run", *words, UNTRACKED, code=code)
    return done.stdout.splitlines()[-1]


def answer(project: Path, experiment: str, sub: str) -> Answer:
    return Answer.read(Places(project).record(experiment, sub))


def trainings(project: Path) -> list[Path]:
    return sorted((project / "runs").glob("*-*/manifest.json"))


def status(project: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(inv(project, "research-status", "--json").stdout)
    return document


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_whole_loop(project: Path, plan: ResearchPlan) -> None:
    assert run(project, "--experiment-id", "all", "--stub-mode") == "Completed: 7 Failed: 0"
    assert git(project, "status", "--porcelain") == ""  # of made-up figures nothing is ever committed
    assert not trainings(project)

    assert run(project, "--experiment-id", "all") == "Completed: 7 Failed: 0"
    # Those of the single pathway, and of the set without copies, are the first ones of noise_floor.
    assert len(trainings(project)) == 4 + 2 * 2 + 4 * 2
    audit = answer(project, "duplicates", "audit")
    assert {name: figure.value for name, figure in audit.metrics.items()}["planted"] == 28
    first = {pair: answer(project, *pair) for pair in parts(plan)}
    assert all(len(its.metrics) > 0 and not its.stub for its in first.values())

    assert (
        run(project, "--experiment-id", "all") == "Completed: 7 Failed: 0"
    )  # nothing is missing or has changed
    assert {pair: answer(project, *pair) for pair in parts(plan)} == first

    handler = Places(project).handler("duplicates", "audit")
    whole = handler.read_text()
    handler.write_text(whole.replace("    plant(runner)\n", "    plant(runner.daat)\n"))
    assert run(project, "--experiment-id", "duplicates", "--force", code=12) == "Completed: 2 Failed: 1"
    broken = answer(project, "duplicates", "audit")
    assert broken.error is not None
    assert broken.error.kind == "AttributeError"
    assert "plant(runner.daat)" in broken.error.traceback
    others = [answer(project, "duplicates", sub) for sub in ("augmented", "memorised")]
    assert all(its.started > broken.started for its in others)  # they came after it, and finished
    assert len(trainings(project)) == 16  # and trained nothing twice

    handler.write_text(whole)
    assert run(project, "--experiment-id", "duplicates", "--rerun-failed") == "Completed: 1 Failed: 0"
    assert answer(project, "duplicates", "audit").error is None
    assert [answer(project, "duplicates", sub) for sub in ("augmented", "memorised")] == others


@pytest.mark.slow
def test_one_digit_changed_is_found(project: Path) -> None:
    assert "recomputed, all equal" in inv(project, "findings-check").stdout

    page = Places(project).experiment_findings("noise_floor")
    whole = page.read_text()
    number = re.search(r"0\.\d{3}(?= \(95 % CI)", whole)
    assert number is not None
    changed = number[0][:-1] + str((int(number[0][-1]) + 1) % 10)
    page.write_text(whole[: number.start()] + changed + whole[number.end() :])
    line = whole[: number.start()].count("\n") + 1
    said = inv(project, "findings-check", code=12).stdout
    assert re.search(rf"noise_floor/FINDINGS\.md:{line}: says \+?{re.escape(changed)} ", said)
    page.write_text(whole)

    cited = project / "runs" / answer(project, "noise_floor", "spread").runs[0] / "result.json"
    content = cited.read_bytes()
    cited.write_bytes(
        re.sub(rb'("val/macro_f1": \{\s+"value": 0\.\d)\d', rb"\g<1>0", content, count=1) + b" "
    )
    assert cited.parent.name in inv(project, "findings-check", code=12).stdout
    cited.write_bytes(content)
    assert "recomputed, all equal" in inv(project, "findings-check").stdout
