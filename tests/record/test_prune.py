"""Which checkpoints of old runs go, which never do, and what a kill in the middle leaves."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ctexp.core import files
from ctexp.core.errors import DataError, StorageError
from ctexp.record import prune
from ctexp.record import pruned as pruned_record
from ctexp.record.checkpoint_files import BEFORE_LAST, BEST, LAST, listed, write_sums
from ctexp.record.events import EventLog
from ctexp.record.events import read as read_events
from ctexp.record.prune import Plan, Rules
from ctexp.record.result import Measurement
from ctexp.record.run_dir import RunDir
from ctexp.record.show import describe
from tests.record import samples

ALL = (BEST, LAST, BEFORE_LAST)
ENDED = datetime.fromisoformat(samples.END)
WEEK = Rules(timedelta(days=7), "7d", keep=1)
LATER = ENDED + timedelta(days=8)
CODES = {
    "finished": 0,
    "interrupted": 130,
    "timeout": 124,
    "diverged": 11,
    "oom": 10,
    "pruned": 12,
    "failed": 3,
}


def make(
    runs: Path, name: str = "net", state: str = "finished", value: float | None = 0.5, **changes: object
) -> RunDir:
    """An ended run with three checkpoints."""
    hyper = {"trainer.monitor": "val/macro_f1"}
    fields = {"name": name, "tags": (), "hyperparameters": hyper} | changes
    run = samples.begun(RunDir.create(runs, name), **fields)
    for number, file in enumerate(ALL, 1):
        (run.checkpoints / file).write_bytes(b"w" * 1000 * number)
    write_sums(run.checkpoints, {file: files.sha256_file(run.checkpoints / file) for file in ALL})
    samples.finish(
        run,
        state=state,
        exit_code=CODES[state],
        failure="DataError" if state == "failed" else None,
        metrics={"val/macro_f1": Measurement(value=value)} if value is not None else {},
    )
    return run


def left(run: RunDir) -> set[str]:
    return {path.name for path in run.checkpoints.glob("*.ckpt")}


def planned(runs: Path, rules: Rules = WEEK, now: datetime = LATER, baselines: str = "none.yaml") -> Plan:
    return prune.plan(runs, runs.parent / baselines, rules, now)


def pruned(runs: Path, rules: Rules = WEEK, **more: object) -> Plan:
    decided = planned(runs, rules, **more)  # type: ignore[arg-type]
    assert prune.carry_out(decided) == {}
    return decided


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.mark.parametrize(
    ("state", "stays"),
    [
        ("finished", {BEST}),
        ("interrupted", set(ALL)),
        ("timeout", set(ALL)),
        ("diverged", set()),
        ("oom", set()),
        ("pruned", set()),
        ("failed", set()),
    ],
)
def test_what_goes_depends_on_how_a_run_ended(runs: Path, state: str, stays: set[str]) -> None:
    run = make(runs, state=state)

    assert not planned(runs, now=ENDED + timedelta(days=6)).thinnings
    decided = planned(runs)
    assert left(run) == set(ALL)
    assert decided.size == sum(1000 * (ALL.index(name) + 1) for name in set(ALL) - stays)

    assert prune.carry_out(decided) == {}

    assert left(run) == stays
    assert {name for _, name in listed(run.checkpoints)} == stays
    if stays:
        subprocess.run(["sha256sum", "--quiet", "-c", "sha256sums"], cwd=run.checkpoints, check=True)
    assert not planned(runs).thinnings


def test_the_best_of_each_name_keep_their_best_weights(runs: Path) -> None:
    worse, best, middle = (make(runs, value=value) for value in (0.2, 0.9, 0.5))
    other = make(runs, name="other", value=0.1)
    unknown = make(runs, name="unknown", value=None)

    pruned(runs)
    assert [left(run) for run in (worse, best, middle, other, unknown)] == [
        set(),
        {BEST},
        set(),
        {BEST},
        {BEST},
    ]
    pruned(runs, Rules(timedelta(days=7), "7d", keep=0))
    assert [left(run) for run in (best, other, unknown)] == [set(), set(), {BEST}]


def test_a_lower_loss_is_better_and_any_metric_can_be_monitored(runs: Path) -> None:
    monitor = {"trainer.monitor": "val/brier"}
    high, low = (make(runs, value=None, hyperparameters=monitor) for _ in range(2))
    for run, value in ((high, 0.8), (low, 0.2)):
        document = {"splits": {"val": {"metrics": {"val/brier": {"value": value}}}}}
        run.metrics.write_text(json.dumps(document))

    pruned(runs)

    assert (left(high), left(low)) == (set(), {BEST})


def test_runs_of_other_validation_images_are_not_ranked_against_each_other(runs: Path) -> None:
    data = samples.manifest("x").dataset
    folds = [
        make(runs, value=0.5 + fold / 10, dataset=data.model_copy(update={"split": "kfold", "fold": fold}))
        for fold in range(3)
    ]

    pruned(runs)

    assert [left(run) for run in folds] == [{BEST}] * 3


def test_what_something_stands_on_is_never_touched(runs: Path) -> None:
    names = ["baseline", "tagged", "promoted", "ensemble", "member", "plain"]
    made = {
        name: make(runs, name=name, state="diverged", tags=((name,) if name == "promoted" else ()))
        for name in names
    }
    tagged = make(runs, name="again", state="diverged", tags=("baseline", "night-1"))
    (runs.parent / "baselines.yaml").write_text(f"chest_ct:\n  - run: {made['baseline'].id}-1\n")
    for file, name in (("ensemble.json", "ensemble"), ("cross_validation.json", "member")):
        path = runs / "cross-validations" / "cv" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"members": [{"run_id": made[name].id}]}))

    decided = pruned(runs, baselines="baselines.yaml")

    gone = {name for name in names if left(made[name]) != set(ALL)}
    assert gone == {"tagged", "plain"}
    assert left(tagged) == set(ALL)
    assert set(decided.protected) == {made[n].id for n in set(names) - gone} | {tagged.id}


def test_a_list_of_baselines_that_cannot_be_read_stops_everything(runs: Path) -> None:
    make(runs, state="diverged")
    (runs.parent / "baselines.yaml").mkdir()

    with pytest.raises(DataError, match="nobody could tell which runs it protects"):
        planned(runs, baselines="baselines.yaml")


def test_running_runs_and_those_that_were_resumed_meanwhile_are_left_alone(runs: Path) -> None:
    idle, busy, resumed = (make(runs, name=name, state="diverged") for name in ("idle", "busy", "resumed"))
    decided = planned(runs)
    resumed.result.rename(resumed.attempt_result(1))

    with busy.lock():
        passed_over = prune.carry_out(decided)
        (busy.checkpoints / ".last.ckpt.x.tmp").write_bytes(b"being written")
        busy.result.unlink()
        assert not planned(runs).thinnings

    assert passed_over == {busy.id: "in use", resumed.id: "resumed in the meantime"}
    assert [left(run) for run in (idle, busy, resumed)] == [set(), set(ALL), set(ALL)]


def test_checkpoints_that_are_linked_from_elsewhere_are_left_alone(runs: Path) -> None:
    guarded, other = make(runs, "guarded", tags=("baseline",)), make(runs, "other")
    shutil.rmtree(other.checkpoints)
    other.checkpoints.symlink_to(guarded.checkpoints)
    assert pruned(runs, Rules(WEEK.age, "7d", keep=0)).thinnings == ()
    assert left(guarded) == set(ALL)


def test_records_stay_and_what_killed_writers_left_goes(runs: Path) -> None:
    run = make(runs, state="diverged")
    (run.figures / "curves.png").write_bytes(b"picture")
    dead = samples.begun(RunDir.create(runs, "dead"), name="dead", tags=())
    (dead.path / ".history.csv.abc.tmp").write_bytes(b"half")
    before = {path.relative_to(runs) for path in runs.rglob("*") if path.is_file()}

    pruned(runs)

    after = {path.relative_to(runs) for path in runs.rglob("*") if path.is_file()}
    gone = {path.name for path in before - after}
    assert gone == {*ALL, ".history.csv.abc.tmp"}
    assert {path.name for path in after - before} <= {"lock", "events.jsonl"}


def test_the_run_says_what_was_pruned_when_and_why(runs: Path) -> None:
    run = make(runs, value=0.1)
    make(runs, value=0.9)
    (run.checkpoints / LAST).unlink()  # not by us
    pruned(runs)

    found = read_events(run.events).events
    assert [event["kind"] for event in found] == ["pruned", "pruned"]
    assert {tuple(event["files"]): event["bytes"] for event in found} == {
        ("checkpoints/last.prev.ckpt",): 3000,
        ("checkpoints/best.ckpt",): 1000,
    }
    line = pruned_record.told(run, BEST)
    assert line is not None
    assert line.startswith(f"{run.id}: best.ckpt was pruned on {datetime.now(UTC):%Y-}")
    assert line.endswith("finished over 7d ago, not among the best 1 of its name")
    assert pruned_record.told(run, LAST) is None
    files.append_line(run.events, '{"seq": 9, "time": "now", "kind": "pruned", "files": [{}, 1, null]}')
    assert [line.split()[1] for line in describe(run).pruned] == [BEST, BEFORE_LAST]
    with pytest.raises(DataError, match=r"best\.ckpt was pruned on") as caught:
        pruned_record.refuse_pruned(run.checkpoints / BEST)
    assert caught.value.hint == "train it anew: scripts/inv train model=resnet50"
    (run.checkpoints / BEST).write_bytes(b"back again")
    assert pruned_record.told(run, BEST) is None


def test_a_disk_too_full_for_one_more_line_is_freed_all_the_same(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make(runs, state="diverged")
    write = EventLog.write

    def full(log: EventLog, kind: str, /, **fields: object) -> None:
        if left(run):
            raise StorageError("no space left")
        write(log, kind, **fields)

    monkeypatch.setattr(EventLog, "write", full)
    pruned(runs)

    assert left(run) == set()
    assert pruned_record.told(run, BEST) is not None


KILLED = """
import os, signal, sys
from datetime import datetime, timedelta
from pathlib import Path
from ctexp.core import files
from ctexp.record import prune

