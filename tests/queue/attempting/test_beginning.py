"""What an attempt is: anew or going on, with which words, in what time."""

from pathlib import Path
from typing import Any

import pytest

from ctexp.core.errors import UsageError
from ctexp.planning.plan.jobs import Job
from ctexp.queue.attempting.beginning import Beginning, beginning
from ctexp.queue.orders import Cost, Orders
from ctexp.queue.state import fold
from tests.queue.written import Writer, job, queue
from tests.record import samples

WORDS = ("inv", "train", "model=x", "seed=1")
LONG = {"a-s1": Cost(seconds=3000.0, seconds_p90=3900.0)}


class Night:
    def __init__(self, root: Path, one: Job, **changes: Any) -> None:
        made = queue(root / "runs", [one], **changes)
        self.runs = root / "runs"
        self.orders = Orders.read(made.orders)
        self.writer = Writer(made)
        self.writer.begin()

    def next(self, key: str = "a-s1", remaining: float | None = None, *words: str) -> Beginning:
        night = fold(self.orders, self.writer.journal.read())
        return beginning(self.orders, night, key, (*WORDS, *words), remaining)

    def ended(self, number: int, run: str | None, state: str = "interrupted", **changes: Any) -> None:
        self.writer.start("a-s1", number, **{"run": None} | changes.pop("start", {}))
        self.writer.end("a-s1", number, state, run=run, **changes)


def test_the_first_is_as_the_script_says(tmp_path: Path) -> None:
    first = Night(tmp_path, job("a", limit_seconds=60.0)).next()
    assert (first.number, first.mode, first.argv, first.limit_seconds) == (1, "new", WORDS, 60.0)
    assert (first.name, first.deviations, first.fallback) == ("a-s1.1", (), None)


def test_an_interrupted_one_goes_on_in_what_is_left_of_its_limit(tmp_path: Path) -> None:
    night = Night(tmp_path, job("a", limit_seconds=100.0, fallback={"oom": ("data.batch_size=4",)}))
    run = samples.run_of(night.runs, state="interrupted").id
    night.ended(1, run, seconds=70.0)
    second = night.next()
    assert (second.mode, second.run, second.limit_seconds) == ("resume", run, 30.0)
    assert second.argv == ("inv", "train", "--resume", run)
    night.ended(2, None, cause="busy", start={"mode": "resume", "run": run})
    assert night.next().run == run
    anew = night.next("a-s1:oom")
    assert (anew.mode, anew.number, anew.limit_seconds) == ("new", 3, 100.0)


def test_one_that_cannot_be_gone_on_with_begins_anew(tmp_path: Path) -> None:
    night = Night(tmp_path, job("a"))
    night.ended(1, None, "failed", cause="killed")
    assert night.next().mode == "new"
    run = samples.run_of(night.runs, state="interrupted")
    night.ended(2, run.id)
    assert night.next().mode == "resume"
    night.ended(3, run.id, "failed", cause="data", exit_code=3, start={"mode": "resume", "run": run.id})
    assert night.next().mode == "new"  # its checkpoints are damaged, say
    night.ended(4, run.id)
    run.manifest.unlink()
    assert night.next().mode == "new"


@pytest.mark.parametrize(
    ("remaining", "words", "minutes"),
    [
        (None, (), None),
        (3901.0, (), None),
        (2400.0, (), "trainer.max_minutes=36"),
        (2400.0, ("trainer.max_minutes=40",), "trainer.max_minutes=36"),
        (2400.0, ("trainer.max_minutes=30",), "trainer.max_minutes=30"),
        (2400.0, ("trainer.max_minutes=null",), "trainer.max_minutes=36"),
    ],
)
def test_it_is_shortened_where_plan_and_window_say_so(
    tmp_path: Path, remaining: float | None, words: tuple[str, ...], minutes: str | None
) -> None:
    night = Night(tmp_path, job("a", shorten=True), costs=LONG)
    found = night.next("a-s1", remaining, *words)
    said = [word for word in found.argv if "max_minutes" in word]
    assert said == ([minutes] if minutes else [])
    assert found.shortened == (minutes == "trainer.max_minutes=36")
    if found.shortened:
        assert found.deviations == (
            "window: trainer.max_minutes=36 (needs 1 h 05 min (p90), 40 min 00 s are left)",
        )


@pytest.mark.parametrize(("remaining", "minutes"), [(97.0, "1.1"), (300.0, "4.5"), (45.0, "0.5")])
def test_of_a_few_minutes_half_of_one_is_kept_to_begin_and_to_measure(
    tmp_path: Path, remaining: float, minutes: str
) -> None:
    night = Night(tmp_path, job("a", shorten=True), costs=LONG)
    assert f"trainer.max_minutes={minutes}" in night.next("a-s1", remaining).argv


def test_what_goes_on_with_a_shortened_run_is_shortened(tmp_path: Path) -> None:
    night = Night(tmp_path, job("a", shorten=True), costs=LONG)
    run = samples.run_of(night.runs, state="interrupted").id
    night.ended(1, run, start={"deviations": ["window: trainer.max_minutes=36"]})
    again = night.next("a-s1", 9999.0)
    assert (again.mode, again.shortened, again.deviations) == ("resume", True, ())


def test_it_is_not_shortened_where_the_plan_does_not_say_so(tmp_path: Path) -> None:
    assert not Night(tmp_path, job("a"), costs=LONG).next("a-s1", 600.0).shortened


def test_foreign_words_are_refused(tmp_path: Path) -> None:
    night = Night(tmp_path, job("a"))
    for key in ("b-s1", "a-s1:oom"):
        with pytest.raises(UsageError, match=key):
            night.next(key)
