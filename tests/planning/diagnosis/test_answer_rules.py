"""What answers to validation images show: each rule on networks that are ill, and on those that are well."""

from dataclasses import replace

import numpy as np
import pytest

from ctexp.planning.diagnosis.evidence import pairs_of_sizes
from ctexp.planning.diagnosis.findings import Finding, Kind
from ctexp.planning.diagnosis.rules import OF_ANSWERS, RULES
from ctexp.planning.study.differences import Difference
from ctexp.planning.study.recipes import Recipe
from tests.planning.diagnosis import simulation
from tests.planning.diagnosis.made import answers, difference, evidence, facts, recipe, table

Tables = simulation.Tables


def asked(kind: Kind, made: Tables, train: tuple[int, ...] = (195, 115, 155, 148)) -> Finding:
    counts = np.bincount(next(iter(made.values())).label, minlength=4).tolist()
    return RULES[kind](evidence(made, data=facts(train=train, val=counts)))


def rarely_seen(seeds: int, missed: float) -> Tables:
    """Sound networks that call most squamous cell carcinomas adenocarcinomas."""
    changed = {}
    for seed, its in answers([50] * 4, 3, seeds).items():
        logits = its.logits.copy()
        hit = (its.label == 2) & (np.arange(200) % 100 < 100 * missed)
        logits[hit, 0] = logits[hit].max(axis=1) + 1
        changed[seed] = table(its.label, logits)
    return changed


def test_networks_that_are_well_hear_nothing() -> None:
    for made in (answers([60] * 4, 3, 3), answers([18] * 4, 2), answers([25] * 4, 2.5, 2, copies=3)):
        heard = simulation.spoke(made)
        assert not any(heard.values()), heard


def test_a_rare_class_that_is_missed() -> None:
    found = asked("imbalance", rarely_seen(3, 0.8), train=(100, 80, 10, 80))
    assert (found.state, found.confidence) == ("seen", "high")
    assert found.about == ("squamous_cell_carcinoma",)
    assert "10 of 270 training images" in found.said
    assert found.headroom is not None
    # A class in four that is hardly found, and its images, which spoil the precision of another.
    assert 0.2 < found.headroom < 0.35
    assert found.evidence["recall"]["high"] < found.evidence["recall_of_others"]
    assert asked("imbalance", rarely_seen(1, 0.8), train=(100, 80, 10, 80)).confidence == "moderate"


def test_a_missed_class_that_is_not_rare_is_no_imbalance_and_a_rare_one_that_is_found_neither() -> None:
    assert asked("imbalance", rarely_seen(3, 0.8), train=(100, 80, 90, 80)).state == "not seen"
    assert asked("imbalance", answers([50] * 4, 3, 3), train=(100, 80, 10, 80)).state == "not seen"


def test_a_rare_class_without_validation_images_is_unknown() -> None:
    found = asked("imbalance", answers([50, 50, 0, 50], 3), train=(100, 80, 10, 80))
    assert found.state == "unknown"


def test_a_confused_pair() -> None:
    found = asked("confused_pair", simulation.a_pair(240, 3.5, 3)(0))
    assert (found.state, found.confidence) == ("seen", "high")
    assert found.about == ("adenocarcinoma", "squamous_cell_carcinoma")
    assert "adenocarcinoma and squamous cell carcinoma taken for each other" in found.said
    assert asked("confused_pair", simulation.a_pair(240, 3.5, 1)(0)).confidence == "moderate"


def test_a_rare_class_that_is_missed_may_look_like_a_pair() -> None:
    found = asked("confused_pair", rarely_seen(3, 0.8), train=(100, 80, 10, 80))
    assert (found.state, found.confidence) == ("seen", "low")
    assert "rare" in found.why_so_sure


def test_three_cancers_that_look_alike_are_no_pair() -> None:
    [its] = answers([60] * 4, 3.5).values()
    logits = its.logits.astype(np.float64)
    rng = np.random.default_rng(1)
    logits[:, :3] = logits[:, :3].mean(axis=1, keepdims=True) + rng.normal(size=(240, 3)) * 3
    assert asked("confused_pair", {1: table(its.label, logits)}).state == "not seen"


def test_copies_of_one_error_are_one_witness() -> None:
    made = {}
    for seed, its in answers([15] * 4, 6).items():
        logits = its.logits.copy()
        logits[0, [0, 2]] = logits[0, [2, 0]]
        made[seed] = table(its.label, logits, copies=12)
    assert asked("confused_pair", made).state == "not seen"
    assert (next(iter(made.values())).logits.argmax(axis=1) != next(iter(made.values())).label).sum() >= 12


