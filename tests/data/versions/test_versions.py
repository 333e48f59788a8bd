"""Versions of data sets: recorded in a real `dvc.lock` by a real DVC; what is told where there is none."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from ctexp.core.errors import Busy, DataError, PreflightError
from ctexp.data import catalog as catalogs
from ctexp.data.versions import dvc
from ctexp.data.versions.exchange import Pushed, pull, pull_if_missing, push
from ctexp.data.versions.lock_file import Lock
from ctexp.data.versions.pipeline import Pipeline
from ctexp.data.versions.version import dvc_version
from tests.project import HERE, add_pipeline, add_tiny_set, git, make_project


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose set `tiny` is in the remote `store` beside it, all committed."""
    project = make_project(tmp_path_factory.mktemp("origin") / "project")
    add_pipeline(project)
    add_tiny_set(project)
    dvc.run(project, "remote", "add", "-d", "store", str(project.parent / "store"))
    pushed = push(project, project / "data", "tiny")
    assert pushed == Pushed(
        remote="store",
        sets=(catalogs.load(project / "data", "tiny"),),
        registered=("tiny",),
        stages=("import@tiny",),
        outstanding=("audit@tiny", "split@tiny", "radiomics@tiny"),
        files=44,  # 42 images, the list of the folder, the catalog
        uncommitted=(".dvc/config", "dvc.yaml", "dvc.lock"),
    )
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=tiny")
    return project


