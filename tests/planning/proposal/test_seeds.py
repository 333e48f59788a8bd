from pathlib import Path
from typing import Any

from ctexp.config import verdict
from ctexp.core.classes import CLASSES
from ctexp.planning.checking import power
from ctexp.planning.proposal.seeds import FEWEST, MOST, Question, Spread
from ctexp.planning.study.noise import pooled
from tests.project import HERE


def question(per_class: int = 18, **known: Any) -> Question:
    groups = dict.fromkeys(CLASSES, per_class)
    spread = Spread(known.get("noise"), known.get("images"))
    return Question("val/macro_f1", groups, groups, spread, verdict.load(Path(HERE)))


def noise(sd: float) -> Any:
    """Three recipes with three seeds each, this far apart."""
    return pooled([[0.5 - sd, 0.5, 0.5 + sd]] * 3)


def test_where_nobody_knows_the_noise_the_fewest_seeds_that_tell_it_are_asked_for() -> None:
    assert question().fewest(4).seeds == FEWEST
    assert question(noise=pooled([[0.4, 0.6]]), images=0.03).fewest(4).seeds == FEWEST


def test_more_seeds_are_asked_for_where_seeds_make_the_noise_and_not_where_images_do() -> None:
    assert question(noise=noise(0.08), images=0.01).fewest(4).seeds == MOST
    assert question(noise=noise(0.005), images=0.05).fewest(4).seeds == FEWEST


def test_what_is_said_to_be_noticed_is_no_less_than_any_network_could_show() -> None:
    for seeds in range(FEWEST, MOST + 1):
        asked = question()
        at_best = power.detectable("val/macro_f1", asked.groups, (seeds, seeds), 0.05 / 4)
        noticed = asked.design(seeds, 4).detectable

        assert at_best is not None
        assert noticed is not None
        assert noticed >= at_best - 1e-9


def test_many_images_notice_a_gain_that_is_worthwhile() -> None:
    many = question(per_class=20_000, noise=noise(0.001), images=0.001).design(3, 1)

    assert many.detectable is not None
    assert many.detectable < 0.02


def test_noise_that_was_measured_hides_larger_gains() -> None:
    quiet, loud = (question(noise=noise(sd), images=0.02).design(3, 4) for sd in (0.01, 0.1))

    assert quiet.detectable is not None
    assert loud.detectable is not None
    assert quiet.detectable < loud.detectable


def test_hardly_any_images_can_decide_nothing() -> None:
    assert not question(per_class=1).design(3, 1).decidable
    assert question(per_class=2).design(3, 1).decidable


def test_more_hypotheses_make_each_harder_to_decide() -> None:
    one, many = (question(noise=noise(0.02), images=0.03).design(3, count).detectable for count in (1, 7))

    assert one is not None
    assert many is not None
    assert one < many
