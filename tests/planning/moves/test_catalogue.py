"""What is shipped can be used; what somebody adds wrongly is told, all at once."""

import os
import shutil
from pathlib import Path

import pytest

from ctexp.config.compose import Composer
from ctexp.core.errors import UsageError
from ctexp.planning.moves import catalogue
from ctexp.planning.moves.catalogue import Catalogue
from ctexp.planning.moves.instances import Instance, imagined, instance, instances, today
from ctexp.planning.moves.move import PRIMARY

PLAIN = ["averaging=none", "inference=plain", "finetune=full", "loss.label_smoothing=0.0", "augment=none"]
STARTS = (
    ["experiment=recommended"],
    ["model=resnet50", *PLAIN],
    ["model=tiny_cnn"],
)


def test_every_shipped_move_can_be_made(shipped: Catalogue, composer: Composer) -> None:
    usable: set[tuple[str, str | None]] = set()
    refused: set[str] = set()
    for words in STARTS:
        for one in instances(imagined("start", words, composer), shipped, composer).values():
            if isinstance(one, Instance):
                usable.add((one.id, one.variant))
            elif not one.startswith("only where"):
                refused.add(one)
    assert usable == {(name, variant) for name, move in shipped.moves.items() for variant in move.ways}
    assert refused == {"the recipe has it already"}


def test_the_catalogue_covers_what_a_night_can_change(shipped: Catalogue) -> None:
    categories = {move.category for move in shipped.moves.values()}
    assert categories == {"architecture", "training", "data", "sweep"}
    kinds = {kind for move in shipped.moves.values() for kind in move.when}
    assert kinds >= {
        *("leakage", "instability", "label_noise", "underfitting", "overfitting", "imbalance"),
        *("confused_pair", "calibration", "capacity", "resolution", "seed_variance"),
    }


def test_one_change_has_one_belief(shipped: Catalogue, composer: Composer) -> None:
    """A night would otherwise believe two things of the same training, by the name it has."""
    for words in STARTS:
        beliefs: dict[str, list[tuple[str, object]]] = {}
        for one in instances(imagined("start", words, composer), shipped, composer).values():
            if isinstance(one, str):
                continue
            beliefs.setdefault(one.composed.sha256, []).append((one.title, one.move.effects))
        for same in beliefs.values():
            assert all(effects == same[0][1] for _, effects in same), [title for title, _ in same]


JOINED = {"dual_pathway", "dual_gated", "resnet18_from_random"}
"""Moves whose words are no configuration one without the other."""


def test_a_shipped_move_is_one_choice(shipped: Catalogue) -> None:
    several = {
        name for name, move in shipped.moves.items() for way in move.ways.values() if len(way.keys) > 1
    }
    assert several == JOINED


def test_without_augmentation_nothing_is_left_of_it(shipped: Catalogue, composer: Composer) -> None:
    for words in (["model=tiny_cnn"], ["experiment=recommended"]):
        start = imagined("start", words, composer)
        made = instance(
            start, today(start, composer), "no_augmentation", shipped.moves["no_augmentation"], None, composer
        )
        if isinstance(made, Instance):
            augment = made.composed.resolved["augment"]
            assert not any(value for key, value in augment.items() if key != "name"), words
    assert isinstance(made, str)


def test_priors_are_wide_enough_to_be_wrong(shipped: Catalogue) -> None:
    for name, move in shipped.moves.items():
        prior = move.prior(PRIMARY)
        assert (prior is None) == move.changes_images
        if prior is not None:
            assert abs(prior.mean) <= 2 * prior.sd, name
            assert prior.sd >= 0.005, name
            assert move.prior("val/accuracy") is not None
            assert move.prior("val/f1_normal") is None


def test_a_shipped_file_says_what_its_category_is(shipped: Catalogue) -> None:
    for name, move in shipped.moves.items():
        assert shipped.places[name].startswith(f"conf/moves/{move.category}.yaml:")


def test_scaled_numbers_are_round_and_words_win_over_those_of_the_recipe(
    shipped: Catalogue, composer: Composer
) -> None:
    start = imagined("start", ["model=tiny_cnn", "data.image_size=96", "trainer.max_epochs=15"], composer)
    settings = today(start, composer)

    def made(name: str) -> Instance:
        one = instance(start, settings, name, shipped.moves[name], None, composer)
        assert isinstance(one, Instance)
        return one

    assert made("lower_lr").words == ("optimizer.lr=3e-05",)
    assert dict(made("lower_lr").changes) == {"optimizer.lr": (1e-4, 3e-5)}
    assert made("lower_lr").composed.settings.optimizer.lr == 3e-5
    assert made("longer_training").words == ("trainer.max_epochs=30",)
    assert made("larger_images").words == ("data.image_size=140",)


