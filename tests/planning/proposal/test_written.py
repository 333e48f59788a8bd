"""A plan and its document are written both, or neither."""

import os
from pathlib import Path

import pytest

from ctexp.core import files
from ctexp.core.errors import StorageError, UsageError
from ctexp.planning.proposal import written
from tests.planning.proposal.projects import a_run, proposed, with_images
from tests.planning.study.projects import in_order

_WRITE = files.write_text


def full(path: Path, content: str) -> None:
    """A disk that has room for a plan, and not for its document."""
    if path.suffix == ".md":
        raise StorageError("no space left")
    _WRITE(path, content)


def test_a_pipe_or_a_link_of_that_name_is_another_one_and_is_replaced_itself(tmp_path: Path) -> None:
    folder, outside = tmp_path / "research" / "plans", tmp_path / "outside"
    folder.mkdir(parents=True)
    outside.write_text("mine")
    os.mkfifo(folder / "a.yaml")
    (folder / "a.md").symlink_to(outside)
    with pytest.raises(UsageError, match=r"a\.yaml is there already(.|\n)*a\.md is there already"):
        written.put("a", "goal: x\n", "# a\n", tmp_path, overwrite=False)

    plan, document = written.put("a", "goal: x\n", "# a\n", tmp_path, overwrite=True)
    assert (plan.read_text(), document.read_text(), outside.read_text()) == ("goal: x\n", "# a\n", "mine")


def test_without_its_document_no_plan_is_left_and_none_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = with_images(tmp_path)
    with in_order():
        a_run(root, "base", 42)
    proposal = proposed(root)
    folder = root / "research" / "plans"
    (folder / "night-1.md").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"night-1\.md is a folder"):
        written.write(proposal, root, overwrite=True)
    (folder / "night-1.md").rmdir()

    monkeypatch.setattr(files, "write_text", full)
    with pytest.raises(StorageError):
        written.write(proposal, root, overwrite=True)
    assert not (folder / "night-1.yaml").exists()

    (folder / "night-1.yaml").write_text("mine")
    with pytest.raises(StorageError):
        written.write(proposal, root, overwrite=True)
    assert (folder / "night-1.yaml").read_text() == "mine"
