import pytest

from ctexp.research import deriving
from ctexp.research.figures import Figure, Reported
from ctexp.research.record import Artifact
from ctexp.research.runner.returned import BadReturn, returned
from tests.record import samples
from tests.research import answers
from tests.research.runner.desks import Said

SAVED = (Artifact(name="a.json", file="x/a.json", sha256=samples.HASH, bytes=1),)


def refused(value: object) -> tuple[str, ...]:
    with pytest.raises(BadReturn) as error:
        returned(value, SAVED, {}, Said())
    assert "finding" in error.value.hint
    return error.value.problems


def test_figures_stay_what_they_are_and_numbers_are_merely_reported() -> None:
    cited = Figure(value=0.5, exact=True)
    came = returned(
        {
            "finding": " It\n works. ",
            "metrics": {"a": cited, "b": 1, "c": (0.5, 0.4, 0.6), "d": {"value": None}},
        },
        SAVED,
        {},
        Said(),
    )
    assert came.finding == "It works."
    assert came.metrics["a"] is cited
    assert [came.metrics[name].value for name in "bcd"] == [1.0, 0.5, None]
    assert (came.metrics["c"].low, came.metrics["c"].high) == (0.4, 0.6)
    assert isinstance(came.metrics["c"].source, Reported)
    assert not came.metrics["b"].exact
    assert came.artifacts == SAVED  # where none are named, all that were saved


def test_everything_that_is_wrong_is_told_at_once() -> None:
    problems = refused(
        {
            "finding": "",
            "metric": 1,
            "metrics": {
                "a": "low",
                "test/macro_f1": 0.9,
                "b": (0.5, 0.6, 0.7),
                "c": (1, 2),
                "d": {"valu": 1},
            },
            "artifacts": ["b.json"],
        }
    )
    assert problems == (
        "it returned an unknown key 'metric'; did you mean 'metrics'?",
        "finding: a sentence is expected, got ''",
        "metrics.a: a number is expected, got str",
        "metrics: test/macro_f1: the test split stays sealed",
        "metrics.b: the interval 0.6 to 0.7 does not hold the value",
        "metrics.c: a number is expected, got tuple",
        "metrics.d: 'valu' is unknown; value, low and high are expected",
        "artifacts: 'b.json' was not saved; did you mean 'a.json'?",
    )


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "the handler returned nothing, and a mapping is expected"),
        ([1], "the handler returned list [1], and a mapping is expected"),
        ({"finding": "so", "metrics": [1]}, "metrics: figures by name are expected, got list [1]"),
        ({"finding": "so", "artifacts": "a.json"}, "artifacts: a list of names is expected, got 'a.json'"),
    ],
)
def test_what_is_no_answer_says_what_one_is(value: object, problem: str) -> None:
    assert refused(value) == (problem,)


def test_a_finding_cites_what_the_runner_gave_and_nothing_else() -> None:
    given, metric, own = (Figure(value=value, exact=True, digits=0) for value in (1.0, 2.0, 3.0))
    made = {given.mark: given, metric.mark: metric}
    came = returned(
        {"finding": f"{given} of {metric}, {given} again", "metrics": {"all": metric}}, SAVED, made, Said()
    )
    assert came.cited == (given,)
    with pytest.raises(
        BadReturn, match=rf"finding: \[\^{own.mark}\] cites a figure that neither is a metric"
    ):
        returned({"finding": f"{own}", "metrics": {}}, SAVED, made, Said())


def test_a_figure_that_says_where_it_came_from_came_from_the_runner() -> None:
    mine = answers.figure(1.0, 0.1)
    counted = mine.model_copy(update={"exact": True})
    own = {
        "finding": "It works.",
        "metrics": {"a": mine, "b": counted, "c": deriving.derived("mean", [mine])},
    }
    with pytest.raises(BadReturn) as error:
        returned(own, SAVED, {mine.mark: mine}, Said())
    assert [problem.partition(":")[0] for problem in error.value.problems] == ["metrics.b", "metrics.c"]
    assert "did not come from the runner" in error.value.problems[0]
    fewer = mine.model_copy(update={"digits": 1})
    assert returned({"finding": "It works.", "metrics": {"a": fewer}}, SAVED, {mine.mark: mine}, Said())
