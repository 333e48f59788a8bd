"""`inv plan-render`: a sound plan becomes a script, and nobody's file is lost."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from ctexp.cli.plan_render import plan_render
from ctexp.core import files
from ctexp.core.errors import UsageError
from tests.project import add_tiny_set, inv, make_project

PLAN = """\
seeds: [1, 2]
common:
  - data.name=tiny
  - model=tiny_cnn
  - trainer.accelerator=cpu
experiments:
  plain: {}
  dropout:
    overrides: [model.dropout=0.5]
    fallback: {oom: [data.batch_size=2]}
"""


@pytest.fixture(scope="module")
def with_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a data set and no plan."""
    folder = make_project(tmp_path_factory.mktemp("plans") / "project")
    add_tiny_set(folder)
    (folder / "research" / "plans").mkdir(parents=True)
    return folder


@pytest.fixture
def project(with_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That project with a plan `night`, without a script; the working folder."""
    (with_data / "research" / "plans" / "night.yaml").write_text(PLAN)
    for script in (with_data / "scripts").glob("night*"):
        script.unlink()
    monkeypatch.chdir(with_data)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    return with_data


def render(plan: str = "night", output: str | None = None, target: str = "bash") -> None:
    plan_render(plan, target=target, output=output, json=False)


def test_a_sound_plan_becomes_a_script_that_can_be_run(project: Path) -> None:
    told = json.loads(inv(project, "plan-render", "night", "--json").stdout)
    script = project / "scripts" / "night.sh"
    plan = project / "research" / "plans" / "night.yaml"
    assert told == {
        "schema_version": 1,
        "path": str(script),
        "sha256": files.sha256_file(script),
        "target": "bash",
        "executor": "local",
        "plan": "research/plans/night.yaml",
        "plan_sha256": files.sha256_file(plan),
        "jobs": 4,
        "kept": None,
        "warnings": told["warnings"],
    }
    assert os.access(script, os.X_OK)
    shown = subprocess.run([script, "--help"], capture_output=True, text=True, check=True).stdout
    assert "The night of the plan night: 4 jobs." in shown
    assert told["plan_sha256"] in shown


@pytest.mark.usefixtures("project")
def test_where_it_is_stands_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    render("research/plans/night.yaml")
    out, err = capsys.readouterr()
    assert out == "scripts/night.sh\n"
    assert "bash scripts/night.sh --dry-run" in err
    render(target="slurm")
    assert "start it: bash scripts/night.slurm.sh\n" in capsys.readouterr().err


def test_a_plan_with_errors_becomes_nothing(project: Path) -> None:
    wrong = PLAN.replace("model.dropout", "model.dropuot").replace("plain: {}", "plain: {needs: [none]}")
    (project / "research" / "plans" / "night.yaml").write_text(wrong)
    told = inv(project, "plan-render", "night", code=2).stderr
    for said in ("model.dropuot", "plain.needs", "nothing was written"):
        assert said in told
    assert not (project / "scripts" / "night.sh").exists()


def test_data_that_are_not_here_are_no_hindrance(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "research" / "plans" / "night.yaml").write_text(PLAN.replace("=tiny\n", "=elsewhere\n"))
    render()
    assert re.search("warning: .*elsewhere", capsys.readouterr().err)
    assert (project / "scripts" / "night.sh").exists()


def test_a_file_that_was_not_rendered_is_left_alone(project: Path) -> None:
    script = project / "scripts" / "night.sh"
    script.parent.mkdir(exist_ok=True)
    script.write_text("#!/bin/sh\necho mine\n")
    with pytest.raises(UsageError, match="was not rendered from a plan"):
        render()
    assert script.read_text() == "#!/bin/sh\necho mine\n"


def test_what_was_edited_by_hand_is_kept(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    render()
    script = project / "scripts" / "night.sh"
    rendered = script.read_text()
    render()
    assert "edited" not in capsys.readouterr().err
    script.write_text(edited := rendered.replace("seed=1", "seed=3"))
    render()
    assert script.read_text() == rendered
    (copy,) = script.parent.glob("night.sh.edited-*")
    assert copy.read_text() == edited
    assert f"edited by hand; as it was, it is in scripts/{copy.name}" in capsys.readouterr().err


@pytest.mark.parametrize("output", ["scripts/tonight/deep/night.sh", "../night.sh"])
def test_a_script_elsewhere_knows_its_project(project: Path, output: str) -> None:
    render(output=output)
    script = project / output
    ended = subprocess.run(["bash", script], cwd="/", capture_output=True, text=True, check=False)
    script.unlink()
    assert ended.returncode == 4
    assert f"no .venv in {project}" in ended.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"plan": "nihgt"}, "no such plan.* did you mean 'night'|no such plan"),
        ({"target": "bsh"}, "nothing to render for"),
        ({"output": "scripts"}, "is a folder"),
        ({"output": "pipe"}, "no plain file"),
        ({"output": "o" * 300}, "cannot be read"),
        ({"output": "/proc/night.sh"}, "cannot be written"),
    ],
)
def test_words_that_make_no_sense(project: Path, words: dict[str, str], said: str) -> None:
    (project / "scripts").mkdir(exist_ok=True)
    os.mkfifo(project / "pipe")  # to read it would wait for ever
    try:
        with pytest.raises(UsageError, match=said):
            render(**words)
    finally:
        (project / "pipe").unlink()


def test_a_script_for_a_cluster_says_so_and_stands_beside_the_other(project: Path) -> None:
    there = Path(inv(project, "plan-render", "night", "--executor", "ray").stdout.strip())
    script = (project / there).read_text()
    assert there.name == "night.ray.sh"
    assert "inv plan-render research/plans/night.yaml --executor ray" in script
    assert "# bash scripts/night.ray.sh [OPTION...]" in script
    assert '--script "$script" --executor ray -- "$@"' in script
    wrong = inv(project, "plan-render", "night", "--executor", "rya", code=2)
    assert "--executor: 'rya' is none; did you mean 'ray'?" in wrong.stderr
    both = inv(project, "plan-render", "night", "--executor", "ray", "--target", "bash", code=2)
    assert "both say where jobs run" in both.stderr
