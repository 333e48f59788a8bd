"""Beliefs are those of probability theory: checked by integrating it numerically, not by our own algebra."""

from itertools import product
from math import hypot, sqrt

import numpy as np
import pytest
from scipy.stats import norm
from scipy.stats import t as student

from ctexp.planning.moves.history import Tried
from ctexp.planning.moves.learning import OWN, error, failed, posterior
from ctexp.planning.moves.value import Belief
from ctexp.planning.study.noise import Noise
from tests.planning.moves.pairs import difference, seen

PRIOR = Belief(0.008, 0.02)
WORTHWHILE = 0.02


def noise(sd: float, df: int = 1000) -> Noise:
    return Noise(sd, df, 1, sd / 2, 2 * sd)


def integrated(prior: Belief, tried: list[Tried]) -> tuple[float, float, float]:
    """Mean, sd and P(effect > 0) on the incumbent, by sums over a grid of the general and the own effects."""
    general = np.linspace(-6, 6, 241) * prior.sd * np.sqrt(1 - OWN)
    own = np.linspace(-6, 6, 1000) * prior.sd * np.sqrt(OWN)
    weights = norm.pdf(general, 0, prior.sd * np.sqrt(1 - OWN))[:, None]
    weights = weights * norm.pdf(own, 0, prior.sd * np.sqrt(OWN))[None, :]
    effect = prior.mean + general[:, None] + own[None, :]
    elsewhere: dict[tuple[str, bool], np.ndarray] = {}
    for one in tried:
        assert one.difference is not None
        gain, se = one.gain, one.difference.se
        if one.here and one.exact:
            weights = weights * norm.pdf(gain, effect, se)
            continue
        # The own effect of another recipe, shared by all comparisons on it.
        theirs = elsewhere.setdefault((one.before, one.exact), np.ones((len(general), len(own))))
        at = prior.mean + general[:, None] + own[None, :]
        elsewhere[one.before, one.exact] = theirs * norm.pdf(gain, at, se)
    density = norm.pdf(own, 0, prior.sd * np.sqrt(OWN))
    for likelihood in elsewhere.values():
        weights = weights * (likelihood * density[None, :]).sum(axis=1)[:, None]
    weights = weights / weights.sum()
    mean = float((weights * effect).sum())
    sd = float(np.sqrt((weights * (effect - mean) ** 2).sum()))
    return mean, sd, float(weights[effect > 0].sum())


CASES = [
    [seen(0.03, 0.01)],
    [seen(0.03, 0.01, before="other", here=False)],
    [seen(-0.02, 0.015), seen(0.03, 0.01, before="other", here=False)],
    [seen(0.03, 0.02, before=name, here=False) for name in "xyz"],
    [seen(gain, 0.02, before="x", here=False) for gain in (0.01, 0.04)] + [seen(0.0, 0.005)],
    [seen(0.01, 0.01), seen(0.03, 0.01, exact=False)],
]


@pytest.mark.parametrize("tried", CASES)
def test_beliefs_are_what_integration_gives(tried: list[Tried]) -> None:
    found = posterior(PRIOR, tried, WORTHWHILE)
    mean, sd, better = integrated(PRIOR, tried)
    assert found.belief.mean == pytest.approx(mean, abs=1e-5)
    assert found.belief.sd == pytest.approx(sd, rel=1e-3)
    assert found.p_better == pytest.approx(better, abs=0.01)
    assert found.seen is not None
    blended = found.weight * found.seen + (1 - found.weight) * PRIOR.mean
    assert blended == pytest.approx(found.belief.mean), "the stated weight is the one that was used"


def test_before_anything_was_seen_the_prior_stands() -> None:
    found = posterior(PRIOR, [], WORTHWHILE)
    assert (found.belief, found.weight, found.seen) == (PRIOR, 0.0, None)
    assert "nothing was seen here" in found.said
    assert not failed(found)


def test_what_was_seen_elsewhere_counts_less_than_on_the_incumbent() -> None:
    sure = [seen(0.1, 0.0001, before=f"r{number}", here=False) for number in range(50)]
    weights = [posterior(PRIOR, sure[:count], WORTHWHILE).weight for count in (1, 2, 50)]
    assert weights == pytest.approx([1 / 2, 2 / 3, 50 / 51], abs=0.001)
    assert posterior(PRIOR, sure, WORTHWHILE).belief.sd > PRIOR.sd * np.sqrt(OWN)
    assert posterior(PRIOR, [seen(0.1, 0.0001)], WORTHWHILE).weight == pytest.approx(1, abs=0.001)


