"""What goes back of a project elsewhere, and what does not."""

from pathlib import Path

from ctexp.executors.storage import Received, Url
from ctexp.executors.written import Written


def test_what_was_written_goes_back_and_what_is_of_that_machine_stays_there(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    for path in ("src/a.py", "runs/r_1/checkpoints/last.prev.ckpt", "data/raw/a.png"):
        for folder in (there, here):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text("as it was sent")
    place = Url((tmp_path / "place").as_uri())
    written = Written(place, "work/a/out", there)
    new = ("runs/r_1/result.json", "runs/r_2/manifest.json", "research/FINDINGS.md")
    of_there = (
        *(
            "runs/mlflow.db",
            "runs/index.sqlite",
            "runs/mlflow-artifacts/1/a",
            "runs/r_1/lock",
            "data/raw/b.png",
        ),
        *("runs/r_1/.result.json.x.tmp", "src/__pycache__/a.pyc", "runs/research/noise.lock"),
    )
    for path in (*new, *of_there):
        (there / path).parent.mkdir(parents=True, exist_ok=True)
        (there / path).write_text("written there")
    (there / "runs/r_1/checkpoints/last.prev.ckpt").unlink()
    (here / "src/a.py").write_text("people go on here meanwhile")
    written.send_the_last()
    assert set(Received(place, "work/a/out", here.joinpath).receive()) == set(new)
    found = {path.relative_to(here).as_posix() for path in here.rglob("*") if path.is_file()}
    assert found == {*new, "src/a.py", "data/raw/a.png"}
    assert (here / "src/a.py").read_text() == "people go on here meanwhile"
