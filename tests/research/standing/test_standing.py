"""Statuses and waits, from records; what data and what pivots have to do with them."""

from pathlib import Path

import pytest

from ctexp.core import files
from ctexp.core.paths import splits_folder
from ctexp.data.catalog import catalog_file
from ctexp.research.figures import Reported
from ctexp.research.places import Places
from ctexp.research.plan.load import load
from ctexp.research.standing.disagreements import disagreements
from ctexp.research.standing.following import following
from ctexp.research.standing.standing import Standing, standing
from tests.record import samples
from tests.research.answers import answer, failed, figure, handler, plan

PLAN = """\
experiments:
  last: {type: claim, sub_experiments: [one], success_criteria: {mcc: 0.5}, dependencies: [first]}
  first: {type: claim, sub_experiments: [one, two], success_criteria: {mcc: {target: 0.5, failure: 0.4}}}
  instead: {type: pivot, replaces: first, sub_experiments: [one], success_criteria: {mcc: 0.2}}
"""


def stands(root: Path) -> Standing:
    return standing(root, load(Places(root).plan, "plan.yaml"), root / "data")


def answered(root: Path, text: str = PLAN, value: float = 0.7) -> None:
    plan(root, text)
    answer(root, "first", "one", {"mcc": figure(value, 0.01)})
    answer(root, "first", "two")


def test_it_is_in_progress_until_every_part_is_answered_and_failed_while_one_is(tmp_path: Path) -> None:
    plan(tmp_path, PLAN)
    seen = []
    steps = (
        lambda: None,
        lambda: answer(tmp_path, "first", "one", {"mcc": figure(0.7, 0.01)}),
        lambda: failed(tmp_path, "first", "two"),
        lambda: answer(tmp_path, "first", "two"),
    )
    for step in steps:
        step()
        first = stands(tmp_path).experiments["first"]
        seen.append((first.assessment.status, first.state, first.counts))
    assert seen == [
        ("not_started", "open", False),
        ("in_progress", "open", False),
        ("failed", "open", False),
        ("completed", "met", True),
    ]


def test_a_part_says_why_it_does_not_count(tmp_path: Path) -> None:
    answered(tmp_path)
    record, seen = Places(tmp_path).record("first", "two"), []
    steps = (
        lambda: answer(tmp_path, "first", "two", stub=True),
        lambda: failed(tmp_path, "first", "two"),
        lambda: record.write_text("{}"),
        lambda: record.write_bytes(Places(tmp_path).record("first", "one").read_bytes()),
        lambda: record.unlink(),
        lambda: Places(tmp_path).handler("first", "two").unlink(),
    )
    for step in steps:
        step()
        part = stands(tmp_path).experiments["first"].parts["two"]
        seen.append((part.state, part.said))
    shown = "research/results/first/two.json"
    assert seen == [
        ("stub", "its figures are made up"),
        ("failed", "ValueError: no such run"),
        ("damaged", f"{shown}: experiment: Field required; and 7 more"),
        ("damaged", f"{shown}: is the record of first/one"),
        ("missing", "not run yet"),
        ("no handler", "research/handlers/first/two.py is missing"),
    ]


def test_experiments_keep_the_order_of_the_file_whatever_they_wait_for(tmp_path: Path) -> None:
    answered(tmp_path)
    found = stands(tmp_path)
    assert list(found.experiments) == ["last", "first", "instead"]
    assert found.experiments["last"].waits == ()


def test_a_dependency_has_to_be_answered_today_but_need_not_be_met(tmp_path: Path) -> None:
    answered(tmp_path, value=0.1)
    assert stands(tmp_path).experiments["last"].waits == ()
    handler(tmp_path, "first", "two", "def e_two(runner): ...\n")
    last = stands(tmp_path).experiments["last"]
    assert (last.waits, last.state) == (("first is not completed",), "blocked")
    assert (last.assessment.status, last.assessment.recommendation) == ("blocked", "block")


def test_what_is_met_while_it_waits_does_not_count(tmp_path: Path) -> None:
    answered(tmp_path, PLAN + "gates: {g: {experiments: [last], unlocks: [instead]}}\n")
    answer(tmp_path, "last", "one", {"mcc": figure(0.7, 0.01)})
    assert stands(tmp_path).gates["g"].open
    Places(tmp_path).record("first", "two").unlink()
    found = stands(tmp_path)
    assert found.experiments["last"].assessment.recommendation == "block"
    assert (found.gates["g"].open, found.gates["g"].why) == (False, ("last: blocked",))


def test_what_is_met_by_a_number_nobody_can_recompute_opens_no_gate(tmp_path: Path) -> None:
    answered(tmp_path, PLAN + "gates: {g: {experiments: [last]}}\n")
    answer(tmp_path, "last", "one", {"mcc": figure(0.7, 0.01, source=Reported())})
    found = stands(tmp_path)
    assert found.experiments["last"].assessment.met
    assert (found.gates["g"].open, found.gates["g"].why) == (False, ("last: met, confidence low",))


def test_a_failed_claim_that_another_replaces_is_pivoted(tmp_path: Path) -> None:
    answered(tmp_path, value=0.1)
    first = stands(tmp_path).experiments["first"]
    assert (first.assessment.status, first.state, first.answered) == ("pivoted", "not met", True)


