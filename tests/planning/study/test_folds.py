"""Cross-validations in a study: wholes with seeds, judged out of fold, on images of their own."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctexp.core import files
from ctexp.core.errors import DataError
from ctexp.record.cross_validation import CrossValidation, CrossValidationDir
from ctexp.record.run_dir import RunDir
from tests import judged
from tests.planning.study.projects import a_run, in_order, of_night, project, read, titles


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A project, in which each run is begun a minute after the one before."""
    with in_order():
        yield project(tmp_path)


def a_cross_validation(root: Path, seed: int = 1, *words: str, skill: float = 1.0) -> CrossValidationDir:
    """One of a seed, as each job of a night makes one."""
    place = judged.a_cross_validation(root / "runs", skill=skill)
    record = CrossValidation.read(place.record)
    for member in record.members:
        run = RunDir(root / "runs" / str(member.run_id))
        manifest = files.read_json(run.manifest)
        files.write_json(run.manifest, manifest | {"seed": seed})
    members = tuple(member.model_copy(update={"seed": seed}) for member in record.members)
    record.model_copy(update={"seeds": (seed,), "members": members, "overrides": words}).write(place.record)
    return place


def test_a_cross_validation_is_judged_out_of_fold(root: Path) -> None:
    place = a_cross_validation(root, 1, "optimizer.lr=3e-4")
    found = read(root)
    [recipe] = found.recipes
    assert (recipe.title, recipe.cites, recipe.cross_validations) == (place.id, (place.id,), (place.id,))
    assert (recipe.seeds, len(recipe.runs), recipe.verb) == ((1,), 2, "cross-validate")
    assert recipe.words == ("optimizer.lr=3e-4",)
    assert recipe.composed_of("a=b") == ["optimizer.lr=3e-4", "a=b", "data.split=kfold", "data.fold=0"]
    assert recipe.settings["data.fold"] == 0
    stored = json.loads(place.metrics.read_text())["splits"]["oof"]["metrics"]["oof/macro_f1"]
    assert found.values(recipe, "val/macro_f1") == {1: pytest.approx(stored["value"])}
    assert found.image_error("val/macro_f1") == pytest.approx(
        (stored["high"] - stored["low"]) / 3.92, rel=1e-3
    )
    assert (found.split, found.incumbent, len(found.answers(recipe).joint.label)) == ("kfold", recipe, 80)


def test_cross_validations_of_several_seeds_are_one_recipe(root: Path) -> None:
    first, second = a_cross_validation(root, 1), a_cross_validation(root, 2, skill=1.5)
    found = read(root)
    [recipe] = found.recipes
    assert (recipe.seeds, recipe.cross_validations) == ((1, 2), (second.id, first.id))
    assert found.values(recipe, "val/macro_f1").keys() == {1, 2}
    noise = found.noise("val/macro_f1")
    assert noise is not None
    assert (noise.df, noise.recipes) == (1, 1)


def test_a_lone_cross_validation_gives_way_to_what_can_be_compared(root: Path) -> None:
    a_run(root, "base", 1)
    place = a_cross_validation(root, 1)
    found = read(root)
    assert titles(found) == ["base"]
    assert found.notes == ("1 training on other images left out: phantom, split kfold",)
    assert titles(read(root, place.id)) == [place.id]
    assert titles(read(root, start="cv")) == [place.id]
    [fold, _] = [run.run.id for run in read(root, "cv").recipes[0].runs]
    assert titles(read(root, fold)) == [place.id], "a fold stands for its whole"
    a_cross_validation(root, 2)
    assert read(root).split == "kfold"


def test_a_night_of_cross_validations_begins_with_its_baseline(root: Path) -> None:
    a_run(root, "older", 1)
    for experiment, skill in (("plain", 1.0), ("other", 3.0)):
        for seed in (1, 2):
            words = ("optimizer.lr=3e-4",) if experiment == "other" else ()
            place = a_cross_validation(root, seed, *words, skill=skill)
            record = CrossValidation.read(place.record)
            origin = of_night("night", f"{experiment}-s{seed}")
            record.model_copy(update={"origin": origin}).write(place.record)
            if experiment == "other":
                for member in record.members:
                    config = RunDir(root / "runs" / str(member.run_id)).config
                    config.write_text(config.read_text().replace("lr: 0.0001", "lr: 0.0003"))
    night = str(origin.queue)
    files.write_json(root / "runs" / "queues" / night / "orders.json", {"baseline": "plain"})
    found = read(root, start="night")
    assert found.incumbent is not None
    assert [one.seeds for one in found.recipes] == [(1, 2), (1, 2)]
    assert (found.incumbent.words, found.why_incumbent) == ((), f"the baseline of {night}")


def test_a_cross_validation_that_is_half_done_says_nothing_yet(root: Path) -> None:
    a_run(root, "base", 1)
    place = a_cross_validation(root, 1)
    record = CrossValidation.read(place.record)
    half = record.members[1].model_copy(update={"run_id": None, "state": "pending"})
    record.with_member(half).write(place.record)
    found = read(root)
    assert titles(found) == ["base"]
    assert found.notes == (
        f"{place.id}: only 1 of 2 folds are judged, left out; finish it: "
        f"scripts/inv cross-validate --resume {place.id}",
    )
    assert "no training of it was judged yet" in judged.refusal(lambda: read(root, place.id), DataError)


def test_a_damaged_cross_validation_is_told(root: Path) -> None:
    a_run(root, "base", 1)
    place = a_cross_validation(root, 1)
    place.record.write_text("{")
    found = read(root)
    assert titles(found) == ["base"]
    assert len(found.notes) == 1
    assert place.id in found.notes[0]
