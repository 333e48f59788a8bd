"""Gates and bases, decided by what real records say; and the words a job begins with."""

import json
from pathlib import Path

import pytest

from ctexp.core.errors import DataError
from ctexp.planning.plan.jobs import BaseRule, GateRule
from ctexp.queue import base
from ctexp.queue.deciding.decide import decision
from ctexp.queue.deciding.verdicts import Decide
from ctexp.queue.journal import Journal
from ctexp.queue.measured import value
from ctexp.queue.orders import Orders
from ctexp.queue.state import fold
from tests.judged import a_cross_validation, a_run
from tests.queue.written import Writer, job, queue


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seeds each of a good and a bad network, and a cross-validation."""
    folder = tmp_path_factory.mktemp("runs")
    for name, skill in (("good", 3.0), ("bad", 0.1)):
        for seed in (1, 2):
            a_run(folder, name, seed, skill=skill)
    a_cross_validation(folder)
    return folder


def ids(runs: Path, name: str) -> list[str]:
    return sorted(path.name for path in runs.glob(f"{name}_*"))


def test_values_are_those_of_the_record_with_their_intervals(runs: Path) -> None:
    (run, _) = ids(runs, "good")
    told = value(runs, run, "val/macro_f1")
    assert told == json.loads((runs / run / "result.json").read_text())["metrics"]["val/macro_f1"]
    per_class = value(runs, run, "val/f1_normal")
    assert per_class is not None
    assert per_class["low"] <= per_class["value"] <= per_class["high"]  # type: ignore[operator]
    assert value(runs, run, "train/accuracy") is None
    assert value(runs, "nobody", "val/macro_f1") is None


def test_validation_of_a_cross_validation_is_out_of_fold(runs: Path) -> None:
    (place,) = (runs / "cross-validations").iterdir()
    entries = json.loads((place / "metrics.json").read_text())["splits"]["oof"]["metrics"]
    told = value(runs, place.name, "val/macro_f1")
    assert told is not None
    assert told["value"] == entries["oof/macro_f1"]["value"]
    (place / "metrics.json").write_text("{")
    assert value(runs, place.name, "val/macro_f1") is None


JOBS = (
    *(job(name, seed, own=(f"model.name={name}",)) for name in ("good", "bad") for seed in (1, 2)),
    job("strict", gate=GateRule("good", "val/macro_f1", ">=", 0.999)),
    job("lenient", gate=GateRule("good", "val/loss", "<", 99.0)),
    job("best", own=("optimizer.lr=0.1",), base=BaseRule(("bad", "good"), None)),
    job("least", base=BaseRule(("bad", "good"), "val/loss")),
    job("chain", base=BaseRule(("best",), None)),
)


class Told:
    """A queue whose first jobs are done."""

    def __init__(self, runs: Path, *done: str) -> None:
        self.queue = queue(runs, JOBS)
        self.orders = Orders.read(self.queue.orders)
        self.writer = Writer(self.queue)
        for name in done:
            for seed, run in enumerate(ids(runs, name), 1):
                self.writer.done(f"{name}-s{seed}", run=run)

    def decide(self, what: str, experiment: str) -> dict[str, object]:
        night = fold(self.orders, Journal(self.queue.journal).read())
        fields = decision(self.orders, night, Decide(what, experiment))  # type: ignore[arg-type]
        self.writer.journal.append("decision", **fields)
        return fields


def test_a_gate_looks_at_the_mean_of_finished_seeds(runs: Path) -> None:
    told = Told(runs, "good")
    mean = sum(value(runs, run, "val/macro_f1")["value"] for run in ids(runs, "good")) / 2  # type: ignore[index, misc]
    strict = told.decide("gate", "strict")
    assert strict["observed"] == pytest.approx(mean)
    assert strict["passed"] is False
    assert strict["runs"] == ids(runs, "good")
    assert told.decide("gate", "lenient")["passed"] is True
    blind = Told(runs).decide("gate", "lenient")
    assert (blind["observed"], blind["passed"]) == (None, False)


def test_the_better_end_of_a_metric_wins(runs: Path) -> None:
    told = Told(runs, "good", "bad")
    best = told.decide("base", "best")
    assert (best["winner"], best["by"]) == ("good", "val/macro_f1")
    scores = best["scores"]
    assert isinstance(scores, dict)
    assert scores["good"] > scores["bad"]
    assert told.decide("base", "least")["winner"] == "good"
    assert Told(runs, "bad").decide("base", "best")["winner"] == "bad"
    assert Told(runs).decide("base", "best")["winner"] is None


def test_the_words_of_a_base_come_out_nul_separated(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    told = Told(runs, "good", "bad")
    monkeypatch.setenv("CTEXP_QUEUE_DIR", str(told.queue.path))
    with pytest.raises(DataError, match="what best begins with is not decided"):
        base.main(["best-s1"])
    told.decide("base", "best")
    assert base.main(["best-s1:oom"]) == 0
    assert capfd.readouterr().out == "model.name=good\0"


def test_a_winner_that_had_a_base_hands_on_all_its_words(runs: Path) -> None:
    told = Told(runs, "good", "bad")
    told.decide("base", "best")
    told.writer.done("best-s1", run=ids(runs, "good")[0])
    assert told.decide("base", "chain")["words"] == ["model.name=good", "optimizer.lr=0.1"]