runs, at = Path(sys.argv[1]), int(sys.argv[2])
calls = 0
def counted(function):
    def call(*arguments, **named):
        global calls
        calls += 1
        if calls == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)
    return call
decided = prune.plan(
    runs, runs / "none", prune.Rules(timedelta(days=7), "7d", 0), datetime.fromisoformat(sys.argv[3])
)
Path.unlink, Path.replace, files.append_line = map(counted, (Path.unlink, Path.replace, files.append_line))
prune.carry_out(decided)
"""


def killed_at(runs: Path, call: int) -> int:
    words: Sequence[str] = (sys.executable, "-c", KILLED, str(runs), str(call), LATER.isoformat())
    return subprocess.run(words, check=False).returncode


def test_a_kill_at_any_moment_leaves_a_run_that_can_be_read(tmp_path: Path) -> None:
    codes = []
    for call in range(1, 9):
        run = make(tmp_path / f"runs{call}")
        codes.append(killed_at(run.path.parent, call))

        shown = describe(run)
        assert (shown.state, shown.problems) == ("finished", ())
        assert not read_events(run.events).problems
        for name in ALL:
            path = run.checkpoints / name
            if path.exists():  # whole, and known as that
                assert files.sha256_file(path) in {digest for digest, _ in listed(run.checkpoints)}
            else:
                assert pruned_record.told(run, name) is not None
        pruned(run.path.parent, Rules(timedelta(days=7), "7d", 0))
        assert left(run) == set()
        assert all(pruned_record.told(run, name) for name in ALL)
    assert codes[0] == -9
    assert codes[-1] == 0
