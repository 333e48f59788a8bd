from pathlib import Path

from ctexp.record.events import EventLog
from ctexp.record.run_dir import RunDir
from ctexp.research.running.ailing import ailments


def training(runs: Path, *changes: tuple[str, str]) -> RunDir:
    """A run that has told these changes of its health: the rule, and whether it began or has passed."""
    run = RunDir.create(runs, "net")
    log = EventLog(run.events)
    for rule, state in changes:
        log.write("health", state=state, rule=rule, epoch=3, message="so", advice="do")
    return run


def test_what_trainings_say_of_themselves_at_their_end_is_summed_up(tmp_path: Path) -> None:
    over, chance = ("overfitting", "began"), ("at_chance", "began")
    runs = [
        training(tmp_path, chance, over),
        training(tmp_path, over, ("at_chance", "passed")),
        training(tmp_path, chance, ("at_chance", "passed")),
    ]
    assert ailments(runs) == (
        "overfitting in 2 of 3 trainings: scripts/inv monitor says more",
        "at chance in 1 of 3 trainings: scripts/inv monitor says more",
    )
    assert ailments(runs[2:]) == ()
    runs[0].events.unlink()
    assert ailments(runs[:2]) == ("overfitting in 1 of 2 trainings: scripts/inv monitor says more",)
