"""The night after a sweep: its best is judged anew, and a closer look taken where that pays."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ctexp.core.errors import DataError, UsageError
from ctexp.planning.plan.load import load
from ctexp.planning.proposal import wishes
from ctexp.planning.proposal.confirming import found, written
from ctexp.planning.proposal.confirming.finer import finer
from ctexp.planning.proposal.confirming.found import Found
from ctexp.planning.proposal.confirming.written import Written
from ctexp.planning.proposal.documents import Wishes
from ctexp.sweeps.space import Values
from ctexp.sweeps.trials import Row
from tests.planning.proposal.projects import with_images
from tests.project import add_tiny_set
from tests.sweeps.reading import samples

NOW = datetime(2026, 11, 21, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose phantom set is small, and a sweep of its own for each test."""
    folder = with_images(tmp_path_factory.mktemp("confirmed"))
    add_tiny_set(folder, "phantom", val=48)
    return folder


def a_sweep(root: Path, rows: Sequence[Row], file: str = samples.FILE) -> Found:
    its = samples.a_sweep(root / "runs", file=file)
    return found.of(replace(its, rows=tuple(rows)), 0.05)


def values(lr: float) -> Values:
    return {"optimizer.lr": lr, "optimizer.weight_decay": 0.01, "loss": "focal"}


def spread(error: float | None) -> list[Row]:
    """Trials of which those with a rate near 1e-3 are best by far."""
    return [
        samples.a_trial(n, values(10 ** -(2 + n / 4)), 0.7 - 0.1 * abs(n - 4), error=error, seconds=60.0)
        for n in range(9)
    ]


def proposed(root: Path, its: Found, name: str, window: str = "8h") -> Written:
    return written.write(its, wishes.read(name, window=window), root, NOW, overwrite=False)


def test_the_best_is_judged_by_seeds_that_had_no_part_in_choosing_it(root: Path) -> None:
    rows = [
        samples.trained(root / "runs", n, values(lr), skill)
        for n, lr, skill in ((0, 1e-3, 0.4), (1, 1e-4, 2.5))
    ]
    its = a_sweep(root, rows)
    told = proposed(root, its, "after")
    assert its.established[1].startswith("trial 1, with optimizer.lr=0.0001 ")
    assert any("will show less when trained anew" in line for line in its.not_established)
    assert its.not_established[-1].startswith("whether it is better than what all trials began with")

    plan = load(root / "research" / "plans" / "after.yaml", "research/plans/after.yaml").plan
    assert plan == told.night.plan
    assert list(plan.experiments) == ["baseline", "best"]
    assert plan.seeds == [45, 46, 47, 48, 49]  # the sweep had 42 to 44
    assert plan.common == ["data=phantom", "model=tiny_cnn"]
    assert plan.experiments["best"].overrides == list(its.best.words)
    assert plan.experiments["best"].success is not None
    page = (root / "research" / "plans" / "after.md").read_text()
    assert "## What it has not" in page
    assert "seeds (45, 46, 47, 48, 49), none of which has chosen anything" in page
    assert [path.name for path in told.paths] == ["after.yaml", "after.md"]


def test_a_closer_look_follows_more_than_chance(root: Path) -> None:
    clear = proposed(root, a_sweep(root, spread(0.01)), "clear")
    assert list(clear.night.plan.experiments) == ["baseline", "best", "finer", "finer-best"]
    closer = clear.night.plan.experiments["finer"]
    assert (closer.kind, closer.sweep, closer.seeds) == ("sweep", "clear_finer", [42])
    assert clear.paths[-1] == root / "conf" / "sweep" / "clear_finer.yaml"
    assert "settings matter" in clear.finer
    assert not [line for line in clear.night.warnings if "flatters" in line]

    short = proposed(root, a_sweep(root, spread(0.01)), "short", window="24m")
    assert short.finer.startswith("no room")
    assert list(short.night.plan.experiments) == ["baseline", "best"]
    assert len(short.paths) == 2
    assert [path.name for path in (root / "conf" / "sweep").glob("*_finer.yaml")] == ["clear_finer.yaml"]

    drowned = finer(a_sweep(root, spread(0.2)))
    assert (drowned.text, "nothing says where to look closer" in drowned.why) == (None, True)
    unknown = finer(a_sweep(root, spread(None)))
    assert (unknown.text, "nobody knows what of a trial's figure is chance" in unknown.why) == (None, True)


def test_what_makes_no_night(root: Path) -> None:
    its = a_sweep(root, spread(None))
    with pytest.raises(UsageError, match=r"too short for 3 seeds a side") as short:
        proposed(root, its, "brief", window="6m")
    assert short.value.hint.startswith("give it more: --window ")
    asked = Wishes("other", focus=("data",), metric="val/ece")
    with pytest.raises(UsageError) as refused:
        written.write(its, asked, root, NOW, overwrite=False)
    assert [line.partition(":")[0] for line in refused.value.problems] == ["--focus", "--goal"]
    with pytest.raises(DataError, match="no trial of it has finished"):
        a_sweep(root, [samples.a_trial(0, values(1e-3), None, state="failed")])
    same = [samples.a_trial(0, {"model.dropout": 0.0}, 0.5), samples.a_trial(1, {"model.dropout": 0.5}, 0.4)]
    space = "parameters:\n  model.dropout: {values: [0.0, 0.5]}\n"
    file = f"method: grid\n{space}ctexp: {{overrides: [model=tiny_cnn]}}\n"
    with pytest.raises(DataError, match="its best trial is what all trials began with"):
        proposed(root, a_sweep(root, same, file), "same")
    assert not (root / "research" / "plans" / "same.yaml").exists()


def test_which_sweep_a_word_means(tmp_path: Path) -> None:
    for name in ("lr_20261120-200000_aaaaaa", "lr_20261121-200000_bbbbbb", "lr_wd_20261122-200000_cccccc"):
        (tmp_path / "sweeps" / name).mkdir(parents=True)
    assert found.meant(tmp_path, "lr") == "lr_20261121-200000_bbbbbb"
    assert found.meant(tmp_path, "lr_20261120") == "lr_20261120-200000_aaaaaa"
    assert found.meant(tmp_path, "lr_wd") == "lr_wd_20261122-200000_cccccc"
    assert found.meant(tmp_path, "l") is None
    assert found.meant(tmp_path / "nowhere", "lr") is None


def test_the_latest_is_a_sweep_where_no_other_training_is_newer(tmp_path: Path) -> None:
    assert found.meant(tmp_path, "latest") is None
    (tmp_path / "sweeps" / "lr_20261121-200000_aaaaaa").mkdir(parents=True)
    for name in ("lr-t0_20261121-200100_bbbbbb", "plain_20261121-195900_cccccc"):
        (tmp_path / name).mkdir()
    assert found.meant(tmp_path, "latest") == "lr_20261121-200000_aaaaaa"
    (tmp_path / "plain_20261121-200200_dddddd").mkdir()
    assert found.meant(tmp_path, "latest") is None
