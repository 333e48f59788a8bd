import pytest

from ctexp.core.errors import UsageError
from ctexp.planning.plan.document import Threshold
from ctexp.planning.proposal import wishes


@pytest.mark.parametrize(
    ("goal", "metric"),
    [("val/ece", "val/ece"), ("ece", "val/ece"), ("val_acc", "val/accuracy"), ("miss_rate", "val/miss_rate")],
)
def test_a_metric_is_what_is_to_become_better(goal: str, metric: str) -> None:
    asked = wishes.read("a", goal=goal)

    assert (asked.metric, asked.target) == (metric, None)


def test_a_condition_is_a_target() -> None:
    asked = wishes.read("a", goal="accuracy >= 0.9")

    assert asked.target == Threshold(metric="val/accuracy", op=">=", value=0.9)
    assert asked.metric == "val/accuracy"


@pytest.mark.parametrize("goal", ["", "find the rare class", "fewer cancers called normal", "sleep"])
def test_words_are_words(goal: str) -> None:
    asked = wishes.read("a", goal=goal)

    assert (asked.metric, asked.target, asked.goal) == (None, None, goal)


@pytest.mark.parametrize(
    ("goal", "said"),
    [
        ("test/accuracy", "the test split is sealed"),
        ("test_f1>=0.9", "the test split is sealed"),
        ("train/loss", "nothing is judged by training images"),
        ("val/acuracy", "did you mean 'val/accuracy'"),
        ("macro_f2", "did you mean 'val/macro_f1'"),
        ("accuracy=>0.9", "did you mean '>='"),
        ("accuracy>=high", "high is no number"),
        ("accuracy>=nan", "nan is no number"),
        ("\udcff", "not UTF-8"),
        ("x" * 20_001, "20,001 characters"),
    ],
)
def test_a_goal_that_cannot_be_meant_is_refused(goal: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        wishes.read("a", goal=goal)

    assert said in " ".join(refused.value.lines())


def test_a_refusal_names_the_flag_and_the_nearest_thing() -> None:
    with pytest.raises(UsageError, match="--window: '8' has no unit"):
        wishes.read("a", window="8")
    with pytest.raises(UsageError) as refused:
        wishes.read("a", focus=["arch"])
    assert refused.value.hint == "did you mean 'architecture'?"


def test_what_was_typed_can_be_typed_again() -> None:
    asked = wishes.read("a", window="10m", focus=["data"], goal="less noise", overrides=["data=phantom"])

    assert asked.command == "scripts/inv plan a data=phantom --window 10m --focus data --goal 'less noise'"


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(UsageError) as refused:
        wishes.read("Night One", window="8", focus=["trainig", "data"], goal="test/ece")

    told = "\n".join(refused.value.lines())
    for part in ("Night One", "'8' has no unit", "'trainig'", "sealed"):
        assert part in told


def test_the_next_free_name_is_above_all_there_are() -> None:
    assert wishes.free_name([]) == "night-1"
    assert wishes.free_name(["night-2", "night-9x", "backbones", "night-10"]) == "night-11"


@pytest.mark.parametrize("name", ["latest", "baseline"])
def test_a_word_that_means_trainings_is_no_name_of_a_plan(name: str) -> None:
    with pytest.raises(UsageError, match="means something else"):
        wishes.read(name)


def test_a_night_on_a_sample_concludes_nothing_and_is_refused() -> None:
    with pytest.raises(UsageError, match="nothing can be concluded from a sample"):
        wishes.read("night-1", overrides=["data.sample=10"])
    assert wishes.read("night-1", overrides=["data.sample=null"]).overrides == ("data.sample=null",)
