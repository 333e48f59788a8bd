"""What figures amount to: thresholds by whole intervals, and all that can never be met or proceed."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctexp.record.git import GitState
from ctexp.research import deriving
from ctexp.research.assessment import Assessment, assess
from ctexp.research.figures import Cited, Compared, Figure
from ctexp.research.parts import Part, worth
from ctexp.research.plan.content import Criterion, Experiment, SubExperiment
from ctexp.research.record import Answer, Basis, Broken
from tests.record import samples

BASIS = Basis(handler=samples.HASH, plan=samples.HASH)
CHANGED = Basis(handler=samples.HASH[::-1], plan=samples.HASH)
HIGHER = Criterion("mcc", target=0.5, acceptable=0.4, failure=0.3)
LOWER = Criterion("mcc", target=0.3, acceptable=0.4, failure=0.5, direction="lower")
CLAIM = Experiment("dose", "Noise", "claim", subs=(SubExperiment("drawn"),), criteria={"mcc": HIGHER})


def cited(value: float | None, run: str = "net_1", **changes: Any) -> Figure:
    source = Cited(file=f"{run}/result.json", run=run, sha256=samples.HASH, key=("metrics", "val/mcc"))
    return Figure(value=value, source=source, **changes)


def over_seeds(*values: float) -> Figure:
    return deriving.derived("mean", [cited(value, f"net_{seed}") for seed, value in enumerate(values)])


GOOD = over_seeds(0.61, 0.62, 0.63)
"""Met, whatever else is said; its interval is about seeds alone."""


def answer(metrics: dict[str, Figure] | None = None, **changes: Any) -> Answer:
    fields: dict[str, Any] = {
        "experiment": "dose",
        "sub": "drawn",
        "function": "e_drawn",
        "state": "completed",
        "metrics": {"mcc": GOOD} if metrics is None else metrics,
        "basis": BASIS,
        "git": GitState(commit=samples.COMMIT, branch="main", dirty=False),
        "started": samples.BEGIN,
        "ended": samples.END,
        "seconds": 1.0,
    }
    return Answer(**fields | changes)


def parts(**answers: Answer | None) -> dict[str, Part]:
    return {sub: Part(sub, made, BASIS, *worth(made, BASIS)) for sub, made in answers.items()}


def judged(figure: Figure, criterion: Criterion = HIGHER) -> str:
    experiment = replace(CLAIM, criteria={"mcc": criterion})
    (one,) = assess(experiment, parts(drawn=answer({"mcc": figure}))).criteria
    return one.verdict


def assessed(made: Answer | None = None, experiment: Experiment = CLAIM, **changes: Any) -> Assessment:
    return assess(experiment, parts(drawn=made or answer()), **changes)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.5, 0.7, "met"),
        (0.4999, 0.7, "borderline"),
        (0.2, 0.7, "borderline"),
        (0.41, 0.49, "borderline"),
        (0.2, 0.3, "borderline"),
        (0.2, 0.2999, "failed"),
    ],
)
def test_only_a_whole_interval_decides_and_lower_is_the_mirror_of_higher(
    low: float, high: float, verdict: str
) -> None:
    assert judged(cited((low + high) / 2, low=low, high=high)) == verdict
    mirrored = [round(0.8 - end, 6) for end in (high, low)]
    assert judged(cited(sum(mirrored) / 2, low=mirrored[0], high=mirrored[1]), LOWER) == verdict


def test_what_is_good_in_one_direction_is_failed_in_the_other() -> None:
    assert [judged(GOOD, criterion) for criterion in (HIGHER, LOWER)] == ["met", "failed"]


@pytest.mark.parametrize("value", [3.0, 0.0])
def test_a_point_without_an_interval_decides_nothing_unless_it_was_counted(value: float) -> None:
    assert judged(cited(value)) == "borderline"
    assert judged(cited(value, exact=True)) == ("met" if value > 0.5 else "failed")


def test_a_share_is_no_count_whatever_its_handler_says() -> None:
    assert judged(Figure(value=0.97, exact=True)) == "borderline"


@pytest.mark.parametrize(
    ("acceptable", "failure", "verdict"),
    [(None, None, "failed"), (0.4, None, "failed"), (0.4, 0.3, "borderline")],
)
def test_failed_is_what_misses_the_least_demanding_threshold_that_is_given(
    acceptable: float | None, failure: float | None, verdict: str
) -> None:
    criterion = Criterion("mcc", 0.5, acceptable, failure)
    assert judged(cited(0.35, low=0.31, high=0.39), criterion) == verdict


def test_borderline_says_what_is_crossed_and_asks_for_review() -> None:
    found = assessed(answer({"mcc": cited(0.45, low=0.35, high=0.55)}))
    assert found.criteria[0].said == (
        "mcc 0.450 (95 % CI 0.350 to 0.550): its interval crosses the target 0.5 and the acceptable 0.4: "
        "recommend review"
    )
    assert found.recommendation == "investigate"
    assert not found.met


def test_a_threshold_that_is_two_is_told_once() -> None:
    at_zero = replace(CLAIM, criteria={"mcc": Criterion("mcc", 0.0, failure=0.0)})
    found = assessed(answer({"mcc": cited(0.1, low=-0.1, high=0.2)}), at_zero)
    assert found.criteria[0].why == "its interval crosses the target 0: recommend review"


@settings(max_examples=60)
@given(st.floats(0, 1), st.floats(0, 0.3), st.floats(0, 0.3), st.booleans())
def test_nothing_is_met_whose_interval_holds_anything_worse_than_the_target(
    value: float, below: float, above: float, higher: bool
) -> None:
    criterion = HIGHER if higher else LOWER
    verdict = judged(cited(value, low=value - below, high=value + above), criterion)
    worst = value - below if higher else value + above
    assert (verdict == "met") == (worst >= 0.5 if higher else worst <= 0.3)


def test_a_claim_that_is_borne_out_goes_on_and_one_that_is_not_turns() -> None:
    assert (assessed().met, assessed().recommendation, assessed().confidence) == (True, "proceed", "moderate")
    bad = answer({"mcc": over_seeds(0.11, 0.12, 0.13)})
    assert assessed(bad).recommendation == "pivot"
    assert assessed(bad, replace(CLAIM, kind="question")).recommendation == "investigate"
    assert assessed(bad, replaced=True).status == "pivoted"


STUB = answer(stub=True)
BROKEN = answer(state="failed", error=Broken(kind="MissingHandler", message="no such file"))


@pytest.mark.parametrize(
    ("made", "status"),
    [
        pytest.param(None, "not_started", id="nothing"),
        pytest.param(STUB, "in_progress", id="stub"),
        pytest.param(BROKEN, "failed", id="failed"),
        pytest.param(answer(basis=CHANGED), "in_progress", id="out of date"),
        pytest.param(answer({}), "completed", id="missing metric"),
        pytest.param(answer({"mcc": cited(None)}), "completed", id="undefined metric"),
        pytest.param(answer({"mcc2": GOOD}), "completed", id="misspelt metric"),
        pytest.param(answer({"mcc": GOOD, "e_drawn/mcc": GOOD}), "completed", id="told twice"),
    ],
)
def test_what_can_never_be_met_or_go_on(made: Answer | None, status: str) -> None:
    found = assess(CLAIM, parts(drawn=made))
    assert (found.met, found.recommendation, found.status) == (False, "block", status)
    assert found.criteria[0].verdict == "missing"
    assert found.blockers
    assert found.stub == (made is STUB)


def test_every_part_must_be_answered() -> None:
    two = replace(CLAIM, subs=(SubExperiment("drawn"), SubExperiment("filtered")))
    found = assess(two, parts(drawn=answer(), filtered=None))
    assert (found.criteria[0].verdict, found.met, found.recommendation) == ("met", False, "block")
    assert found.blockers == ("filtered: not run yet",)


def test_a_metric_is_found_by_its_name_with_or_without_its_function() -> None:
    both = replace(CLAIM, subs=(SubExperiment("drawn"), SubExperiment("filtered")))
    its = parts(drawn=answer(), filtered=answer(sub="filtered", function="e_filtered"))
    assert "told more than once" in assess(both, its).criteria[0].said
    named = replace(both, criteria={"e_filtered/mcc": replace(HIGHER, metric="e_filtered/mcc")})
    found = assess(named, its).criteria[0]
    assert (found.verdict, found.sub) == ("met", "filtered")


def test_without_criteria_there_is_nothing_to_be_met() -> None:
    found = assessed(experiment=replace(CLAIM, kind="question", criteria={}))
    assert (found.status, found.met, found.recommendation) == ("completed", False, "investigate")


def test_what_stands_in_the_way_blocks_whatever_the_figures_say() -> None:
    found = assessed(blockers=["noise_floor is not completed"])
    assert (found.recommendation, found.notes) == ("block", ("noise_floor is not completed",))


def compared(runs: int, verdict: str = "better", metrics: int = 1, **changes: Any) -> Figure:
    names = [tuple(f"{side}_{seed}" for seed in range(runs)) for side in ("a", "b")]
    hashes = {run: samples.HASH for side in names for run in side}
    source = Compared(
        baseline=names[0],
        candidate=names[1],
        split="val",
        metric="mcc",
        files=hashes,
        family=("mcc", "accuracy", "macro_f1")[:metrics],
        alpha=0.05,
        verdict=verdict,  # type: ignore[arg-type]
    )
    return Figure(**{"value": 0.62, "low": 0.6, "high": 0.64} | changes, source=source)


SURE = {"mcc": compared(3)}


@pytest.mark.parametrize(
    ("made", "confidence", "why"),
    [
        (answer({"mcc": cited(0.62, low=0.6, high=0.64)}), "low", "one training"),
        (answer({"mcc": compared(1)}), "low", "one training"),
        (answer({"mcc": compared(2)}), "moderate", "two trainings a side"),
        (answer({"mcc": Figure(value=0.62, low=0.6, high=0.64)}), "low", "cannot be recomputed"),
        (
            answer({"mcc": deriving.derived("mean", [deriving.count(n) for n in (6, 7, 8)])}),
            "moderate",
            "counted by its",
        ),
        (answer({"mcc": Figure(value=0.9, low=0.8, high=1.0, exact=True)}), "low", "cannot be recomputed"),
        (answer(), "moderate", "not about other images"),
        (answer(SURE, git=GitState(commit=samples.COMMIT, dirty=True)), "moderate", "uncommitted changes"),
        (answer(SURE, git=GitState(reason="no git")), "moderate", "the source is unknown"),
        (answer(SURE, caveats=("phantom: drawn by a program",)), "moderate", "drawn by a program"),
        (answer({"mcc": deriving.count(1)}), "moderate", "counted by its handler"),
        (answer(SURE), "high", "three or more trainings"),
    ],
)
def test_confidence_has_its_reason(made: Answer, confidence: str, why: str) -> None:
    found = assessed(made)
    assert found.confidence == confidence
    assert why in " ".join(found.confidence_notes)
    assert found.met
    assert found.recommendation == ("investigate" if confidence == "low" else "proceed")


@pytest.mark.parametrize(
    ("word", "counts"),
    [("trainer.max_epochs=1", False), ("loggers=x", False), ("logger=none", True), ("++logger.x=1", True)],
)
def test_an_answer_made_with_overrides_counts_only_where_they_are_the_loggers(
    word: str, counts: bool
) -> None:
    its = BASIS.model_copy(update={"overrides": (word,)})
    made = answer(SURE, basis=its)
    found = assess(CLAIM, {"drawn": Part("drawn", made, its, *worth(made, its))})
    assert (found.met, found.status == "completed") == (counts, counts)
    why = f"drawn: made with {word} on the command line, which its handler does not say: run it without"
    assert (why in found.blockers) != counts


def gain(target: float, failure: float, direction: Any = "higher") -> Criterion:
    return Criterion("mcc", target=target, failure=failure, direction=direction)


@pytest.mark.parametrize(
    ("criterion", "low", "high", "decided", "undecided"),
    [
        (gain(0.0, -0.1), 0.01, 0.1, "met", "borderline"),
        (gain(0.05, 0.0), 0.06, 0.1, "met", "borderline"),
        (gain(-0.02, -0.1), -0.01, 0.1, "met", "met"),  # no loss beyond 0.02: claims no difference
        (gain(0.1, 0.0), -0.1, -0.01, "failed", "borderline"),
        (gain(0.3, 0.2), 0.01, 0.1, "failed", "failed"),  # no gain of 0.2: claims no difference
        (gain(0.0, 0.1, "lower"), -0.1, -0.01, "met", "borderline"),
        (gain(0.05, 0.1, "lower"), 0.01, 0.04, "met", "met"),
        (gain(-0.1, 0.0, "lower"), 0.01, 0.1, "failed", "borderline"),
    ],
)
def test_a_difference_that_the_comparison_leaves_undecided_is_claimed_by_no_criterion(
    criterion: Criterion, low: float, high: float, decided: str, undecided: str
) -> None:
    numbers: dict[str, Any] = {"value": (low + high) / 2, "low": low, "high": high}
    assert judged(compared(3, "worse" if high < 0 else "better", **numbers), criterion) == decided
    figure = compared(3, "undecided", 3, **numbers)
    assert judged(figure, criterion) == undecided
    if decided != undecided:
        experiment = replace(CLAIM, criteria={"mcc": criterion})
        found = assessed(answer({"mcc": figure}), experiment)
        assert found.criteria[0].why == "undecided after Holm's correction over 3 metrics: recommend review"
        assert (found.met, found.recommendation) == (False, "investigate")


def test_the_same_training_many_times_makes_nothing_sure() -> None:
    same = [cited(value, run) for value, run in ((0.60, "net_1"), (0.61, "net_2"), (0.62, "net_3")) * 20]
    found = assessed(answer({"mcc": deriving.derived("mean", same)}))
    assert (found.criteria[0].verdict, found.met, found.confidence) == ("borderline", False, "low")