def test_other_images_put_an_answer_out_of_date_and_absent_ones_do_not(tmp_path: Path) -> None:
    answered(tmp_path)
    basis = answer(tmp_path, "first", "two").basis
    answer(tmp_path, "first", "two", basis=basis.model_copy(update={"data": {"phantom": samples.HASH}}))
    assert stands(tmp_path).experiments["first"].counts
    catalog = catalog_file(tmp_path / "data", "phantom")
    catalog.parent.mkdir(parents=True)
    catalog.write_bytes(b"another catalog")
    part = stands(tmp_path).experiments["first"].parts["two"]
    assert (part.state, part.said) == ("out of date", "changed since: the data set phantom")


def test_images_dealt_anew_put_an_answer_out_of_date(tmp_path: Path) -> None:
    answered(tmp_path)
    file = splits_folder(tmp_path) / "phantom" / "clean.txt"
    files.write_text(file, "train\ta\nval\tb\n")
    data = {"phantom": samples.HASH, "phantom/clean": files.sha256_file(file)}
    basis = answer(tmp_path, "first", "two").basis
    answer(tmp_path, "first", "two", basis=basis.model_copy(update={"data": data}))
    assert stands(tmp_path).experiments["first"].counts
    file.write_bytes(b"train\ta\r\nval\tb\r\n")  # line ends are the editor's
    assert stands(tmp_path).experiments["first"].counts
    file.write_text("train\tb\nval\ta\n")
    part = stands(tmp_path).experiments["first"].parts["two"]
    assert (part.state, part.said) == ("out of date", "changed since: the data set phantom/clean")


def test_names_and_remarks_may_be_edited_after_the_answer_but_not_the_question(tmp_path: Path) -> None:
    answered(tmp_path)
    plan(
        tmp_path, PLAN.replace("  first: {", "  first: {name: Other, phase: 2, outcome: good, status: met, ")
    )
    assert stands(tmp_path).experiments["first"].counts
    plan(tmp_path, PLAN.replace("target: 0.5", "target: 0.45"))
    assert stands(tmp_path).experiments["first"].state == "open"


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("met", ""),
        ("Completed", ""),
        ("done", ""),
        ("", ""),
        ("in progress", "says in progress, computed: met"),
        ("FAILED", "says FAILED, computed: met"),
        ("almost", "says almost, computed: met"),
    ],
)
def test_a_status_that_somebody_wrote_is_told_where_it_is_another(
    tmp_path: Path, said: str, line: str
) -> None:
    answered(tmp_path, PLAN.replace("  first: {", f"  first: {{status: '{said}', "))
    expected = (f"plan.yaml:3: experiments.first.status: {line}",) if line else ()
    assert disagreements(stands(tmp_path)) == expected


@pytest.mark.parametrize(
    ("said", "fits"), [("closed", True), ("not met", True), ("OPEN", False), ("maybe", False)]
)
def test_a_gate_that_somebody_opened_is_told(tmp_path: Path, said: str, fits: bool) -> None:
    answered(tmp_path, PLAN + f"gates: {{g: {{experiments: [last], status: {said}}}}}\n")
    line = f"plan.yaml:5: gates.g.status: says {said}, computed: closed"
    assert disagreements(stands(tmp_path)) == (() if fits else (line,))


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("0.7", ""),
        ("0.71", "says 0.71, computed: 0.700"),
        ("null", ""),
        ("good", "says good, computed: 0.700"),
    ],
)
def test_a_number_that_somebody_wrote_is_told_where_it_is_another(
    tmp_path: Path, said: str, line: str
) -> None:
    answered(tmp_path, PLAN.replace("  first: {", f"  first: {{achieved: {{mcc: {said}, other: 1}}, "))
    told = disagreements(stands(tmp_path))
    assert [one.partition(" (")[0] for one in told] == (
        [f"plan.yaml:3: experiments.first.achieved.mcc: {line}"] if line else []
    )


def test_next_is_what_waits_for_nothing_in_the_order_it_has_to_be_done(tmp_path: Path) -> None:
    places = Places(tmp_path)
    plan(tmp_path, "experiments: {}")
    assert following(stands(tmp_path), places) == ("scripts/inv research-new ID",)
    plan(tmp_path, PLAN)
    run = "scripts/inv research-run --experiment-id"
    assert following(stands(tmp_path), places) == (
        "scripts/inv research-new first",
        "scripts/inv research-new instead",
    )
    handler(tmp_path, "first", "one")
    handler(tmp_path, "first", "two")
    assert following(stands(tmp_path), places)[0] == f"{run} first"
    answered(tmp_path, value=0.1)
    failed(tmp_path, "first", "two")
    assert following(stands(tmp_path), places)[0] == f"{run} first --rerun-failed"
    answered(tmp_path, value=0.45)
    answer(tmp_path, "last", "one", {"other": figure(1)})
    answer(tmp_path, "instead", "one", {"mcc": figure(0.7)})
    assert following(stands(tmp_path), places) == (
        "see that a handler of last tells mcc",
        "decide what follows from first (review): research/results/first/FINDINGS.md",
        "scripts/inv findings-check",
    )
