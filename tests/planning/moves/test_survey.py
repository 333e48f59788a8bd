"""Every move is looked at, and what is said of it is why it is proposed or not."""

import io
import json
import re
from contextlib import redirect_stdout
from dataclasses import replace

import pytest

from ctexp.cli.plan_explain import print_explained
from ctexp.config.compose import Composer
from ctexp.planning.diagnosis.findings import Confidence, Finding
from ctexp.planning.moves.catalogue import Catalogue
from ctexp.planning.moves.explain import explain
from ctexp.planning.moves.history import Tried, tried
from ctexp.planning.moves.survey import Considered, survey
from ctexp.planning.moves.value import Offer
from ctexp.planning.study.differences import Difference
from ctexp.planning.study.recipes import Recipe
from tests.planning.moves.pairs import difference, recipe

WORDS = ["model=tiny_cnn"]
Found = dict[str, Considered]
OVERFITTING = Finding("overfitting", "seen", "validation loss rises from epoch 12 on", "moderate")
GAINS = {"dropout": (-0.06, 0.01), "ema": (0.05, 0.01), "fast": (-0.08, 0.01)}


@pytest.fixture(scope="module")
def recipes(composer: Composer) -> list[Recipe]:
    """The incumbent, two moves from it, and a faster recipe that failed to become faster still."""
    return [
        recipe("base", WORDS, composer),
        recipe("dropout", [*WORDS, "model.dropout=0.4"], composer),
        recipe("ema", [*WORDS, "averaging=ema"], composer),
        recipe("slow", [*WORDS, "optimizer.lr=1e-3"], composer),
        recipe("fast", [*WORDS, "optimizer.lr=2e-3"], composer),
    ]


def compare(before: Recipe, after: Recipe) -> Difference:
    gain, se = GAINS.get(after.title, (0.0, 0.02))
    return difference(gain, se, before=before.title, after=after.title)


@pytest.fixture(scope="module")
def past(recipes: list[Recipe], shipped: Catalogue, composer: Composer) -> tuple[Tried, ...]:
    return tried(recipes, recipes[0], shipped, composer, compare)


def looked_at(
    recipes: list[Recipe], shipped: Catalogue, composer: Composer, past: tuple[Tried, ...], metric: str
) -> dict[str, Considered]:
    found = survey(
        recipes[0], shipped, composer, seen=[OVERFITTING], tried=past, metric=metric, worthwhile=0.02
    )
    return {one.title: one for one in found}


def test_moves_are_for_what_was_seen(
    recipes: list[Recipe], shipped: Catalogue, composer: Composer, past: tuple[Tried, ...]
) -> None:
    found = looked_at(recipes, shipped, composer, past, "val/macro_f1")
    assert len(found) == sum(len(move.ways) for move in shipped.moves.values())
    assert found["strong_augmentation"].applies
    assert found["strong_augmentation"].reasons == ("overfitting: validation loss rises from epoch 12 on",)
    assert found["learning_rate/half"].applies
    assert not found["balanced_softmax"].applies
    assert found["balanced_softmax"].why_not == "it is for imbalance, which was not seen"
    assert found["split_clean"].why_not == "it is for leakage, which was not seen"
    assert found["resnet50"].why_not == "only where model.pretrained is true"


def test_a_move_that_makes_worse_what_was_seen_is_not_for_it(
    recipes: list[Recipe], shipped: Catalogue, composer: Composer
) -> None:
    both = [Finding(kind, "seen", "so it is", "moderate") for kind in ("underfitting", "instability")]
    for seen, why in ((both[:1], ""), (both, "it would make worse what was seen: instability")):
        found = survey(
            recipes[0], shipped, composer, seen=seen, tried=(), metric="val/macro_f1", worthwhile=0.02
        )
        [faster] = [one for one in found if one.id == "higher_lr"]
        assert faster.why_not == why


def test_the_worse_a_trouble_is_the_more_is_believed_of_a_move_that_is_made_for_it(
    recipes: list[Recipe], shipped: Catalogue, composer: Composer
) -> None:
    def looked(headroom: float | None, metric: str = "val/macro_f1", sure: Confidence = "moderate") -> Found:
        seen = [Finding("overfitting", "seen", "a gap", sure, headroom=headroom)]
        found = survey(recipes[0], shipped, composer, seen=seen, tried=(), metric=metric, worthwhile=0.02)
        return {one.title: one for one in found}

    bad = looked(0.4)
    sampled = bad["ema"], bad["dropout"]
    stated = {one.title: shipped.moves[one.id].prior("val/macro_f1") for one in sampled}
    assert {one.title: one.bonus for one in sampled} == pytest.approx({"ema": 0.016, "dropout": 0.006})
    for one in sampled:
        its = stated[one.title]
        assert one.prior is not None
        assert its is not None
        assert one.catalogue == its
        assert one.prior.mean == pytest.approx(its.mean + one.bonus)
        assert one.prior.sd > its.sd
    control = bad["weight_decay/tenth"]
    assert control.headroom == 0.4
    assert (control.bonus, control.prior) == (0.0, control.catalogue), "no gain is expected of it"
    for plain in (looked(None), looked(0.4, "val/ece"), looked(0.4, sure="low")):
        assert plain["dropout"].prior == plain["dropout"].catalogue
        assert plain["dropout"].bonus == 0.0

    document = explain(tuple(bad.values()), {}, "val/macro_f1", seeds=3)
    [told] = [one for one in document["moves"] if one["title"] == "ema"]
    assert told["catalogue"] == {"gain": 0.008, "sd": 0.015}
    assert told["bonus"] == pytest.approx(0.016)
    printed = io.StringIO()
    with redirect_stdout(printed):
        print_explained(document)
    assert re.search(r"ema +\+0.008 ± 0.015 +\+0.016 ", printed.getvalue())
    assert "takes: 3 seeds together" in printed.getvalue()


