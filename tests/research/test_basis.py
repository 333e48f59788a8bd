"""What an answer rests on: a handler, and whatever beside it Python would import for it."""

from pathlib import Path

import pytest

from ctexp.research.basis import handler_hash
from ctexp.research.places import Places
from tests.research.answers import handler

TEXT = "import shared\nfrom folder.deep import what\n\n\ndef e_part(runner):\n    return {}\n"


@pytest.mark.parametrize("name", ["dose/shared.py", "folder/deep.py", "dose/part.py"])
def test_every_module_beside_it_that_it_imports_counts(tmp_path: Path, name: str) -> None:
    handler(tmp_path, "dose", "part", TEXT)
    places = Places(tmp_path)
    for other in ("dose/shared.py", "folder/deep.py", "dose/stranger.py"):  # a folder needs no __init__.py
        file = places.handlers / other
        file.parent.mkdir(exist_ok=True)
        file.write_text("what = 1\n")
    before = handler_hash(places, "dose", "part")
    (places.handlers / "dose/stranger.py").write_text("what = 2\n")
    assert handler_hash(places, "dose", "part") == before
    (places.handlers / name).write_text(TEXT + "# changed\n")
    assert handler_hash(places, "dose", "part") != before
