"""What is known of images and noise before anything is concluded: leaks, the noise floor, seed variance."""

from dataclasses import replace

import pytest

from ctexp.planning.diagnosis.rules import RULES, leakage
from ctexp.planning.study.noise import pooled
from tests.planning.diagnosis.made import answers, difference, evidence, facts, recipe


def test_leaked_validation_images_are_counted() -> None:
    found = leakage(facts(val=(23, 21, 15, 13), leaks={"val": 23}))
    assert (found.state, found.confidence, found.about) == ("seen", "high", ("val",))
    assert found.said.startswith("23 of 72 (32 %, 22 to 43) validation images have a copy in training")
    assert found.evidence["leaks"]["val"]["leaked"] == 23
    assert "data.split=clean" in found.refuted_by


def test_leaks_of_test_alone_are_told_as_such() -> None:
    data = facts(leaks={"test": 46})
    data = replace(data, rows=dict(data.rows) | {"test": {"normal": 54, "adenocarcinoma": 261}})
    found = leakage(data)
    assert found.about == ("test",)
    assert found.said.startswith("46 of 315 (15 %, ")


def test_images_nobody_has_looked_at_are_unknown_and_those_without_copies_sound() -> None:
    assert leakage(None).state == "unknown"
    unseen = leakage(facts(leaks_known=False))
    assert unseen.state == "unknown"
    assert "inv data-audit" in unseen.said
    told = leakage(facts(shortcut="width and height alone tell normal (0.81, 0.75 to 0.86)"))
    assert (told.state, told.confidence) == ("not seen", "high")
    assert "width and height alone" in told.said


@pytest.mark.parametrize(
    ("values", "state", "confidence"),
    [
        ([[0.8], [0.7]], "seen", "moderate"),
        ([[0.8, 0.82]], "seen", "low"),
        ([[0.8, 0.82, 0.81]], "not seen", "low"),
        ([[0.8, 0.82, 0.81], [0.8, 0.82, 0.81]], "not seen", "moderate"),
    ],
)
def test_the_noise_floor_needs_seeds(values: list[list[float]], state: str, confidence: str) -> None:
    seeds = len(values[0])
    seen = evidence(answers([20] * 4, 3, seeds), incumbent=recipe(seeds=range(1, seeds + 1)))
    seen = replace(seen, noise=pooled(values))
    found = RULES["noise_floor_unknown"](seen)
    assert (found.state, found.confidence) == (state, confidence)


def test_a_floor_of_other_recipes_is_hardly_one() -> None:
    seen = replace(evidence(answers([20] * 4, 3)), noise=pooled([[0.8, 0.82, 0.81, 0.8, 0.79]]))
    found = RULES["noise_floor_unknown"](seen)
    assert (found.state, found.confidence) == ("not seen", "low")


NOISE = pooled([[0.80, 0.84, 0.76, 0.80], [0.78, 0.82, 0.80, 0.85], [0.79, 0.85, 0.83]])


def test_differences_that_seeds_alone_make() -> None:
    others = [recipe("sgd", (1, 2, 3)), recipe("mixup", (1, 2, 3))]
    drowned = evidence(
        answers([20] * 4, 3, 3),
        others=others,
        noise=NOISE,
        differences=[difference("sgd", 0.03), difference("mixup", -0.02)],
    )
    found = RULES["seed_variance"](drowned)
    assert (found.state, found.confidence) == ("seen", "moderate")
    assert found.evidence["seeds_alone"]["sgd"] > 0.03
    beyond = replace(drowned, differences=(difference("sgd", 0.2), difference("mixup", -0.02)))
    assert RULES["seed_variance"](beyond).state == "not seen"
    nothing_claimed = replace(drowned, differences=(difference("sgd", 0.01), difference("mixup", -0.004)))
    assert RULES["seed_variance"](nothing_claimed).state == "not seen"
    assert RULES["seed_variance"](replace(drowned, differences=())).state == "unknown"
