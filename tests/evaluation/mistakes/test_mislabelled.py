"""Confident learning against cleanlab, on tables of several sizes; what it must withhold."""

from dataclasses import replace

import numpy as np
import pytest
from cleanlab.count import compute_confident_joint, get_confident_thresholds
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_normalized_margin_for_each_label

from ctexp.core.classes import CLASSES
from ctexp.evaluation.mistakes.mislabelled import counted_as, mislabelled, normalised_margin, thresholds
from tests.evaluation.conftest import draw
from tests.evaluation.mistakes.tables import cases, drawn


@pytest.mark.parametrize(("n", "skill", "seed"), [(60, 0.5, 1), (315, 1.5, 2), (1000, 3.0, 3)])
def test_thresholds_joint_and_ranks_are_cleanlab_s(n: int, skill: float, seed: int) -> None:
    found = drawn(n, skill, seed)
    labels, probabilities = found.label, found.probabilities

    np.testing.assert_allclose(
        thresholds(labels, probabilities), get_confident_thresholds(labels, probabilities), atol=1e-8
    )
    np.testing.assert_allclose(
        (normalised_margin(labels, probabilities) + 1) / 2,
        get_normalized_margin_for_each_label(labels, probabilities),
        atol=1e-8,
    )
    counted = counted_as(labels, probabilities)
    joint = np.zeros((4, 4), int)
    np.add.at(joint, (labels[counted >= 0], counted[counted >= 0]), 1)
    expected = compute_confident_joint(labels, probabilities, calibrate=False)
    assert (joint - np.diag(joint.diagonal()) == expected - np.diag(expected.diagonal())).all()


@pytest.mark.parametrize("seed", range(5))
def test_the_suspects_hold_cleanlab_s_in_its_order(seed: int) -> None:
    found = drawn(400, 1.5, seed)
    theirs = find_label_issues(
        found.label,
        found.probabilities,
        filter_by="confident_learning",
        return_indices_ranked_by="normalized_margin",
        n_jobs=1,
    )
    # It leaves out those whose label is the likeliest class after all.
    margins = normalised_margin(found.label, found.probabilities)
    place = {image_id: row for row, image_id in enumerate(found.image_id)}
    ours = [place[one.image_id] for one in mislabelled(found).suspects]

    assert [row for row in ours if margins[row] < 0] == theirs.tolist()


def test_labels_swapped_by_hand_come_first() -> None:
    right = drawn(300, 6.0, 4)
    assert not right.wrong[:5].any()
    labels = right.label.copy()
    labels[:5] = (labels[:5] + 1) % len(CLASSES)

    found = mislabelled(replace(right, label=labels))

    assert {one.image_id for one in found.suspects[:5]} == set(right.image_id[:5])
    assert (
        found.suspects[0].probably == CLASSES[right.label[right.image_id.index(found.suspects[0].image_id)]]
    )
    assert "no proofs" in found.said


def test_images_that_were_learned_from_are_withheld() -> None:
    found = mislabelled(cases(draw(50, 1.0), out_of_sample=False))

    assert not found.suspects
    assert "have learned from these images" in found.withheld


def test_a_class_without_images_is_no_candidate() -> None:
    every = drawn(200, 1.0, 5)
    found = mislabelled(replace(every, label=np.where(every.label == 1, 0, every.label)))

    assert found.suspects
    assert CLASSES[1] not in found.thresholds
    assert CLASSES[1] not in {one.probably for one in found.suspects}


def test_a_model_that_knows_nothing_accuses_itself() -> None:
    assert "against the model" in mislabelled(drawn(200, 0.0, 6)).said
