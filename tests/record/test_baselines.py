"""`research/baselines.yaml`: what stands in it, and what it protects."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ctexp.core.errors import DataError
from ctexp.core.paths import baselines_file
from ctexp.record import baselines, prune
from ctexp.record.baselines import Baseline, Baselines
from ctexp.record.checkpoint_files import BEST
from tests import judged
from tests.record import samples


def a_baseline(title: str = "net", runs: tuple[str, ...] = ("net_20261121-050417_ab2cd3",)) -> Baseline:
    return Baseline(
        title=title,
        kind="name",
        runs=runs,
        folder=f"research/baselines/{title}",
        promoted=samples.BEGIN,
        command="scripts/inv compare-baselines --candidate net --promote",
        over="old: 'quoted' #1",
        split="val",
        metric="macro_f1",
        value=0.875,
        difference=0.05,
        difference_low=0.01,
        reason="three seeds\nall gates",
    )


def test_a_project_without_the_file_has_no_baseline(tmp_path: Path) -> None:
    assert baselines.read(tmp_path) == Baselines()
    assert baselines.current(tmp_path) is None


def test_a_new_baseline_keeps_those_before_it(tmp_path: Path) -> None:
    for title in ("first", "second", "third"):
        baselines.write(tmp_path, baselines.read(tmp_path).then(a_baseline(title)))
    assert baselines.current(tmp_path) == a_baseline("third")
    assert [one.title for one in baselines.read(tmp_path).earlier] == ["second", "first"]
    assert baselines_file(tmp_path).read_text().startswith("# What candidates are compared with")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("current: [", "baselines.yaml"),
        ("current:\n  title: a\n", "current.runs: Field required"),
        ("curent: null\n", "curent: Extra inputs are not permitted"),
        ("current: &a null\n", "baselines.yaml"),
        ("<<<<<<< HEAD\ncurrent: null\n", "baselines.yaml"),
    ],
)
def test_a_damaged_file_is_refused_with_the_way_back(tmp_path: Path, content: str, told: str) -> None:
    file = baselines_file(tmp_path)
    file.parent.mkdir()
    file.write_text(content)
    refused = judged.refusal(lambda: baselines.read(tmp_path), DataError)
    assert told in refused
    assert "git checkout -- " in refused


def test_prune_spares_what_was_ever_a_baseline(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    good, better, worse = (judged.a_run(runs, "net", seed, skill=seed) for seed in (2, 3, 1))
    old, new = (a_baseline(title, (run.id,)) for title, run in (("worse", worse), ("good", good)))
    baselines.write(tmp_path, Baselines().then(old).then(new))
    rules = prune.Rules(timedelta(days=7), "7d", keep=0)
    later = datetime.fromisoformat(samples.END) + timedelta(days=8)
    plan = prune.plan(runs, baselines_file(tmp_path), rules, later)
    assert set(plan.protected) == {good.id, worse.id}
    prune.carry_out(plan)
    assert [(run.checkpoints / BEST).exists() for run in (good, better, worse)] == [True, False, True]
