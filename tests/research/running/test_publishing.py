"""An answer takes the place of the one before it, artifacts and all, and of nothing else."""

from pathlib import Path

from ctexp.core import files
from ctexp.research.places import Places
from ctexp.research.record import Answer, Artifact
from ctexp.research.running.experiment import publish
from tests.research.answers import answer, plan
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


def test_an_artifact_whose_name_leads_elsewhere_takes_nothing_away(tmp_path: Path) -> None:
    plan(tmp_path, "experiments: {noise: {type: question, sub_experiments: [spread]}}\n")
    far = Artifact(name="../../../../../mine.txt", file="mine.txt", sha256="0" * 64, bytes=1)
    (tmp_path / "mine.txt").write_text("mine")
    answer(tmp_path, "noise", "spread", artifacts=(far,))
    published(tmp_path, "a.txt", "first")
    assert (tmp_path / "mine.txt").read_text() == "mine"
