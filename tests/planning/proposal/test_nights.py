from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from ctexp.config import verdict
from ctexp.planning.diagnosis.findings import Diagnosis, Finding, Kind
from ctexp.planning.proposal.nights import kind_of
from ctexp.planning.study.recipes import Recipe, Trained
from ctexp.planning.study.study import Study
from tests.project import HERE


def recipe(title: str, seeds: int) -> Recipe:
    runs: tuple[Any, ...] = tuple(Trained(seed, None, None) for seed in range(seeds))  # type: ignore[arg-type]
    return Recipe(title, (), {}, runs)


def study(*recipes: Recipe) -> Study:
    first = recipes[0] if recipes else None
    return Study(Path(), Path(), "set", "official", recipes, first, "", None, verdict.load(HERE))


def diagnosis(*seen: Kind, **changes: Any) -> Diagnosis:
    findings = tuple(
        Finding(kind, "seen" if kind in seen else "not seen", f"it is about {kind}", about=("val",))
        for kind in get_args(Kind)
    )
    first = next((one.kind for one in findings if one.state == "seen"), None)
    plain = Diagnosis("set", "official", 1, 1, "base", findings, first, (), "All is said.")
    return replace(plain, **changes)


def test_with_no_history_it_is_the_first_night() -> None:
    assert kind_of(study(), diagnosis())[0] == "first"


def test_copies_in_training_come_before_everything() -> None:
    night, said = kind_of(study(recipe("base", 1)), diagnosis("leakage", "instability", guessing=True))

    assert night == "clean split"
    assert "void" in said


def test_guesses_get_seeds_until_there_are_enough_of_them() -> None:
    guesses = diagnosis("noise_floor_unknown", "overfitting", guessing=True)

    assert kind_of(study(recipe("base", 1), recipe("other", 1)), guesses)[0] == "noise floor"
    assert kind_of(study(recipe("base", 5)), guesses)[0] == "ordinary"


def test_differences_that_drown_in_noise_get_seeds_until_there_are_enough_of_them() -> None:
    drowned = diagnosis("seed_variance")

    night, said = kind_of(study(recipe("base", 2), recipe("other", 2)), drowned)
    assert night == "noise floor"
    assert "nothing is claimed" in said
    assert kind_of(study(recipe("base", 5), recipe("other", 5)), drowned)[0] == "ordinary"


def test_single_runs_with_nothing_else_to_hold_on_to_are_repeated() -> None:
    unknown = diagnosis("noise_floor_unknown")

    assert kind_of(study(recipe("base", 1), recipe("other", 1)), unknown)[0] == "noise floor"
    assert kind_of(study(recipe("base", 1)), unknown)[0] == "ordinary"


def test_what_was_seen_of_a_single_run_is_worth_a_night_that_begins_with_its_seeds() -> None:
    night, said = kind_of(study(recipe("base", 1)), diagnosis("noise_floor_unknown", "overfitting"))

    assert night == "ordinary"
    assert "seeds come first" in said


def test_the_night_says_first_what_is_to_be_seen_to_first() -> None:
    _, said = kind_of(
        study(recipe("base", 2)), diagnosis("noise_floor_unknown", "imbalance", bottleneck="imbalance")
    )

    assert said.startswith("It is about imbalance. It is about noise_floor_unknown. So the baseline's seeds")
