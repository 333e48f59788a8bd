"""What is said of a change, and which changes are one and the same."""

from dataclasses import replace
from pathlib import Path

import pytest

from ctexp.planning import study
from ctexp.planning.diagnosis.diagnose import diagnose
from ctexp.planning.diagnosis.findings import Finding
from ctexp.planning.moves import catalogue
from ctexp.planning.moves.learning import posterior
from ctexp.planning.moves.value import Belief
from ctexp.planning.proposal import wishes
from ctexp.planning.proposal.candidates import unlikely
from ctexp.planning.proposal.documents import Proposal
from ctexp.planning.proposal.page import page
from ctexp.planning.proposal.propose import propose
from tests.planning.moves.pairs import seen
from tests.planning.proposal.projects import NOW, a_run, with_images
from tests.planning.study.projects import in_order

MORE = """\
averages:
  category: sweep
  variants:
    ema: {overrides: [averaging=ema]}
    swa: {overrides: [averaging=swa]}
  hypothesis: One of the averages is better.
  expected: One of them is.
  effects:
    val/macro_f1: {gain: 0.0, sd: 0.01}
  source: made up
measured:
  category: architecture
  overrides: [model.fusion=concat, features=all_features]
  hypothesis: What was measured helps.
  expected: It does.
  effects:
    val/macro_f1: {gain: 0.1, sd: 0.1}
  source: made up
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a training, and a sweep one value of which is another move."""
    root = with_images(tmp_path_factory.mktemp("one"))
    (root / "conf" / "moves" / "more.yaml").write_text(MORE)
    with in_order():
        a_run(root, "base", 42, "trainer.max_epochs=5")
    return root


@pytest.fixture(scope="module")
def found(root: Path) -> Proposal:
    """A proposal where two classes were seen to be missed."""
    read = study.read(root, root / "runs")
    missed = Finding("overfitting", "seen", "two are missed", "moderate", about=("normal", "adenocarcinoma"))
    findings = tuple(missed if one.kind == missed.kind else one for one in diagnose(read).findings)
    diagnosis = replace(diagnose(read), findings=findings)
    return propose(read, diagnosis, catalogue.load(root), wishes.read("night-1"), NOW)


def test_a_change_that_is_made_for_classes_is_watched_by_their_sensitivity(found: Proposal) -> None:
    watched = found.plan.experiments["dropout"].track
    assert {"val/recall_normal", "val/recall_adenocarcinoma"} <= set(watched)
    assert "normal and adenocarcinoma" in found.reasons["dropout"].why
    assert not any("recall" in metric for metric in found.plan.experiments["ema"].track)


def test_a_sweep_with_a_value_that_is_another_change_is_not_in_the_same_night(found: Proposal) -> None:
    left = {one.move: one.why for one in found.left_out}
    assert left["averages"] == "one of its values comes to the same configuration as ema"
    assert "ema" in found.plan.experiments


def test_what_lost_here_is_left_out_for_that_and_not_for_what_was_believed_before() -> None:
    past = seen(-0.46, 0.04)
    tried = unlikely(posterior(Belief(0.0, 0.05), [past], 0.02), 0.1)
    assert tried.startswith("tried here: seen once, -0.460 on average")
    assert tried.endswith("better with a probability of 0.10")
    untried = unlikely(posterior(Belief(-0.1, 0.05), [], 0.02), 0.02)
    assert untried == "more likely to lose than to gain: better with a probability of 0.02"


def test_nothing_says_where_the_project_lies(root: Path, found: Proposal) -> None:
    assert "inv extract-features" in {one.move: one.why for one in found.left_out}["measured"]
    assert str(root) not in found.text + page(found, root)