def test_a_sure_comparison_on_the_incumbent_is_believed() -> None:
    found = posterior(PRIOR, [seen(0.05, 0.001)], WORTHWHILE)
    assert found.belief.mean == pytest.approx(0.05, abs=0.001)
    assert found.p_worthwhile > 0.99


@pytest.mark.parametrize(
    ("gain", "se", "settled"), [(-0.03, 0.01, True), (0.0, 0.1, False), (0.03, 0.01, False)]
)
def test_a_move_has_failed_only_where_a_worthwhile_gain_is_improbable(
    gain: float, se: float, settled: bool
) -> None:
    found = posterior(Belief(0.01, 0.03), [seen(gain, se)], WORTHWHILE)
    assert bool(failed(found)) == settled


def test_one_noisy_comparison_settles_nothing_however_little_was_expected() -> None:
    doubtful = Belief(0.003, 0.008)
    assert posterior(doubtful, [seen(-0.05, 0.06)], WORTHWHILE).p_worthwhile < 0.1
    assert not failed(posterior(doubtful, [seen(-0.05, 0.06)], WORTHWHILE))
    assert failed(posterior(doubtful, [seen(-0.05, 0.01)], WORTHWHILE))


def test_a_move_that_diverged_each_time_has_failed_and_once_finished_has_not() -> None:
    lost = seen(None, None, lost=("diverged", "oom"))
    assert "diverged and oom each time" in failed(posterior(PRIOR, [lost], WORTHWHILE))
    both = [lost, seen(0.03, 0.02, before="other")]
    assert not failed(posterior(PRIOR, both, WORTHWHILE))


def test_lower_is_better_for_errors() -> None:
    better = seen(None, None, difference=difference(-0.02, 0.005, metric="val/ece"))
    assert better.gain == 0.02
    assert posterior(PRIOR, [better], WORTHWHILE).belief.mean > PRIOR.mean


def test_measured_noise_takes_the_place_of_what_is_assumed_of_single_seeds() -> None:
    single = seen(0, 0, difference=difference(0.03, 0.014, image_se=0.01, seed_source="assumed"))
    calm, wild = (posterior(PRIOR, [single], WORTHWHILE, noise(sd)) for sd in (0.001, 0.05))
    assumed = posterior(PRIOR, [single], WORTHWHILE)
    assert calm.belief.mean > assumed.belief.mean > wild.belief.mean


def test_two_seeds_that_agree_by_luck_are_no_better_evidence_than_three() -> None:
    lucky = seen(0, 0, difference=difference(-0.1, 0.011, image_se=0.01), seeds=(3, 2))
    honest = seen(0, 0, difference=difference(-0.1, 0.09, image_se=0.01), seeds=(3, 3))
    errors = [error(one, noise(0.1, df=10)) for one in (lucky, honest)]
    widened = 0.1 * float(student.ppf(norm.cdf(1), 10))
    assert errors == pytest.approx([hypot(0.01, widened * sqrt(1 / 3 + 1 / n)) for n in (2, 3)])
    assert not failed(posterior(PRIOR, [lucky], WORTHWHILE, noise(0.1, df=10)))


def test_noise_of_few_degrees_of_freedom_is_widened() -> None:
    one = seen(0, 0, difference=difference(0.03, 0.014, image_se=1e-9))
    told = [(error(one, noise(0.02, df=df)) or 0.0) / (0.02 * sqrt(2)) for df in (1, 2, 10, 1000)]
    assert told == pytest.approx([1.837, 1.321, 1.053, 1.0005], rel=1e-3)


def test_what_was_seen_from_another_recipe_bans_nothing() -> None:
    sure = [seen(-0.2, 0.001, before=name, here=False) for name in "abcdefgh"]
    elsewhere = posterior(Belief(0.0, 0.01), sure, WORTHWHILE)
    assert elsewhere.p_worthwhile < 0.01
    assert not failed(elsewhere)
    assert not failed(posterior(PRIOR, [seen(None, None, here=False, lost=("oom",))], WORTHWHILE))
    assert failed(posterior(Belief(0.0, 0.01), [*sure, seen(-0.05, 0.01)], WORTHWHILE))
    undecided = posterior(Belief(0.02, 0.02), [*sure, seen(0.02, 0.03)], WORTHWHILE)
    assert undecided.p_worthwhile < 0.1
    assert not failed(undecided), "what began at the incumbent speaks for it"


def test_comparisons_without_an_error_are_told_and_not_counted() -> None:
    for gain, se in product((0.5, None), (None, 0.0)):
        found = posterior(PRIOR, [seen(gain, se)], WORTHWHILE)
        assert found.belief == PRIOR
        assert found.cites == ("run-a", "run-b")
