"""The values of a trial are overrides that are read back as the same values."""

import pytest

from ctexp.config.overrides import Override, parse_one
from ctexp.sweeps.file.words import common, key_of, words_of
from ctexp.sweeps.space import Value


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (0.001, "run.description=0.001"),
        (1e-05, "run.description=1e-05"),
        (3, "run.description=3"),
        (True, "run.description=true"),
        (None, "run.description=null"),
        ("resnet18", "run.description=resnet18"),
        ("val/loss", "run.description=val/loss"),
        ("true", 'run.description="true"'),
        ("3", 'run.description="3"'),
        ("1e-3", 'run.description="1e-3"'),
        ("", 'run.description=""'),
        ("a, b", 'run.description="a, b"'),
        ('say "x"', r'run.description="say \"x\""'),
        ("[x]", 'run.description="[x]"'),
        ("back\\", 'run.description="back\\\\"'),
        ("back\\\n", 'run.description="back\\\n"'),
        ("ä=ö $x", 'run.description="ä=ö $x"'),
    ],
)
def test_a_value_comes_back(value: Value, word: str) -> None:
    assert words_of({"run.description": value}) == (word,)
    read = parse_one(word)
    assert isinstance(read, Override), read
    assert (read.value, type(read.value)) == (value, type(value))


def test_a_list_comes_back() -> None:
    (word,) = words_of({"run.tags": ["a", "b c", 3, None, ["d"]]})
    read = parse_one(word)
    assert isinstance(read, Override)
    assert read.value == ["a", "b c", 3, None, ["d"]]


def test_the_order_is_that_of_the_file() -> None:
    assert words_of({"b": 1, "a": 2}) == ("b=1", "a=2")


def test_the_key_of_a_word() -> None:
    words = ["a.b=1", "+a=1", "++a.c=x=y", "~experiment", "3"]
    assert [key_of(word) for word in words] == ["a.b", "a", "a.c", "experiment", ""]


def test_what_each_training_has_of_its_own() -> None:
    assert common(["seed=3", "data=phantom", "run.name=x", "++seed=4"]) == ("data=phantom",)
