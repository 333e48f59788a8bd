"""Data sets by way of stores that are reached over the network: S3, lakeFS' gateway to it, ssh."""

import getpass
import os
from collections.abc import Iterator
from pathlib import Path

import deltalake
import pyarrow.parquet as pq
import pytest

from ctexp.core.errors import PreflightError
from ctexp.data import catalog as catalogs
from ctexp.data.versions import dvc
from ctexp.data.versions.delta import Kept, keep
from ctexp.data.versions.exchange import pull, pull_if_missing, push
from tests.data.versions.stores import Machine, files, s3, sshd
from tests.project import add_pipeline, add_tiny_set, git, make_project

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a set that is nowhere else yet."""
    project = make_project(tmp_path / "project")
    add_pipeline(project)
    add_tiny_set(project, train=8, val=8)
    return project


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with s3("chest", monkeypatch) as url:
        yield url


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def pushed(project: Path, url: str, **options: str) -> int:
    """Name a remote, push to it, and commit what says so; how many files went."""
    dvc.run(project, "remote", "add", "-d", "store", url)
    for key, value in options.items():
        dvc.run(project, "remote", "modify", "store", key, value)
    files = push(project, project / "data", "tiny").files
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=tiny")
    return files


def clone_of(project: Path, name: str = "clone") -> Path:
    git(project.parent, "clone", "--quiet", str(project), name)
    return project.parent / name


def comes_back(project: Path) -> None:
    """A clone without data fetches the same bytes, and has nothing to commit."""
    clone = clone_of(project)
    assert pull_if_missing(clone, clone / "data", "tiny")
    assert contents(clone / "data/raw/tiny") == contents(project / "data/raw/tiny")
    assert git(clone, "status", "--porcelain") == ""


# lakeFS is reached as an S3 whose buckets are repositories, and whose paths begin with a branch.
@pytest.mark.parametrize("url", ["s3://chest/ctexp", "s3://chest/main/dvc"])
def test_a_set_goes_through_s3(project: Path, service: str, url: str) -> None:
    assert pushed(project, url, endpointurl=service) == 26
    listed = files(service).find("chest")
    assert len(listed) == 26
    assert all(file.startswith(url.removeprefix("s3://") + "/files/md5/") for file in listed)
    comes_back(project)


def test_a_worker_with_a_snapshot_of_the_project_and_no_git_fetches_too(project: Path, service: str) -> None:
    pushed(project, "s3://chest/ctexp", endpointurl=service)
    worker = project.parent / "worker"
    worker.mkdir()
    git(project, "archive", "--format=tar", f"--output={worker}/project.tar", "HEAD")
    os.system(f"cd '{worker}' && tar xf project.tar && rm project.tar")  # noqa: S605

    assert pull_if_missing(worker, worker / "data", "tiny")
    assert contents(worker / "data/raw/tiny") == contents(project / "data/raw/tiny")
    assert not pull_if_missing(worker, worker / "data", "tiny"), "it is here"
    assert not pull_if_missing(worker, worker / "data", "ward7"), "nobody has recorded it"


def test_why_s3_cannot_be_used_is_one_line(
    project: Path, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed(project, "s3://chest/ctexp", endpointurl=service)
    clone = clone_of(project)
    dvc.run(clone, "remote", "modify", "--local", "store", "url", "s3://elsewhere/ctexp")
    with pytest.raises(PreflightError, match="The specified bucket does not exist"):
        pull(clone, clone / "data", None)
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(key)
    with pytest.raises(PreflightError, match=r"cannot be reached: s3 .*Unable to locate credentials"):
        pull(clone, clone / "data", None)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    (tmp_path / "ssh").mkdir()
    with sshd(tmp_path / "ssh") as machine:
        yield machine


def test_a_set_goes_through_ssh(project: Path, machine: Machine) -> None:
    store = project.parent / "store"
    url = f"ssh://{getpass.getuser()}@127.0.0.1:{machine.port}{store}"
    assert pushed(project, url, keyfile=str(machine.key)) == 26
    assert len([file for file in store.rglob("*") if file.is_file()]) == 26
    comes_back(project)

    stranger = clone_of(project, "stranger")
    dvc.run(stranger, "remote", "modify", "--local", "store", "keyfile", str(machine.stranger))
    with pytest.raises(PreflightError, match=r"cannot be reached: ssh .*Permission denied"):
        pull(stranger, stranger / "data", None)


def test_the_catalog_is_a_delta_table_in_s3(
    project: Path, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", service)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    catalog = catalogs.load(project / "data", "tiny")
    assert keep(catalog, "s3://chest/tables/tiny") == Kept(0, is_new=True)
    assert keep(catalog, "s3://chest/tables/tiny") == Kept(0, is_new=False)
    table = deltalake.DeltaTable("s3://chest/tables/tiny").to_pyarrow_table()
    assert table.equals(pq.read_table(catalog.file))
    with pytest.raises(PreflightError, match="s3://elsewhere/tiny: the Delta table cannot be used: "):
        keep(catalog, "s3://elsewhere/tiny")