def test_networks_that_are_too_sure_or_not_sure_enough() -> None:
    too_sure = asked("calibration", answers([60] * 4, 2, 3, sharpness=2))
    assert (too_sure.state, too_sure.confidence) == ("seen", "high")
    assert "too sure" in too_sure.said
    assert too_sure.evidence["temperature"]["1"]["low"] > 1.25
    timid = asked("calibration", answers([60] * 4, 2, 1, sharpness=0.4))
    assert (timid.state, timid.confidence) == ("seen", "moderate")
    assert "not sure enough" in timid.said


def test_a_network_without_an_error_is_not_too_sure() -> None:
    assert asked("calibration", answers([18] * 4, 7)).state == "not seen"


def test_wrong_labels_are_wrong_where_the_network_is_sure() -> None:
    made = simulation.wrong_labels(600, 4, 3, 0.06)(0)
    found = asked("label_noise", made)
    assert (found.state, found.confidence) == ("seen", "moderate")
    assert found.evidence["explained"] < found.evidence["sure_and_wrong"]
    assert asked("label_noise", simulation.wrong_labels(600, 4, 1, 0.06)(0)).confidence == "low"
    assert asked("calibration", made).confidence in ("low", "high")
    unsure = asked("calibration", made)
    assert unsure.state == "not seen" or unsure.confidence == "low"


def test_labels_cannot_be_told_from_a_pair_that_is_confused() -> None:
    found = asked("label_noise", simulation.mislabelled(simulation.a_pair(600, 4, 3)(0), 0.06))
    assert found.state == "unknown"
    assert "taken for each other" in found.said


def test_sure_errors_of_one_pair_are_the_networks() -> None:
    found = asked("label_noise", rarely_seen(3, 0.4))
    assert found.state == "not seen"


def test_sizes_that_were_compared_decide_about_resolution() -> None:
    made = answers([60] * 4, 2, 3)
    base, larger = recipe(seeds=(1, 2, 3)), recipe("larger", (1, 2, 3), settings={"data.image_size": 320})
    large_images = facts(median_size=(429, 285))
    untried = RULES["resolution"](evidence(made, data=large_images))
    assert (untried.state, untried.confidence) == ("seen", "low")

    def compared(pair: Difference, *others: Recipe) -> Finding:
        seen = evidence(made, data=large_images, incumbent=base, others=others)
        return RULES["resolution"](replace(seen, of_sizes=(pair,)))

    for gain, state in ((0.08, "seen"), (-0.03, "not seen"), (0.02, "unknown")):
        assert compared(difference("larger", gain, 0.015), larger).state == state
    assert compared(difference("larger", 0.08, 0.015, source="assumed"), larger).said == untried.said


def test_sizes_that_were_compared_on_another_recipe_decide_too() -> None:
    made = answers([60] * 4, 2, 3)
    small = recipe("small", (1, 2), settings={"data.image_size": 48, "trainer.max_epochs": 6})
    bigger = recipe("bigger", (1, 2), settings={"data.image_size": 69, "trainer.max_epochs": 6})
    assert pairs_of_sizes([bigger, recipe(), small]) == [(small, bigger)]
    seen = evidence(made, data=facts(median_size=(429, 285)), others=[bigger, small])
    for gain, state in ((0.1, "seen"), (-0.1, "not seen"), (-0.01, "unknown")):
        pair = replace(difference("bigger", gain, 0.03), before="small")
        found = RULES["resolution"](replace(seen, of_sizes=(pair,)))
        assert found.state == state
        assert found.said.startswith("69 pixels instead of 48 are worth")
        assert "(bigger against small)" in found.said
        assert found.confidence in (None, "low")


def test_where_hardly_anything_is_wrong_resolution_is_not_suspected() -> None:
    found = RULES["resolution"](evidence(answers([60] * 4, 6), data=facts(median_size=(429, 285))))
    assert found.state == "not seen"


@pytest.mark.slow
def test_false_alarms_are_rare_and_faults_are_heard() -> None:
    """Bounds on the table that `python -m tests.planning.diagnosis.simulation` prints."""
    for make in (simulation.sound(72, 3, 3), simulation.sound(240, 2, 3), simulation.sound(1000, 2.5, 1)):
        heard = simulation.rates(make, 25)
        assert all(heard[kind] <= 0.1 for kind in (*OF_ANSWERS, "guessing")), heard
    assert simulation.rates(simulation.sound(240, simulation.GUESSES, 1), 20, ())["guessing"] >= 0.85
    assert simulation.rates(simulation.a_pair(240, 3.5, 3), 20, ("confused_pair",))["confused_pair"] >= 0.8
    assert simulation.rates(simulation.too_sure(240, 2, 3), 20, ("calibration",))["calibration"] >= 0.8
    noisy = simulation.wrong_labels(1000, 4, 3, 0.05)
    assert simulation.rates(noisy, 20, ("label_noise",))["label_noise"] >= 0.8
