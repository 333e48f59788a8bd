import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctexp.research.handlers.load import BadHandler, MissingHandler, load
from ctexp.research.handlers.rehearsal import NoStub, rehearse
from ctexp.research.places import Places
from tests.research.answers import handler

WITH_NEIGHBOUR = """
from shared_by_all import WORD

STUB = {"metrics": {}}

def helped(): ...

def e_part(runner):
    return WORD
"""


@pytest.fixture(autouse=True)
def _path_kept() -> Iterator[None]:
    before = list(sys.path)
    yield
    sys.path[:] = before
    for name in [name for name in sys.modules if name.startswith(("handler_", "shared_by_"))]:
        del sys.modules[name]


def test_the_one_function_of_a_handler_is_taken_whatever_stands_beside_it(tmp_path: Path) -> None:
    handler(tmp_path, "a.b", "Part-1", WITH_NEIGHBOUR)
    (Places(tmp_path).handlers / "shared_by_all.py").write_text("WORD = 'said'\n\ndef e_other(runner): ...\n")
    found = load(Places(tmp_path), "a.b", "Part-1")
    assert (found.name, found.function(None), found.stub) == ("e_part", "said", {"metrics": {}})
    assert found.file == tmp_path / "research" / "handlers" / "a_b" / "Part_1.py"


def test_no_module_of_a_handlers_folder_stands_in_for_an_installed_one(tmp_path: Path) -> None:
    handler(tmp_path, "a", "one", "import random\n\ndef e_one(runner):\n    return random.random()\n")
    handler(tmp_path, "a", "random", "raise RuntimeError\n")
    assert 0 <= load(Places(tmp_path), "a", "one").function(None) < 1


def test_a_missing_handler_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(MissingHandler) as missing:
        load(Places(tmp_path), "a", "one")
    assert str(missing.value) == "research/handlers/a/one.py: no such file"
    assert "research-new a" in missing.value.hint


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no function e_…, and one is expected"),
        ("def f(runner): ...\n", "no function e_…, and one is expected"),
        ("def e_a(r): ...\ndef e_b(r): ...\n", "several functions e_a, e_b, and one is expected"),
        ("def e_a(): ...\n", "e_a cannot be called with a runner alone"),
        ("def e_a(runner, more): ...\n", "e_a cannot be called with a runner alone"),
        ("from os.path import join as e_join\n", "no function e_…"),
        ("e_number = 3\n", "no function e_…"),
    ],
)
def test_what_is_no_handler_says_what_is_wrong(tmp_path: Path, text: str, problem: str) -> None:
    handler(tmp_path, "a", "one", text)
    with pytest.raises(BadHandler) as bad:
        load(Places(tmp_path), "a", "one")
    assert problem in str(bad.value)
    assert "def e_…" in bad.value.hint


@pytest.mark.parametrize("stub", ["", "STUB = 3\n", "STUB = {'finding': 'x'}\n", "STUB = {'metrics': 1}\n"])
def test_a_handler_that_declares_no_figures_cannot_be_rehearsed(tmp_path: Path, stub: str) -> None:
    handler(tmp_path, "a", "one", f"{stub}def e_one(runner): raise AssertionError\n")
    with pytest.raises(NoStub, match=r"one\.py: it declares no figures"):
        rehearse(load(Places(tmp_path), "a", "one"), None)
