"""From a folder of runs to recipes: what belongs together, what is left out, and that it is told."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctexp.core import files
from ctexp.core.errors import DataError, UsageError
from tests import judged
from tests.planning.study.projects import a_run, in_order, project, read, titles
from tests.project import HERE


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A project, in which each run is begun a minute after the one before."""
    with in_order():
        yield project(tmp_path)


def test_no_runs_make_an_empty_study(root: Path) -> None:
    found = read(root)
    assert (found.recipes, found.incumbent, found.dataset, found.data) == ((), None, None, None)
    assert (found.notes, found.primary) == ((), "val/macro_f1")
    assert not (root / "runs").exists()


def test_seeds_of_one_configuration_are_one_recipe(root: Path) -> None:
    runs = [a_run(root, "base", seed, "optimizer.lr=3e-4", "run.description=a") for seed in (2, 1)]
    other = a_run(root, "wide", 1)
    found = read(root)
    assert titles(found) == ["wide", "base"]
    base = found.recipe("base")
    assert base.seeds == (1, 2)
    assert base.cites == (runs[1].id, runs[0].id)
    assert base.words == ("optimizer.lr=3e-4",)
    assert base.settings["optimizer.lr"] == 3e-4
    assert not {"seed", "run.name", "paths.data", "logger.name"} & base.settings.keys()
    assert found.values(base, "val/macro_f1") == {
        seed: run.read().result.metrics["val/macro_f1"].value  # type: ignore[union-attr]
        for seed, run in zip((2, 1), runs, strict=True)
    }
    assert (found.dataset, found.split, found.recipe("wide").cites) == ("phantom", "official", (other.id,))


def test_metrics_that_are_not_printed_are_worked_out_of_predictions(root: Path) -> None:
    run = a_run(root)
    result = files.read_json(run.result)
    printed = {"val/macro_f1": result["metrics"]["val/macro_f1"]}
    files.write_json(run.result, result | {"metrics": printed})
    found = read(root)
    told = json.loads(run.metrics.read_text())["splits"]["val"]["metrics"]["val/auprc"]
    value = found.values(found.recipes[0], "val/auprc")[1]
    assert value == pytest.approx(told["value"])
    assert found.image_error("val/auprc") == pytest.approx((told["high"] - told["low"]) / 3.92, rel=1e-3)


def test_two_names_of_one_configuration_are_one_recipe(root: Path) -> None:
    for name, seed in (("base", 1), ("base", 2), ("again", 3)):
        a_run(root, name, seed)
    found = read(root)
    [recipe] = found.recipes
    assert (recipe.title, recipe.names, recipe.seeds) == ("base", ("base", "again"), (1, 2, 3))
    assert "base and again are one configuration, told as base" in found.notes


def test_a_name_of_two_configurations_names_neither(root: Path) -> None:
    first, second = a_run(root, "base", 1), a_run(root, "base", 2, "optimizer.lr=3e-4")
    assert titles(read(root)) == [second.id, first.id]


def test_of_two_runs_of_a_seed_the_newer_counts(root: Path) -> None:
    a_run(root, skill=1)
    newer = a_run(root, skill=2)
    [recipe] = read(root).recipes
    assert recipe.cites == (newer.id,)


def test_runs_that_were_lost_stay_with_their_recipe(root: Path) -> None:
    a_run(root, "base", 1)
    a_run(root, "base", 2, state="diverged")
    hot = a_run(root, "hot", 1, "optimizer.lr=10", state="diverged")
    found = read(root)
    [base] = found.recipes
    assert [run.state for run in base.lost] == ["diverged"]
    assert [(one.title, one.words, one.runs, one.lost[0].id) for one in found.failed] == [
        ("hot", ("optimizer.lr=10",), (), hot.id)
    ]


def test_where_all_were_lost_that_is_what_is_known(root: Path) -> None:
    a_run(root, "hot", 1, state="diverged")
    found = read(root)
    assert (found.dataset, found.recipes, found.incumbent) == ("phantom", (), None)
    assert [one.title for one in found.failed] == ["hot"]
    assert found.data is not None


def test_smoke_runs_say_nothing(root: Path) -> None:
    smoke = a_run(root, "smoke", 1, dataset=judged.dataset(sample=8))
    found = read(root)
    assert (found.recipes, found.notes) == ((), ("1 training on a sample of the images left out",))
    refusal = judged.refusal(lambda: read(root, smoke.id), DataError)
    assert refusal.startswith(f"{smoke.id}: trained on a sample of the images only")
    a_run(root, "base", 1)
    a_run(root, "smoke", 2, dataset=judged.dataset(sample=8))
    assert titles(read(root)) == ["base"]


def test_a_study_is_of_the_newest_images_and_tells_of_others(root: Path) -> None:
    a_run(root, "old", 1)
    a_run(root, "old", 2)
    clean = judged.dataset(split="clean", split_sha256="1" * 64)
    a_run(root, "new", 1, dataset=clean)
    found = read(root)
    assert (found.split, titles(found)) == ("clean", ["new"])
    assert found.notes == ("2 trainings on other images left out: phantom, split official",)
    assert titles(read(root, "old")) == ["old"]
    assert titles(read(root, start="old")) == ["old"]


def test_another_version_of_the_same_data_set_is_other_images(root: Path) -> None:
    a_run(root, "old", 1)
    a_run(root, "new", 1, dataset=judged.dataset(catalog_sha256="1" * 64))
    found = read(root)
    assert titles(found) == ["new"]
    said = "1 training on other images left out: phantom, split official, another version of the data set"
    assert found.notes == (said,)


