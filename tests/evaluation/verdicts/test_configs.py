"""What was set differently, and whether anybody noticed."""

from pathlib import Path

from ctexp.evaluation.verdicts.configs import setup
from ctexp.record.git import GitState
from tests import judged
from tests.record import samples


def test_settings_that_differ_are_told_with_both_values(tmp_path: Path) -> None:
    one = judged.a_run(tmp_path, "one", 1)
    other = judged.a_run(tmp_path, "other", 2, overrides=("optimizer.lr=0.5", "loss.label_smoothing=0.2"))
    found = setup(judged.answers(one, name="one"), judged.answers(other, name="other"))
    assert found.differing["optimizer.lr"][1] == 0.5
    assert set(found.differing) == {"loss.label_smoothing", "optimizer.lr"}
    assert not found.identical
    (warning,) = found.warnings
    assert warning.startswith("differs from one in 2 settings")


def test_one_setting_is_a_controlled_comparison(tmp_path: Path) -> None:
    one = judged.a_run(tmp_path, "one", 1)
    other = judged.a_run(tmp_path, "other", 2, overrides=("optimizer.lr=0.5",))
    assert setup(judged.answers(one), judged.answers(other)).warnings == ()


def test_identical_predictions_under_other_settings_are_an_alarm(tmp_path: Path) -> None:
    one = judged.a_run(tmp_path, "one", 1)
    other = judged.a_run(tmp_path, "other", 1, overrides=("augment.rotation=33",))
    found = setup(judged.answers(one, name="one"), judged.answers(other, name="other"))
    assert found.identical
    assert found.warnings == (
        "predictions of other, seed 1 are byte-identical with those of one, seed 1, although "
        "augment.rotation differs: something set has no effect",
    )


def test_another_seed_with_the_same_predictions_is_an_alarm_too(tmp_path: Path) -> None:
    table = judged.predictions()
    one, other = (judged.a_run(tmp_path, "net", seed, tables={"val": table}) for seed in (1, 2))
    found = setup(judged.answers(one), judged.answers(other))
    assert "although seed differs: something set has no effect" in found.warnings[0]


def test_what_only_makes_it_faster_may_leave_everything_as_it_was(tmp_path: Path) -> None:
    one = judged.a_run(tmp_path, "one", 1)
    other = judged.a_run(tmp_path, "other", 1, overrides=("data.cache=none",))
    found = setup(judged.answers(one, name="one"), judged.answers(other, name="other"))
    assert found.identical
    assert found.warnings == ("other, seed 1 reproduces one, seed 1 bit by bit: it is no second opinion",)


def test_seeds_alone_are_said_to_be_chance(tmp_path: Path) -> None:
    one, other = (judged.a_run(tmp_path, "net", seed) for seed in (1, 2))
    (warning,) = setup(judged.answers(one, name="one"), judged.answers(other)).warnings
    assert warning.startswith("is set up as one is, apart from the seed")


def test_other_code_is_told(tmp_path: Path) -> None:
    newer = GitState(commit="1234567" + "0" * 33, branch="main", dirty=False)
    one = judged.a_run(tmp_path, "one", 1)
    other = judged.a_run(tmp_path, "other", 2, git=newer, overrides=("optimizer.lr=0.5",))
    (warning,) = setup(judged.answers(one, name="one"), judged.answers(other)).warnings
    assert warning == f"was trained by other code than one: {samples.COMMIT[:7]} -> 1234567"


def test_folds_of_a_cross_validation_are_no_setting(tmp_path: Path) -> None:
    from ctexp.evaluation.answers import read
    from ctexp.record.subjects import subject

    judged.a_cross_validation(tmp_path, "cv")
    run = judged.a_run(tmp_path, "net", 1)
    found = setup(judged.answers(run), read(subject(tmp_path, "cv"), "val"))
    assert set(found.differing) == {"data.split"}