@pytest.fixture
def clone(origin: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "--quiet", str(origin), "clone")
    return tmp_path / "clone"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def flip(file: Path) -> None:
    """Change one byte and nothing else that a directory tells."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def test_the_version_is_the_hash_of_what_lies_there(origin: Path) -> None:
    catalog = catalogs.load(origin / "data", "tiny")
    listed = [{"md5": md5(content), "relpath": name} for name, content in contents(catalog.raw).items()]
    # DVC's hash of a folder is that of the list of its files.
    folder = json.dumps(sorted(listed, key=lambda entry: entry["relpath"])).encode()

    version = dvc_version(origin, catalog)

    assert version.raw == f"{md5(folder)}.dir"
    assert version.catalog == md5(catalog.file.read_bytes())
    assert version.reason == ""


def test_a_clone_pulls_the_same_bytes_and_stays_clean(origin: Path, clone: Path) -> None:
    pulled = pull(clone, clone / "data", None)

    assert [(one.name, len(one.rows)) for one in pulled.sets] == [("tiny", 42)]
    assert contents(clone / "data/raw/tiny") == contents(origin / "data/raw/tiny")
    catalog = catalogs.load(clone / "data", "tiny")
    assert dvc_version(clone, catalog) == dvc_version(origin, catalogs.load(origin / "data", "tiny"))
    image = catalog.raw / catalog.rows[0].path
    assert not image.is_symlink()
    assert image.stat().st_nlink == 1, "DVC's own copy cannot be changed through it"
    assert git(clone, "status", "--porcelain") == ""
    assert (clone / ".dvc/tmp/site").is_dir(), "DVC's notes are kept in the clone"


def test_what_differs_is_not_overwritten_and_what_is_missing_comes_back(clone: Path) -> None:
    catalog = pull(clone, clone / "data", "tiny").sets[0]
    changed, gone = (catalog.raw / row.path for row in catalog.rows[3:5])
    before = changed.read_bytes()
    flip(changed)
    gone.unlink()

    with pytest.raises(DataError) as failure:
        pull(clone, clone / "data", "tiny")
    assert failure.value.problems == (f"{changed}: is not what dvc.lock records, and would be overwritten",)

    changed.unlink()
    pull(clone, clone / "data", "tiny")
    assert changed.read_bytes() == before
    assert gone.exists()


def test_without_a_remote_or_with_changed_files_nothing_is_recorded(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    add_pipeline(project)
    add_tiny_set(project)
    with pytest.raises(PreflightError, match="DVC has no remote") as no_remote:
        push(project, project / "data", None)
    assert "dvc remote add -d store " in no_remote.value.hint

    dvc.run(project, "remote", "add", "-d", "store", str(tmp_path / "store"))
    catalog = catalogs.load(project / "data", "tiny")
    changed, gone = (catalog.raw / row.path for row in catalog.rows[3:5])
    flip(changed)
    gone.unlink()
    with pytest.raises(DataError) as failure:
        push(project, project / "data", "tiny")
    assert failure.value.problems == (
        f"{changed}: its content differs from what was imported",
        f"{gone}: no such file or directory",
    )

    assert git(project, "status", "--porcelain").split() == ["M", ".dvc/config"]
    assert not (tmp_path / "store").exists()


def test_an_imported_set_is_written_into_the_pipeline_and_nothing_else_changes(tmp_path: Path) -> None:
    before = (HERE / "dvc.yaml").read_text()
    (tmp_path / "dvc.yaml").write_text(before)

    assert Pipeline(tmp_path).register("chest_ct")
    assert not Pipeline(tmp_path).register("chest_ct")
    assert not Pipeline(tmp_path).register("phantom")

    expected = before.replace("- sets: [phantom]", "- sets: [phantom, chest_ct]")
    expected = expected.replace("- imported: []", "- imported:\n      - chest_ct")
    assert (tmp_path / "dvc.yaml").read_text() == expected
    assert Pipeline(tmp_path).derived("chest_ct") == [
        "audit@chest_ct",
        "split@chest_ct",
        "radiomics@chest_ct",
    ]


@pytest.mark.parametrize(
    "text",
    [
        *("stages: [", "stages: {}\n", "vars: 3\nstages: {}\n", "vars:\n  - sets: []\n", "[" * 999),
        "vars:\n  - sets: phantom\n  - imported: phantom\nstages: {}\n",
    ],
)
def test_a_pipeline_that_cannot_be_read_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "dvc.yaml").write_text(text)
    with pytest.raises(DataError, match=r"^dvc.yaml: "):
        Pipeline(tmp_path)


@pytest.mark.slow
def test_a_set_that_a_stage_makes_is_not_claimed_to_come_of_changed_code(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    add_pipeline(project)
    add_tiny_set(project, "phantom", train=8, val=8)
    dvc.run(project, "remote", "add", "-d", "store", str(tmp_path / "store"))
    first = push(project, project / "data", None)
    assert (first.registered, first.stages) == ((), ("phantom",))
    locked = (project / "dvc.lock").read_bytes()

    code = project / "src/ctexp/data/phantom/__init__.py"
    code.write_text(code.read_text() + "# changed\n")
    with pytest.raises(DataError, match=r"^phantom: what is here is not what this stage") as failure:
        push(project, project / "data", "phantom")

    assert failure.value.hint.endswith("dvc repro phantom")
    assert (project / "dvc.lock").read_bytes() == locked


def test_what_the_remote_lacks_or_has_damaged_is_told(origin: Path, clone: Path) -> None:
    elsewhere = clone.parent / "elsewhere"
    dvc.run(clone, "remote", "modify", "--local", "store", "url", str(elsewhere))
    with pytest.raises(DataError, match="records for import@tiny are neither here nor in the remote"):
        pull(clone, clone / "data", None)

    catalog = catalogs.load(origin / "data", "tiny")
    digest = md5((catalog.raw / catalog.rows[7].path).read_bytes())
    for name, content in contents(origin.parent / "store").items():
        (elsewhere / name).parent.mkdir(parents=True, exist_ok=True)
        (elsewhere / name).write_bytes(content)
    flip(elsewhere / "files" / "md5" / digest[:2] / digest[2:])
    with pytest.raises(DataError, match="its content differs from what was imported") as failure:
        pull(clone, clone / "data", None)
    assert [problem.split(": ")[0] for problem in failure.value.problems] == [
        str(clone / "data/raw/tiny" / catalog.rows[7].path)
    ]


def test_any_other_failure_of_dvc_is_one_line_and_all_it_said_is_in_the_traceback(clone: Path) -> None:
    with pytest.raises(PreflightError, match="dvc config: configuration error") as failure:
        dvc.run(clone, "config", "core.nothing", "of this name")
    assert len(failure.value.problems) == 1
    assert failure.value.hint.endswith("dvc config core.nothing 'of this name'")
    assert failure.value.__cause__ is not None
    assert "extra keys not allowed" in failure.value.__cause__.__notes__[0]


@pytest.mark.slow
def test_a_remote_that_nothing_here_can_reach_names_what_is_missing(clone: Path) -> None:
    dvc.run(clone, "remote", "modify", "--local", "store", "url", "gs://nowhere/at-all")
    with pytest.raises(PreflightError, match="a remote at gs:// needs dvc-gs, which is not") as failure:
        pull(clone, clone / "data", None)
    assert failure.value.hint == "uv pip install --python .venv dvc-gs"


def test_a_clone_without_data_is_told_to_fetch_them(clone: Path) -> None:
    with pytest.raises(DataError, match="there is no data set 'tiny'") as failure:
        catalogs.load(clone / "data", "tiny")
    assert failure.value.hint == "dvc.lock records it, fetch it: scripts/inv data-pull --dataset tiny"

    (clone / "dvc.lock").write_text("<<<<<<< HEAD\n")
    with pytest.raises(DataError, match="there is no data set 'tiny'") as failure:
        catalogs.load(clone / "data", "tiny")
    assert failure.value.hint.startswith("import it: ")


@pytest.mark.slow
def test_a_worker_fetches_what_it_lacks_and_nothing_else(origin: Path, clone: Path) -> None:
    assert not pull_if_missing(clone, clone / "data", "ward7"), "not recorded"
    assert not pull_if_missing(clone, clone.parent / "data", "tiny"), "DVC's are in the project"
    assert pull_if_missing(clone, clone / "data", "tiny")
    assert contents(clone / "data/raw/tiny") == contents(origin / "data/raw/tiny")
    assert not pull_if_missing(clone, clone / "data", "tiny"), "it is here"


def test_one_at_a_time(clone: Path) -> None:
    with catalogs.import_lock(clone / "data"), pytest.raises(Busy, match="importing into"):
        pull(clone, clone / "data", None)


def test_data_outside_the_project_are_not_dvcs(clone: Path, tmp_path: Path) -> None:
    for move in (push, pull):
        with pytest.raises(PreflightError, match=f"paths.data is {tmp_path}"):
            move(clone, tmp_path, None)


LOCK = """
schema: '2.0'
stages:
  phantom:
    cmd: make
    outs:
    - {path: data/raw/phantom, hash: md5, md5: p1.dir, size: 2, nfiles: 1}
    - {path: data/raw/phantom.parquet, hash: md5, md5: p2, size: 2}
  import@chest:
    cmd: fetch
    outs:
    - {path: data/raw/chest, hash: md5, md5: c1.dir, size: 2, nfiles: 1}
    - {path: data/raw/chest.parquet, hash: md5, md5: c2, size: 2}
  audit@chest:
    cmd: audit
    deps:
    - {path: data/raw/chest, hash: md5, md5: c1.dir, size: 2, nfiles: 1}
    - {path: src/code.py, hash: md5, md5: x, size: 2}
  split@chest:
    cmd: split
    deps:
    - {path: data/raw/chest.parquet, hash: md5, md5: OLDER, size: 2}
    outs:
    - {path: research/splits/chest/clean.txt, hash: md5, md5: s, size: 2}