def test_what_is_named_has_to_be_of_one_set_of_images(root: Path) -> None:
    a_run(root, "old", 1)
    a_run(root, "new", 1, dataset=judged.dataset(split="clean", split_sha256="1" * 64))
    refusal = judged.refusal(lambda: read(root, "old", "new"), UsageError)
    assert "old: phantom, split official\nnew: phantom, split clean" in refusal
    refusal = judged.refusal(lambda: read(root, "old", start="new"), UsageError)
    assert "cannot be compared" in refusal


def test_a_name_on_two_sets_of_images_names_no_recipe(root: Path) -> None:
    a_run(root, "base", 1)
    newer = a_run(root, "base", 1, dataset=judged.dataset(split="clean", split_sha256="1" * 64))
    assert titles(read(root)) == [newer.id]


def test_only_what_is_named_is_looked_at(root: Path) -> None:
    a_run(root, "base", 1)
    wide = a_run(root, "wide", 1, "optimizer.lr=3e-4")
    a_run(root, "hot", 1, "optimizer.lr=10", state="diverged")
    found = read(root, wide.id[:10])
    assert (titles(found), found.failed) == (["wide"], ())
    assert titles(read(root, "wide", "base")) == ["wide", "base"]
    assert titles(read(root, "latest")) == ["wide"]
    assert titles(read(root, str(wide.path))) == ["wide"]


def test_what_means_nothing_that_was_judged_is_refused(root: Path) -> None:
    a_run(root, "base", 1)
    a_run(root, "hot", 1, state="diverged")
    assert "hot: no training of it was judged yet" in judged.refusal(lambda: read(root, "hot"), DataError)
    assert "no run 'bsae'" in judged.refusal(lambda: read(root, "bsae"), DataError)
    assert "no baseline is set yet" in judged.refusal(lambda: read(root, "baseline"), DataError)
    empty = project(root / "empty")
    assert "no runs yet" in judged.refusal(lambda: read(empty, "base"), DataError)


def test_damage_is_told_and_hides_nothing_else(root: Path) -> None:
    a_run(root, "base", 1)
    torn, unset = a_run(root, "torn", 1), a_run(root, "unset", 1)
    torn.manifest.write_text("{")
    unset.config.write_text("optimizer: [")
    found = read(root)
    assert titles(found) == ["base"]
    assert found.notes == (
        f"damaged records, left out: {torn.id}",
        f"{unset.id}: its configuration cannot be read, left out",
    )


def test_a_training_cut_short_by_the_night_is_another_recipe(root: Path) -> None:
    a_run(root, "base", 1)
    in_time = a_run(root, "base", 2, "trainer.max_minutes=30")
    short = a_run(root, "base", 3, "trainer.max_minutes=5", state="timeout")
    found = read(root)
    less, whole = found.recipes
    assert (whole.seeds, whole.words, whole.cites[1]) == ((1, 2), (), in_time.id)
    assert whole.settings["trainer.max_minutes"] is None
    assert (less.seeds, less.words) == ((3,), ("trainer.max_minutes=5",))
    assert f"trained less than they were to, as time ran out: {short.id}" in found.notes


def test_a_limit_that_some_seeds_reached_and_some_did_not_is_one_recipe(root: Path) -> None:
    a_run(root, "base", 1, "trainer.max_minutes=5")
    a_run(root, "base", 2, "trainer.max_minutes=5", state="timeout")
    [recipe] = read(root).recipes
    assert (recipe.title, recipe.seeds, recipe.words) == ("base", (1, 2), ("trainer.max_minutes=5",))


def test_a_fallback_is_a_recipe_of_its_own(root: Path) -> None:
    a_run(root, "wide", 1, state="diverged")
    a_run(root, "wide-diverged", 1, "optimizer.lr=3e-4")
    found = read(root)
    assert (titles(found), [one.title for one in found.failed]) == (["wide-diverged"], ["wide"])


def test_uncommitted_changes_are_told(root: Path) -> None:
    run = a_run(root, git=judged.CLEAN.model_copy(update={"dirty": True}))
    assert read(root).notes == (f"trained with uncommitted changes, which their records hold: {run.id}",)


def test_records_of_the_first_version_are_read(root: Path) -> None:
    old = "tiny-baseline_20261121-050417_ab2cd3"
    (root / "runs").mkdir()
    (root / "runs" / old).symlink_to(HERE / "tests" / "old_records" / "v1" / old)
    a_run(root, "base", 1)
    found = read(root, "tiny-baseline")
    [recipe] = found.recipes
    assert (recipe.title, found.mean(recipe, found.primary) is not None) == ("tiny-baseline", True)
    assert found.data is not None
    assert found.curves(recipe.runs[0])
    assert titles(read(root)) == ["tiny-baseline"]


def test_the_test_split_stays_closed(root: Path) -> None:
    tables = {"val": judged.predictions(), "test": judged.predictions(prefix="test")}
    a_run(root, "wide", 1, "optimizer.lr=3e-4", skill=2)
    a_run(root, "base", 1, tables=tables).predictions("test").write_bytes(b"nobody reads this")
    found = read(root)
    assert found.difference(found.recipe("base"), found.recipe("wide"), "val/macro_f1").difference is not None
    assert found.values(found.recipe("base"), "val/recall_normal")
    assert set(found.answers(found.recipe("base")).tables[0].group) == {f"val{i}" for i in range(80)}


def test_the_newest_three_hundred_are_enough(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctexp.planning.study.reading.NEWEST", 2)
    for seed in (1, 2, 3):
        a_run(root, "base", seed)
    found = read(root)
    assert found.recipes[0].seeds == (2, 3)
    assert found.notes == ("1 training older than the newest 2 left out",)
