"""YAML without surprises, within limits, and written so that anybody reads the same back."""

import contextlib
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ctexp.core import yaml_file
from ctexp.core.errors import UsageError

MEANINGS: dict[str, Any] = {
    "no": "no",
    "off": "off",
    "Yes": "Yes",
    "true": True,
    "False": False,
    "012": "012",
    "0x1f": "0x1f",
    "1:30": "1:30",
    "1_000": "1_000",
    "2026-11-21": "2026-11-21",
    "1e-3": 0.001,
    "-1.5E+2": -150.0,
    ".5": 0.5,
    "1.": 1.0,
    "+3": 3,
    "-0": 0,
    "e5": "e5",
    ".": ".",
    ".inf": ".inf",
    "1e999": "1e999",
    ".nan": ".nan",
    "~": None,
    "null": None,
    "": None,
    "'5'": "5",
    '"true"': "true",
    "9" * 40: "9" * 40,
}


@pytest.mark.parametrize("written", MEANINGS)
def test_what_a_value_means(written: str) -> None:
    value = yaml_file.parse(f"key: {written}".encode(), "plan.yaml")["key"]
    assert value == MEANINGS[written]
    assert type(value) is type(MEANINGS[written])


BROKEN = {
    "a: 1\nb: 2\na: 3": ["plan.yaml:3: a: given twice, first on line 1"],
    "a:\n  b: 1\n  b: 2\nc: 1\nc: 2": [
        "plan.yaml:3: a.b: given twice, first on line 2",
        "plan.yaml:5: c: given twice, first on line 4",
    ],
    "a: {b: 1, b: 2}": ["plan.yaml:1: a.b: given twice, first on line 1"],
    "a: &x 1\nb: *x": [
        "plan.yaml:1: a: anchors (&name) are not allowed",
        "plan.yaml:2: b: aliases (*name) are not allowed; write the value out",
    ],
    "a: !!python/object/apply:os.system [id]": [
        "plan.yaml:1: a: tags (tag:yaml.org,2002:python/object/apply"
    ],
    "a: [1, {b: !x 2}]": ["plan.yaml:1: a.1.b: tags (!x) are not allowed"],
    "a: 1\n---\nb: 2": ["plan.yaml:2: a second document begins"],
    "? [a]\n: 1": ["plan.yaml:1: a key must be text"],
    "a: b: c": ["plan.yaml:1: not valid YAML (mapping values are not allowed in this context)"],
    "a:\n\t- b": ["plan.yaml:2: not valid YAML (tabs cannot indent; use spaces)"],
    "a: [1, 2": ["plan.yaml:1: not valid YAML"],
    "a: \x07": ["plan.yaml: not valid YAML (control characters are not allowed)"],
    "[" * 5000: ["plan.yaml:1: nested more than 20 deep"],
    "{" * 5000: ["plan.yaml:1: a key must be text"],
    "\n".join("  " * depth + f"k{depth}:" for depth in range(30)): ["plan.yaml:21: nested more than 20 deep"],
    "a: " + "x" * yaml_file.MAX_BYTES: ["bytes, more than the 1000000 allowed"],
}


@pytest.mark.parametrize("text", BROKEN, ids=lambda text: repr(text[:24]))
def test_every_problem_has_its_line_and_key(text: str) -> None:
    began = time.monotonic()
    with pytest.raises(UsageError) as refused:
        yaml_file.parse(text.encode(), "plan.yaml")
    assert time.monotonic() - began < 5
    for problem, expected in zip(refused.value.problems, BROKEN[text], strict=False):
        assert expected in problem
    assert len(refused.value.problems) >= len(BROKEN[text])


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    with pytest.raises(UsageError) as refused:
        yaml_file.parse("\n".join(lines).encode(), "bomb.yaml")
    assert any("aliases" in problem for problem in refused.value.problems)


def test_a_file_holds_keys_and_values(tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text("# nothing yet\n")
    assert yaml_file.read_mapping(file) == {}
    for content, expected in ((b"- a", "got a list"), (b"a", "got 'a'"), (b"\xff\xfe", "not UTF-8")):
        file.write_bytes(content)
        with pytest.raises(UsageError, match=expected):
            yaml_file.read_mapping(file)
    with pytest.raises(UsageError, match=r"missing\.yaml: cannot be read"):
        yaml_file.read_mapping(tmp_path / "missing.yaml")


TEXT = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(sorted(MEANINGS))
SCALAR = (
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
)
VALUE = st.recursive(
    SCALAR | TEXT, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)
)


@given(st.dictionaries(TEXT, VALUE, max_size=4))
def test_what_is_written_is_read_back(document: dict[str, Any]) -> None:
    written = yaml_file.dump(document)
    assert yaml_file.parse(written.encode(), "config.yaml") == document
    assert yaml.safe_load(written) == document


@given(st.binary(max_size=60) | st.text("a:-[]{}&*!|>'\"%@`#,? \n\t01", max_size=60).map(str.encode))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    with contextlib.suppress(UsageError):
        yaml_file.parse(content, "plan.yaml")
