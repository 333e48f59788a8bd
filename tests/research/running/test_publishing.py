"""An answer takes the place of the one before it, artifacts and all, and of nothing else."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ctexp.core import files
from ctexp.research.findings.kept import kept_files
from ctexp.research.places import Places
from ctexp.research.record import Answer, Artifact
from ctexp.research.running.experiment import publish
from tests.research.runner.desks import order
from tests.research.running.carried import carried

SAVING = """
def e_spread(runner):
    runner.results.save_artifact("{name}", "{text}")
    return {{"finding": "done", "metrics": {{}}}}
"""


def published(root: Path, name: str, text: str) -> Answer:
    its = carried(root, SAVING.format(name=name, text=text))
    publish(Places(root), its, order(root).saved)
    return its


def test_an_artifact_is_a_file_of_its_folder() -> None:
    its: dict[str, Any] = {"name": "a.json", "file": "research/a.json", "sha256": "0" * 64, "bytes": 1}
    assert Artifact(**its)
    for changes in ({"name": "../a"}, {"name": "a/b"}, {"file": "/etc/passwd"}, {"file": "a/../../b"}):
        with pytest.raises(ValidationError):
            Artifact(**its | changes)


def test_an_earlier_answer_keeps_its_artifacts_until_another_takes_its_place(tmp_path: Path) -> None:
    (first,) = published(tmp_path, "a.txt", "first").artifacts
    file = tmp_path / first.file
    carried(tmp_path, SAVING.format(name="a.txt", text="second"))  # broken off before anybody took it
    assert files.sha256_file(file) == first.sha256
    published(tmp_path, "a.txt", "third")
    assert file.read_text() == "third"


def test_only_what_the_earlier_answer_had_saved_goes_with_it(tmp_path: Path) -> None:
    published(tmp_path, "a.txt", "first")
    folder = Places(tmp_path).artifacts("noise", "spread")
    (folder / "by hand.txt").write_text("mine")
    published(tmp_path, "b.txt", "second")
    assert sorted(path.name for path in folder.iterdir()) == ["b.txt", "by hand.txt"]


def test_no_record_ever_names_artifacts_of_another_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before the new one is written, the part is to be carried out again; the old record is kept."""
    published(tmp_path, "a.txt", "first")
    record = Places(tmp_path).record("noise", "spread")
    before = record.read_bytes()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Answer, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        published(tmp_path, "a.txt", "second")
    assert not record.exists()
    assert [file.read_bytes() for file in kept_files(Places(tmp_path), "noise")] == [before]
