"""`inv plan-check`: what people see of a plan, and by which exit code scripts tell."""

import json
from pathlib import Path

import pytest

from ctexp.cli.plan_check import plan_check
from tests.project import TINY, add_tiny_set, inv, make_project

COMMON = f"common: [{', '.join(TINY)}, git.dirty=warn]\n"
SOUND = COMMON + "experiments:\n  plain: {seeds: [1, 2]}\n  sgd: {overrides: [optimizer=sgd]}\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_project(tmp_path_factory.mktemp("plans") / "project")
    add_tiny_set(root)
    (root / "research" / "plans").mkdir(parents=True)
    return root


def write(project: Path, name: str, text: str) -> None:
    (project / "research" / "plans" / f"{name}.yaml").write_text(text)


def test_a_sound_plan_and_its_schedule(project: Path) -> None:
    write(project, "sound", SOUND)
    done = inv(project, "plan-check", "sound")
    first, *rest = done.stdout.splitlines()
    assert first == "research/plans/sound.yaml: 3 jobs of 2 experiments, 2 warnings"
    assert [word for line in rest for word in line.split()[:1] if "-s" in word] == [
        *("plain-s1", "plain-s2", "sgd-s42")
    ]
    *warnings, next_step = done.stderr.splitlines()
    assert next_step == "time what nobody knows: scripts/inv plan-check sound --measure"
    assert len(warnings) == 2  # so few images in the tiny set
    assert all(line.startswith("warning: research/plans/sound.yaml:1: common.0: tiny") for line in warnings)
    assert not (project / "runs").exists()


def test_the_document(project: Path) -> None:
    write(project, "told", SOUND)
    done = inv(project, "plan-check", "research/plans/told.yaml", "--json")
    document = json.loads(done.stdout)
    assert (document["plan"], document["path"]) == ("told", "research/plans/told.yaml")
    assert [job["job"] for job in document["schedule"]["jobs"]] == ["plain-s1", "plain-s2", "sgd-s42"]
    assert document["refused"] == []
    assert len(document["warnings"]) == 2
    assert len(document["sha256"]) == 64


def test_what_an_executor_means_is_a_line(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    write(project, "there", SOUND)
    devices = "[{name: 'cpu#1', memory: 1GB}, {name: 'cpu#2', memory: 1GB}]"
    (project / "conf" / "executor" / "two.yaml").write_text(
        f"kind: local\ndevices: {devices}\njobs_per_device: 1\n"
    )
    plan_check("there", measure=False, executor="two", json=False)
    told = capsys.readouterr().out.splitlines()
    assert told[1] == "executor two: cpu#1 0.9 GiB, cpu#2 0.9 GiB: 2 jobs at once"
    plan_check("there", measure=False, executor="slurm", json=True)
    where = json.loads(capsys.readouterr().out)["executor"]
    assert where.pop("said").startswith("an array of 3 tasks and one for the analysis; ")
    assert where == {"name": "slurm", "kind": "slurm", "slots": 1}


def test_wrong_plans_are_told_by_their_exit_code(project: Path) -> None:
    write(project, "wrong", SOUND + "  bad: {overrides: [optimizer=sgdd], needs: [plian]}\n")
    done = inv(project, "plan-check", "wrong", code=2)
    assert done.stdout == ""
    assert (
        "UsageError: research/plans/wrong.yaml:5: experiments.bad.overrides.0: optimizer=sgdd" in done.stderr
    )
    assert "UsageError: research/plans/wrong.yaml:5: experiments.bad.needs.0: plian: no such" in done.stderr
    document = json.loads(inv(project, "plan-check", "wrong", "--json", code=2).stdout)
    assert len(document["error"]["problems"]) == 2

    write(project, "missing", SOUND + "  other: {overrides: [data.name=nowhere]}\n")
    done = inv(project, "plan-check", "missing", code=3)
    assert "DataError: research/plans/missing.yaml:5: experiments.other.overrides.0: " in done.stderr
    assert "import it: scripts/inv data-import" in done.stderr

    done = inv(project, "plan-check", "mising", code=2)
    assert "did you mean 'missing'?" in done.stderr


@pytest.mark.slow
def test_what_is_not_known_is_measured(project: Path) -> None:
    write(project, "measured", SOUND)
    done = inv(project, "plan-check", "measured", "--measure", "--json")
    document = json.loads(done.stdout)
    assert document["weights"] == []  # the tiny network has none
    assert all(job["seconds"] > 0 for job in document["schedule"]["jobs"])
    again = json.loads(inv(project, "plan-check", "measured", "--json").stdout)
    assert all(job["seconds"] > 0 for job in again["schedule"]["jobs"])


def test_mistakes_of_all_kinds_are_told_together_in_the_order_of_the_file(project: Path) -> None:
    write(
        project,
        "both",
        "windw: 8h\n" + SOUND + "  away: {overrides: [data.name=nowhere]}\n"
        "  bad:\n    needs: [plian]\n    overrides: [optimizer=sgdd]\n"
        "    gate: {after: plain, metric: test/accuracy, op: '>=', value: 0.5}\n    limit: 30\n",
    )
    told = inv(project, "plan-check", "both", code=2).stderr.splitlines()
    assert [line.split(": ")[1:3] for line in told if line.startswith("UsageError")] == [
        ["research/plans/both.yaml:1", "windw"],
        ["research/plans/both.yaml:6", "experiments.away.overrides.0"],
        ["research/plans/both.yaml:8", "experiments.bad.needs.0"],
        ["research/plans/both.yaml:9", "experiments.bad.overrides.0"],
        ["research/plans/both.yaml:10", "experiments.bad.gate.metric"],
        ["research/plans/both.yaml:11", "experiments.bad.limit"],
    ]