"""


def test_stages_of_an_older_version_are_not_current(tmp_path: Path) -> None:
    (tmp_path / "dvc.lock").write_text(LOCK)
    lock = Lock(tmp_path)
    assert lock.sets() == ["chest", "phantom"]
    assert lock.current("phantom") == ["phantom"]
    assert lock.current("chest") == ["import@chest", "audit@chest"]
    with pytest.raises(DataError) as failure:
        lock.current("chets")
    assert failure.value.hint == "did you mean 'chest'?"


@pytest.mark.parametrize(
    "text", ["<<<<<<< HEAD\n", "stages: 3\n", "stages: {a: 1}\n", "stages: {a: {outs: [{md5: x}]}}\n"]
)
def test_a_lock_that_cannot_be_read_is_an_error_and_no_version(
    origin: Path, tmp_path: Path, text: str
) -> None:
    (tmp_path / "dvc.lock").write_text(text)
    with pytest.raises(DataError, match=r"dvc\.lock"):
        Lock(tmp_path)
    here = replace(catalogs.load(origin / "data", "tiny"), raw=tmp_path / "data/raw/tiny")
    assert dvc_version(tmp_path, here).reason.startswith("not tracked: dvc.lock")


def test_why_no_version_is_known(origin: Path, clone: Path) -> None:
    catalog = catalogs.load(origin / "data", "tiny")
    assert dvc_version(clone, catalog).reason == "not tracked: it lies outside data/raw of the project"

    pull(clone, clone / "data", None)
    catalog = catalogs.load(clone / "data", "tiny")
    other = catalogs.write(clone / "data", "tiny", [replace(row, group="one") for row in catalog.rows])
    assert dvc_version(clone, other).reason == "dvc.lock records another version of it"

    (clone / "dvc.lock").unlink()
    version = dvc_version(clone, catalog)
    assert (version.raw, version.catalog) == (None, None)
    assert version.reason == "not tracked: dvc.lock: no version of data set 'tiny' is recorded"