def test_what_was_tried_updates_the_belief_and_what_failed_is_left_out(
    recipes: list[Recipe], shipped: Catalogue, composer: Composer, past: tuple[Tried, ...]
) -> None:
    found = looked_at(recipes, shipped, composer, past, "val/macro_f1")
    dropout, ema = found["dropout"], found["ema"]
    assert dropout.why_not.startswith("tried here: seen once, -0.060 on average")
    assert ema.applies
    assert ema.posterior is not None
    assert ema.prior is not None
    assert ema.posterior.belief.mean > ema.prior.mean
    assert ema.posterior.cites == ("base-0", "ema-0")


def test_what_failed_from_another_value_may_be_tried_from_this_one(
    recipes: list[Recipe], shipped: Catalogue, composer: Composer, past: tuple[Tried, ...]
) -> None:
    double = looked_at(recipes, shipped, composer, past, "val/macro_f1")["learning_rate/double"]
    assert [(one.before, one.after) for one in double.elsewhere] == [("slow", "fast")]
    assert double.posterior is not None
    assert double.posterior.belief == double.prior, "a step from another value is another move"
    assert double.applies
    assert double.again == "it failed where optimizer.lr was 0.001; here optimizer.lr is 0.0001"


def test_a_goal_without_a_prior_is_not_guessed_at(
    recipes: list[Recipe], shipped: Catalogue, composer: Composer
) -> None:
    found = looked_at(recipes, shipped, composer, (), "val/ece")
    assert found["strong_augmentation"].applies
    assert found["smoothing_strength/none"].reasons == ("its effect on val/ece is what is asked for",)
    assert found["smoothing_strength/none"].applies
    assert found["learning_rate/half"].applies
    assert found["dual_gated"].why_not == "the catalogue says nothing of its effect on val/ece"


def test_an_explanation_ranks_and_is_plain_json(
    recipes: list[Recipe], shipped: Catalogue, composer: Composer, past: tuple[Tried, ...]
) -> None:
    found = looked_at(recipes, shipped, composer, past, "val/macro_f1")
    offers = {
        one.title: Offer(one.title, one.posterior.belief, 0.02, 0.04, 10 * one.move.cost)
        for one in found.values()
        if one.applies and one.posterior
    }
    document = json.loads(json.dumps(explain(tuple(found.values()), offers, "val/macro_f1"), allow_nan=False))
    assert [one["title"] for one in document["moves"][:1]] == ["ema"]
    rates = [one["gain_per_minute"] for one in document["moves"] if one["gain_per_minute"] is not None]
    assert rates == sorted(rates, reverse=True)
    assert len(rates) == len(offers)
    [ema] = [one for one in document["moves"] if one["title"] == "ema"]
    assert ema["prior"] == {"gain": 0.008, "sd": 0.015}
    assert ema["tried"] == [
        {
            "before": "base",
            "after": "ema",
            "from_the_incumbent": True,
            "exact": True,
            "gain": 0.05,
            "se": 0.01,
            "seeds": [1, 1],
            "lost": [],
            "cites": ["base-0", "ema-0"],
        }
    ]
    assert ema["changes"] == {"averaging.decay": [None, 0.99], "averaging.name": ["none", "ema"]}

    printed = io.StringIO()
    with redirect_stdout(printed):
        print_explained(document)
    text = printed.getvalue()
    for said in (
        "moves by expected gain in val/macro_f1 per minute",
        "ema: base to ema (from the incumbent): +0.050 ± 0.010, by 1 and 1 seeds",
        "learning_rate/double: slow to fast: -0.080 ± 0.010, by 1 and 1 seeds; not counted here, "
        "there optimizer.lr was 0.001",
        "learning_rate/double: it failed where optimizer.lr was 0.001; here optimizer.lr is 0.0001",
        "dropout: tried here: seen once",
        "  dual_gated: it is for confused_pair, capacity, underfitting, which was not seen",
        "  ema: Tarvainen and Valpola 2017",
    ):
        assert said in text


def test_what_is_left_out_stands_below_the_line_a_sweep_by_its_name(
    recipes: list[Recipe], shipped: Catalogue, composer: Composer
) -> None:
    found = looked_at(recipes, shipped, composer, (), "val/macro_f1")
    offers = {
        one.title: Offer(one.title, one.posterior.belief, 0.02, 0.04, 10)
        for one in found.values()
        if one.applies and one.posterior
    }
    left = {"learning_rate": "not in focus", "strong_augmentation": "not in focus"}
    moves = explain(tuple(found.values()), offers, "val/macro_f1", left_out=left)["moves"]
    applying = [one["title"] for one in moves if one["applies"]]
    assert [one["title"] for one in moves][: len(applying)] == applying
    assert not {"strong_augmentation", "learning_rate/half", "learning_rate/double"} & set(applying)


def test_without_history_nothing_was_seen(
    recipes: list[Recipe], shipped: Catalogue, composer: Composer
) -> None:
    found = looked_at([replace(recipes[0], runs=())], shipped, composer, (), "val/macro_f1")
    assert all(one.posterior is None or one.posterior.belief == one.prior for one in found.values())
    document = explain(tuple(found.values()), {}, "val/macro_f1")
    printed = io.StringIO()
    with redirect_stdout(printed):
        print_explained(document)
    left = explain(tuple(found.values()), {}, "val/macro_f1", left_out={"ema": "no room"})
    assert [one["why_not"] for one in left["moves"] if one["title"] == "ema"] == ["no room"]
    assert "nothing: no two recipes are one move apart" in printed.getvalue()
