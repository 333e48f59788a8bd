"""Importance and attribution of features, of networks whose reliance on each column is known."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.inspection import permutation_importance
from sklearn.metrics import log_loss
from torch import Tensor, nn

from ctexp.models.dual_pathway import DualPathway
from ctexp.training.judging.importance import (
    THRESHOLD,
    ColumnImportance,
    Subject,
    deals,
    integrated_gradients,
    permute,
    rank,
)

COLUMNS = ("used", "ignored", "shadow")
N = 60
LABELS = np.arange(N) % 4
GROUPS = np.arange(N)


def made_features(seed: int = 1) -> NDArray[np.float32]:
    """`used` tells the class; `shadow` follows `used`; `ignored` is noise."""
    rng = np.random.default_rng(seed)
    used = LABELS - 1.5 + rng.normal(0, 0.2, N)
    return np.stack([used, rng.normal(size=N), used + rng.normal(0, 0.3, N)], axis=1).astype(np.float32)


def reads_the_first(image: Tensor, features: Tensor) -> Tensor:
    """Logits that depend on the first column, and on the image, and on nothing else."""
    centres = torch.tensor([-1.5, -0.5, 0.5, 1.5])
    return -4 * (features[:, :1] - centres) ** 2 + 0.1 * image[:, :4]


def subject(
    joined: Callable[[Tensor, Tensor], Tensor] = reads_the_first, features: NDArray[np.float32] | None = None
) -> Subject:
    torch.manual_seed(3)
    values = made_features() if features is None else features
    return Subject(joined, torch.randn(N, 8), torch.from_numpy(values), torch.from_numpy(LABELS))


def judged(
    *subjects: Subject, repeats: int = 20, groups: NDArray[np.int64] = GROUPS
) -> dict[str, ColumnImportance]:
    orders = deals(groups, repeats)
    effects = [permute(one, orders) for one in subjects]
    attributions = [integrated_gradients(one) for one in subjects]
    found = rank(COLUMNS, effects, attributions, LABELS, groups, made_features())
    return {one.column: one for one in found}


def test_a_column_that_is_used_counts_and_one_that_is_ignored_is_exactly_0() -> None:
    found = judged(subject())

    assert next(iter(found)) == "used"
    assert found["used"].is_top
    assert found["used"].low > 1
    assert found["used"].low < found["used"].importance < found["used"].high
    assert found["used"].balanced_accuracy_drop > 0.5
    for column in ("ignored", "shadow"):
        assert found[column].importance == found[column].low == found[column].high == 0
        assert found[column].gradient_share == found[column].balanced_accuracy_drop == 0
        assert not found[column].is_top
    assert found["used"].gradient_share == 1


def test_a_column_is_told_with_the_one_it_goes_with() -> None:
    found = judged(subject())

    assert (found["used"].partner, found["shadow"].partner) == ("shadow", "used")
    assert found["used"].correlation == found["shadow"].correlation
    assert found["used"].correlation is not None
    assert found["used"].correlation > 0.9


def test_it_agrees_with_scikit_learn() -> None:
    asked = subject(
        lambda image, features: reads_the_first(image, features) + features[:, 1:2] * image[:, 4:8]
    )

    class Wrapped(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
        def fit(self, *_: object) -> "Wrapped":
            return self

        def predict_proba(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
            logits = asked.joined(asked.image, torch.from_numpy(features))
            return logits.double().softmax(dim=1).numpy()

    reference = permutation_importance(
        Wrapped(),
        asked.features.numpy(),
        LABELS,
        scoring=lambda model, features, labels: -log_loss(labels, model.predict_proba(features)),
        n_repeats=200,
        random_state=0,
    )
    ours = judged(asked, repeats=200)

    for place, column in enumerate(COLUMNS):
        error = 4 * reference.importances_std[place] / np.sqrt(100)  # four standard errors of the difference
        assert ours[column].importance == pytest.approx(reference.importances_mean[place], abs=error + 1e-6)
        spread = reference.importances_std[place]
        assert ours[column].permutation_sd == pytest.approx(spread, rel=0.2, abs=1e-6)
    assert ours["ignored"].permutation_sd > 0.01


def test_values_are_dealt_between_groups() -> None:
    groups = np.array([0, 0, 0, 1, 1, 2, 3, 3, 4])

    orders = deals(groups, 200)

    for order in orders:
        givers = groups[order]
        for group in range(5):
            assert len(set(givers[groups == group])) == 1  # a whole group takes from one group
        assert len({givers[groups == group][0] for group in range(5)}) == 5
    assert {int(order[5]) for order in orders} == {0, 3, 5, 6, 8}
    np.testing.assert_array_equal(orders, deals(groups, 200))
    singles = deals(np.arange(9), 3)
    assert (np.sort(singles, axis=1) == np.arange(9)).all()


def test_copies_do_not_hide_what_a_column_is_worth() -> None:
    # Images in pairs of copies: a plain permutation would now and then deal an image its own copy's value.
    groups, features = np.arange(N) // 2, made_features()
    features[1::2] = features[::2]
    found = judged(subject(features=features), groups=groups)

    alone = judged(subject(features=features), groups=GROUPS)
    assert found["used"].high - found["used"].low > alone["used"].high - alone["used"].low


def test_several_seeds_are_averaged_and_told_apart() -> None:
    first = subject()
    second = subject(lambda image, features: 0.25 * reads_the_first(image, features))

    found = judged(first, second)["used"]

    assert len(found.runs) == 2
    assert found.importance == pytest.approx(sum(found.runs) / 2)
    assert found.runs[0] > 2 * found.runs[1] > 0
    assert found.runs[0] == pytest.approx(judged(first)["used"].importance)


def test_attributions_add_up_to_the_difference_from_the_average_image() -> None:
    torch.manual_seed(5)
    network = DualPathway(nn.Identity(), 6, 3, 4, fusion="gated", dropout=0.0, features_dropout=0.0).eval()
    seen = network.image(torch.randn(N, 6)).detach()
    features = torch.from_numpy(made_features())
    labels = torch.from_numpy(LABELS)
    asked = Subject(network.joined, seen, features, labels)

    found = integrated_gradients(asked, steps=400).sum(axis=1)

    with torch.no_grad():
        after = network.joined(seen, features).double().log_softmax(dim=1)
        before = network.joined(seen, None).double().log_softmax(dim=1)
    chosen = torch.arange(N), labels
    np.testing.assert_allclose(found, (after - before)[chosen].numpy(), atol=2e-3)
    assert np.abs(found).max() > 0.05


def test_a_constant_column_counts_for_nothing_and_has_no_partner() -> None:
    features = made_features()
    features[:, 0] = 0
    orders = deals(GROUPS, 5)
    asked = subject(features=features)

    found = rank(COLUMNS, [permute(asked, orders)], [integrated_gradients(asked)], LABELS, GROUPS, features)

    constant = next(one for one in found if one.column == "used")
    assert (constant.importance, constant.partner, constant.correlation) == (0, None, None)


def test_noise_is_rarely_taken_for_more() -> None:
    """A network that reads noise: its intervals reach 0 about as often as they should."""
    false = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        features = rng.normal(size=(N, 3)).astype(np.float32)
        weights = torch.from_numpy(rng.normal(0, 0.3, (3, 4)).astype(np.float32))
        found = judged(subject(lambda _, values, w=weights: values @ w, features))  # type: ignore[misc]
        false += sum(one.low > THRESHOLD for one in found.values())
    assert false <= 12  # of 120
