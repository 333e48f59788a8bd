import re
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ctexp.core import clock
from ctexp.planning.plan.jobs import jobs_of
from ctexp.planning.proposal.documents import LeftOut, Proposal
from ctexp.planning.proposal.page import page
from ctexp.planning.proposal.page.meanings import Meanings
from ctexp.planning.schedule.schedule import Entry, Schedule
from ctexp.record.manifest import Estimate
from tests.planning.proposal.projects import a_run, proposed, with_images
from tests.planning.study.projects import in_order
from tests.project import HERE

SECTIONS = [
    "## 1. Executive summary",
    "## 2. Experiment schedule",
    "## 3. Shell script",
    "## 4. Resource estimates",
    "## 5. Post-experiment analysis plan",
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two seeds of one recipe."""
    folder = with_images(tmp_path_factory.mktemp("page"))
    with in_order():
        for seed in (1, 2):
            a_run(folder, "base", seed, "trainer.max_epochs=5")
    return folder


@pytest.fixture(scope="module")
def proposal(root: Path) -> Proposal:
    """Candidates beside a baseline, and the best of them confirmed."""
    return proposed(root, window="8h", focus=("training",))


@pytest.fixture(scope="module")
def told(proposal: Proposal, root: Path) -> str:
    """Its page."""
    return page(proposal, root)


def test_a_page_has_its_five_sections_in_their_order(told: str) -> None:
    assert [line for line in told.splitlines() if line.startswith("## ")] == SECTIONS


def test_each_experiment_says_what_is_believed_changed_taken_and_asked(proposal: Proposal, told: str) -> None:
    parts = re.split(r"^### 2\.\d+ ", section(told, 2), flags=re.MULTILINE)[1:]

    assert [re.match(r"`(.+)`", part)[1] for part in parts] == list(proposal.plan.experiments)  # type: ignore[index]
    for part in parts:
        for said in ("Hypothesis.", "Configuration changes.", "Expected runtime.", "Success criterion."):
            assert f"**{said}**" in part
        assert "**Why it is here.**" in part
    whole = section(told, 2)
    for said in ("**The criterion**", "**A change is refuted**", "**The morning page tells**"):
        assert whole.count(said) == 1
    assert "would be noticed four times in five; smaller ones may stay undecided" in whole
    assert "worth finding" not in told
    assert "later plans all seeds of a recipe count together" in whole


def test_a_change_is_told_with_what_it_means(proposal: Proposal, told: str) -> None:
    moved = [reason for reason in proposal.reasons.values() if reason.move]

    assert moved
    for reason in moved:
        for word in reason.changes:
            assert f"`{word}`: " in told, word


def test_the_commands_of_the_page_are_those_of_the_jobs(
    proposal: Proposal, told: str, tmp_path: Path
) -> None:
    program = tmp_path / "scripts" / "inv"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$*"\n')
    program.chmod(0o755)
    block = re.findall(r"```bash\n(.*?)```", section(told, 3), flags=re.DOTALL)[-1]

    ran = subprocess.run(["bash"], input=block, cwd=tmp_path, capture_output=True, text=True, check=True)

    wanted = [
        " ".join((job.verb, *job.overrides(None, ("WINNER",) if job.base else ())))
        for job in jobs_of(proposal.plan)
    ]
    assert sorted(sorted(line.split()) for line in ran.stdout.splitlines()) == sorted(
        sorted(line.split()) for line in wanted
    )
    assert ran.stderr == ""


def test_the_hour_it_is_written_at_changes_nothing(proposal: Proposal, root: Path, told: str) -> None:
    later = timedelta(hours=5)
    its = proposal.schedule
    moved = replace(
        proposal,
        schedule=replace(
            its,
            opens=its.opens + later,
            closes=its.closes + later,
            entries=tuple(
                replace(one, begins=one.begins + later, ends=one.ends + later)
                if one.begins and one.ends
                else one
                for one in its.entries
            ),
            totals=replace(
                its.totals,
                finish=its.totals.finish + later,
                finish_p90=its.totals.finish_p90 + later,
                free_bytes=its.totals.free_bytes // 2,
            ),
        ),
    )

    assert page(moved, root) == told


def test_what_nobody_has_timed_is_called_a_guess(told: str) -> None:
    assert "a guess" in section(told, 2)
    assert "is not known" in section(told, 4)
    assert "--measure" in section(told, 4)
    assert "| Disk | unknown | unknown |" in section(told, 4)
    assert told.count("fills the window by what was measured") == 1


def test_known_costs_are_those_of_the_schedule(proposal: Proposal, root: Path) -> None:
    its = proposal.schedule
    timed = replace(proposal, schedule=known(its), assumed_minutes={})

    told = page(timed, root)

    count = len(proposal.plan.experiments["baseline"].seeds or proposal.plan.seeds)
    assert f"{clock.duration(90 * count)} (p90 {clock.duration(120 * count)})" in section(told, 2)
    assert "guess" not in section(told, 2)
    assert "1 min 30 s | 2 min 00 s" in section(told, 4)
    assert "| Processor hours | 1.5 (1 h 30 min) | 2.0 (2 h 00 min) |" in section(told, 4)
    assert "3.0 GB" in section(told, 4)
    assert f"Its last {clock.duration(its.grace_seconds + its.analysis_seconds)} are kept" in section(told, 4)


def test_a_criterion_is_told_in_words_with_what_each_result_calls_for(proposal: Proposal, told: str) -> None:
    after = section(told, 5)

    assert f"is it better than `{proposal.plan.baseline}`" in after
    assert f"`val/macro_f1` is higher than that of `{proposal.plan.baseline}`" in section(told, 2)
    assert "no better by 0.02" in after
    for result in ("met", "not met", "undecided", "not tested"):
        assert f"\n| {result} | " in after
    assert "--promote" in after


def test_where_nothing_is_asked_nothing_is_claimed(proposal: Proposal, root: Path) -> None:
    kept = {name: proposal.plan.experiments[name] for name in ("smoke", "baseline")}
    beginnings = tuple(f"{name}-s" for name in kept)
    its = proposal.schedule
    entries = tuple(one for one in its.entries if one.job.startswith(beginnings))
    bare = replace(
        proposal,
        plan=proposal.plan.model_copy(update={"experiments": kept}),
        reasons={name: proposal.reasons[name] for name in kept},
        schedule=replace(its, entries=entries),
    )

    after = section(page(bare, root), 5)

    assert "nothing will be claimed" in after
    assert "Holm" not in after
    assert "--promote" not in after


def test_no_text_breaks_a_table_or_becomes_a_tag(proposal: Proposal, root: Path) -> None:
    hostile = "a | b\n| c | <script>alert(1)</script> p < 0.05"
    told = page(
        replace(proposal, left_out=(LeftOut("ema", hostile),), assumptions=(hostile,), said=hostile), root
    )

    assert "<script" not in told
    assert "p < 0.05" in told
    (row,) = [line for line in told.splitlines() if line.endswith("`ema` |") and "alert" in line]
    assert len(re.findall(r"(?<!\\)\|", row)) == 3
    assert [line for line in told.splitlines() if line.startswith("## ")] == SECTIONS


def test_what_the_last_night_said_stands_in_the_summary(proposal: Proposal, root: Path, told: str) -> None:
    said = "night-1_20261120-220000: ema: undecided"

    again = page(replace(proposal, follows=(said,)), root)

    assert "### What the last night said" not in told
    assert f"- {said}." in section(again, 1)


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("averaging=ema", "A moving average"),
        ("sampler.name=uniform", "Every image once"),
        ("optimizer.lr=3e-5", "Peak learning rate."),
        ("trainer.early_stopping.patience=5", "Stop after `patience` epochs"),
        ("++model.dropout=0.4", "Probability of dropping a feature"),
        ("model=../../etc/passwd", ""),
        ("data.nothing=1", ""),
        ("nothing.at_all=1", ""),
    ],
)
def test_settings_mean_what_their_file_says(word: str, meaning: str) -> None:
    found = Meanings(HERE / "conf").of(word)

    assert found.startswith(meaning) if meaning else found == ""


def section(told: str, number: int) -> str:
    """The text of one section."""
    found = re.search(rf"^## {number}\. .*?(?=^## |\Z)", told, flags=re.MULTILINE | re.DOTALL)
    assert found
    return found[0]


def known(schedule: Schedule) -> Schedule:
    """The same with a cost for each job."""
    cost = Estimate(
        seconds=90.0,
        seconds_p90=120.0,
        memory_bytes=10**9,
        memory_bytes_p90=2 * 10**9,
        disk_bytes=4 * 10**6,
        disk_bytes_p90=5 * 10**6,
        basis="measured",
    )
    entries = tuple(Entry(one.job, cost, "yes", "", one.begins, one.ends) for one in schedule.entries)
    totals = replace(schedule.totals, unknown=0, device_hours=1.5, device_hours_p90=2.0, disk_bytes=3 * 10**9)
    return replace(schedule, entries=entries, totals=totals)