def test_what_cannot_be_scaled_or_composed_is_told(shipped: Catalogue, composer: Composer) -> None:
    words = ["model=tiny_cnn", "trainer.max_epochs=2"]
    why = instances(imagined("start", words, composer), shipped, composer)
    assert str(why["longer_warmup"]).startswith("does not go with this recipe: scheduler.warmup_epochs")
    assert why["resnet50"] == "only where model.pretrained is true"


WRONG = """
good: {category: training, overrides: [averaging=ema], hypothesis: h, expected: e, source: s,
  effects: {val/macro_f1: {gain: 0.0, sd: 0.01}}}
Bad Id: {category: training, overrides: [averaging=ema], hypothesis: h, expected: e, source: s,
  effects: {val/macro_f1: {gain: 0.0, sd: 0.01}}}
nothing: {category: training, hypothesis: h, expected: e, source: s,
  effects: {val/macro_f1: {gain: 0.0, sd: 0.01}}}
typo: {category: trainin, overides: [averaging=ema], hypothesis: h, expected: e, source: s}
words: {category: training, overrides: [averagin=ema, seed=3, "optimizer.lr=[", experiment=smoke],
  only_if: {modl.name: x, loss.name: [focal, focl]}, scale: {optimizer.lrr: 2.0},
  hypothesis: h, expected: e, source: s, effects: {val/macro_f1: {gain: 0.0, sd: 0.01}}}
prior: {category: training, overrides: [averaging=ema], hypothesis: h, expected: e, source: s,
  effects: {val/macro_f1: {gain: 0.0, sd: 0.0}}}
other: {category: training, overrides: [averaging=ema], hypothesis: h, expected: e, source: s,
  effects: {val/ece: {gain: 0.0, sd: 0.1}}}
images: {category: data, overrides: [data.split=clean], hypothesis: h, expected: e, source: s,
  effects: {val/macro_f1: {gain: 0.0, sd: 0.1}}}
ways: {category: sweep, overrides: [averaging=ema], hypothesis: h, expected: e, source: s,
  effects: {val/macro_f1: {gain: 0.0, sd: 0.1}}}
sealed: {category: training, overrides: [averaging=ema], hypothesis: h, expected: e, source: s,
  effects: {test/macro_f1: {gain: 0.0, sd: 0.1}}}
ema: {category: training, overrides: [averaging=ema], hypothesis: h, expected: e, source: s,
  effects: {val/macro_f1: {gain: 0.0, sd: 0.01}}}
line: 3
"""


def test_everything_that_is_wrong_is_told_at_once_with_its_line(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "conf", tmp_path / "conf")
    (tmp_path / "conf" / "moves" / "zz.yaml").write_text(WRONG)
    (tmp_path / "conf" / "moves" / "broken.yaml").write_text("a: &b 3\n")
    with pytest.raises(UsageError) as error:
        catalogue.load(tmp_path)
    problems = "\n".join(error.value.problems)
    for said in (
        "conf/moves/broken.yaml:1: a: anchors",
        "zz.yaml:4: Bad Id: ids are",
        "zz.yaml:6: nothing.overrides: it, or one of its variants, changes nothing",
        "zz.yaml:8: typo.overides: unknown key; did you mean 'overrides'?",
        "zz.yaml:8: typo.category: expected architecture or training or data or sweep, got 'trainin'",
        "zz.yaml:9: words.overrides.0: averagin: unknown key",
        "zz.yaml:9: words.overrides.1: seed=3: no move changes seed",
        "zz.yaml:9: words.overrides.2: 'optimizer.lr=[': the value cannot be read",
        "zz.yaml:9: words.overrides.3: experiment=smoke: no move changes experiment",
        "zz.yaml:10: words.only_if.modl.name: unknown key; did you mean",
        "zz.yaml:10: words.only_if.loss.name: never 'focl'; did you mean 'focal'?",
        "zz.yaml:10: words.scale.optimizer.lrr: unknown key; did you mean",
        "prior.effects.val/macro_f1.sd: should be greater than",
        "other.effects: val/macro_f1 is missing",
        "images.effects: it changes which images are judged",
        "ways.variants: a sweep has several, any other move none",
        "sealed.effects.test/macro_f1: test/macro_f1: the test split is sealed",
        "ema: there is one of this name already, conf/moves/training.yaml:",
        "line: expected keys and values",
    ):
        assert said in problems, f"{said}\n\n{problems}"
    assert "good" not in problems


def test_what_is_no_file_is_told_and_not_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / catalogue.FOLDER
    folder.mkdir(parents=True)
    (folder / "folder.yaml").mkdir()
    (folder / "nowhere.yaml").symlink_to("nowhere")
    os.mkfifo(folder / "pipe.yaml")
    with pytest.raises(UsageError) as error:
        catalogue.load(tmp_path)
    assert [problem.partition(" (")[0] for problem in error.value.problems] == [
        f"conf/moves/{name}.yaml: cannot be read" for name in ("folder", "nowhere", "pipe")
    ]


def test_a_project_without_a_catalogue_has_no_moves(tmp_path: Path) -> None:
    assert not catalogue.load(tmp_path).moves
