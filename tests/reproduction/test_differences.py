"""Two runs apart: what differs in code, configuration, data, environment and results, and nothing else."""

import json
import os
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from ctexp.core import files
from ctexp.data import catalog as catalogs
from ctexp.record import schemas
from ctexp.record.environment import Environment
from ctexp.record.git import GitState, capture
from ctexp.record.manifest import Dataset, DvcVersion
from ctexp.record.run_dir import RunDir
from ctexp.reproduction import schema
from ctexp.reproduction.differences.both import Section, differences
from ctexp.reproduction.rows import ABSENT, Measured, Row, differing
from ctexp.reproduction.verdict import Verdict
from tests.judged import a_run, dataset, predictions
from tests.project import HERE, add_tiny_set, git
from tests.record import samples


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with one commit; `runs` is not in it."""
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (root / "src/net.py").write_text("layers = 1\n")
    (root / "README.md").write_text("old\n")
    (root / ".gitignore").write_text("/runs/\n/data/\n")
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message=start")
    return root


def head(project: Path) -> GitState:
    return capture(project).state


def apart(project: Path, one: RunDir, other: RunDir) -> dict[str, Section]:
    return {its.title: its for its in differences(one, other, project, project / "data")}


def rows(section: Section) -> dict[str, tuple[str | None, str | None]]:
    return {row.what: row.said for row in section.rows}


def test_runs_that_are_the_same_differ_in_nothing(project: Path) -> None:
    one, other = (a_run(project / "runs", git=head(project)) for _ in range(2))
    found = apart(project, one, other)
    assert [its.rows for title, its in found.items() if title != "results"] == [(), (), (), ()]
    assert found["results"].notes[0] == "predictions: another class for 0 of 80 validation images"


def test_a_missing_key_is_not_null_and_false_is_not_nothing() -> None:
    one, other = {"a": None, "b": False, "c": 1, "d": 2}, {"b": 0, "c": 1.0, "d": 3}
    assert differing(one, other) == [("a", None, ABSENT), ("b", False, 0), ("d", 2, 3)]
    assert [row.said for row in differing(other, one)] == [("0", "false"), ("3", "2"), (None, "null")]


def test_a_list_of_packages_that_is_no_text_is_told(project: Path) -> None:
    one, other = (a_run(project / "runs", git=head(project)) for _ in range(2))
    other.environment.write_bytes(b"numpy==2.1.0\xeb\n")
    assert "packages were not compared" in apart(project, one, other)["environment"].notes[0]
    other.environment.unlink()
    os.mkfifo(other.environment)
    (note,) = apart(project, one, other)["environment"].notes
    assert note == f"packages were not compared: {other.environment}: cannot be read (not a regular file)"


def test_the_files_that_differ_are_those_of_commit_and_patch_together(project: Path) -> None:
    one = a_run(project / "runs", git=head(project))
    (project / "src/net.py").write_text("layers = 2\nwide = True\n")
    (project / "README.md").write_text("new\n")
    git(project, "commit", "--quiet", "--all", "--message=wider")
    (project / "src/more.py").write_text("more = 1\n")
    source = capture(project)
    other = a_run(project / "runs", git=source.state)
    other.git_diff.write_bytes(source.patch)

    code = apart(project, one, other)["code"]
    assert rows(code) | {"commit": ("", ""), "patch": ("", "")} == {
        "commit": ("", ""),
        "patch": ("", ""),
        "src/more.py": ("0 lines", "1 line"),
        "src/net.py": ("1 line", "2 lines"),
    }
    assert code.notes == ()
    other.git_diff.unlink()
    (note,) = apart(project, one, other)["code"].notes
    assert note.startswith(f"which files differ is not known: {other.git_diff}: cannot be read")


def test_a_commit_that_is_gone_is_told_and_the_rest_is_compared(project: Path) -> None:
    one = a_run(project / "runs", git=head(project))
    other = a_run(project / "runs", git=head(project).model_copy(update={"commit": "f" * 40}), skill=3.0)
    found = apart(project, one, other)
    assert "commit" in rows(found["code"])
    assert found["code"].notes[0].startswith("which files differ is not known")
    assert found["results"].rows


def test_settings_environment_and_results_stand_side_by_side(project: Path) -> None:
    machine = Environment(**samples.ENVIRONMENT.model_dump() | {"variables": {"OMP_NUM_THREADS": "1"}})
    one = a_run(project / "runs", git=head(project))
    other = a_run(
        project / "runs", "wide", 2, git=head(project), overrides=("model.dropout=0.5",), environment=machine
    )
    other.environment.write_text("numpy==2.2.0\nnew==1\n")
    found = apart(project, one, other)
    assert rows(found["configuration"])["model.dropout"][1] == "0.5"
    assert rows(found["configuration"])["seed"] == ("1", "2")
    assert rows(found["environment"]) | {"variable CUDA_VISIBLE_DEVICES": ("0", None)} == {
        "variable OMP_NUM_THREADS": (None, "1"),
        "variable CUDA_VISIBLE_DEVICES": ("0", None),
        "numpy": ("2.1.0", "2.2.0"),
        "new": (None, "1"),
    }
    f1 = rows(found["results"])["val/macro_f1"]
    assert all(side and "-" in side for side in f1), "with their intervals"
    assert found["results"].notes[-1].startswith("no verdict: ")
    changed = int(found["results"].notes[0].split("for ")[1].split()[0])
    assert 0 < changed < 80


def test_images_that_came_went_or_changed_are_counted_by_class(project: Path) -> None:
    add_tiny_set(project)
    data = project / "data"
    file = catalogs.catalog_file(data, "tiny")
    before = files.sha256_file(file)
    old = file.read_bytes()
    listed = list(catalogs.load(data, "tiny").rows)
    catalogs.write(data, "tiny", [replace(listed[0], sha256="0" * 64), *listed[3:]])
    one = a_run(project / "runs", git=head(project), dataset=_tiny(before, "a" * 32))
    other = a_run(project / "runs", git=head(project), dataset=_tiny(files.sha256_file(file), "b" * 32))
    assert "is neither here nor in DVC's cache" in apart(project, one, other)["data"].notes[0]

    cached = project / ".dvc/cache/files/md5/aa" / ("a" * 30)
    cached.parent.mkdir(parents=True)
    cached.write_bytes(old)
    found = rows(apart(project, one, other)["data"])
    gone = [row.class_name for row in listed[1:3]]
    for name in set(gone):
        assert found[f"images of {name} that it alone has"] == (str(gone.count(name)), None)
    assert found["images that changed"] == (None, f"1: {listed[0].image_id}")


def _tiny(sha256: str, md5: str) -> Dataset:
    return dataset(name="tiny", catalog_sha256=sha256, dvc=DvcVersion(raw=f"{md5}.dir", catalog=md5))


def test_unfinished_runs_are_compared_as_far_as_they_go(project: Path) -> None:
    one = a_run(project / "runs", git=head(project))
    other = a_run(project / "runs", git=head(project), state="diverged")
    other.predictions("val").unlink()
    found = apart(project, one, other)["results"]
    assert rows(found)["state"] == ("finished", "diverged")
    assert found.notes[0].startswith("predictions were not compared: ")


def test_other_images_are_not_mixed_up(project: Path) -> None:
    one = a_run(project / "runs", git=head(project))
    other = a_run(project / "runs", git=head(project), tables={"val": predictions(prefix="other")})
    notes = apart(project, one, other)["results"].notes
    assert notes[0] == "predictions: no validation image was judged by both"


def test_the_published_schema_is_that_of_the_code() -> None:
    published = json.loads((HERE / "docs/schemas" / schema.NAME).read_text())
    assert published == schemas.schema(Verdict)
    jsonschema.Draft202012Validator.check_schema(published)


def test_a_row_is_what_differs() -> None:
    assert differing({"a": 1, "b": None, "c": True}, {"a": 1, "b": 2, "d": 0.5}) == [
        Row("b", None, 2),
        Row("c", True, ABSENT),
        Row("d", ABSENT, 0.5),
    ]


def test_a_document_has_numbers_and_no_key_for_what_is_not_there() -> None:
    assert Row("x", Measured(0.5, 0.4, 0.6), ABSENT).document() == {
        "what": "x",
        "a": {"value": 0.5, "low": 0.4, "high": 0.6},
    }
    assert Row("x", None, [1, float("inf")]).document() == {"what": "x", "a": None, "b": [1, None]}
    assert Row("x", True, "0.5").document() == {"what": "x", "a": True, "b": "0.5"}
