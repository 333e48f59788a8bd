"""Words in bash: what is written is what a program gets, to the byte."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctexp.core.errors import UsageError
from ctexp.planning.render.words import WIDTH, filled, quoted, wrapped
from tests.planning.render.hostile import TEXT


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=20), st.sampled_from(["C", "C.UTF-8", "POSIX"]))
def test_bash_reads_back_every_byte(words: list[str], locale: str) -> None:
    script = f"printf '%s\\0' {wrapped(map(quoted, words), 0)}\n"
    done = subprocess.run(
        ["bash"], input=script.encode(), env={"LC_ALL": locale}, capture_output=True, check=True
    )
    assert done.stdout == b"".join(word.encode() + b"\0" for word in words)
    assert script.isascii()


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("data.batch_size=32", "data.batch_size=32"),
        ("data.windows=[lung, soft]", "'data.windows=[lung, soft]'"),
        ("~data.crop", "'~data.crop'"),
        ("x=${seed}", "$'x=${seed}'"),
        ("x='a'", "$'x=\\'a\\''"),
        ("x=é", "$'x=\\303\\251'"),
        ("", "''"),
    ],
)
def test_no_more_quoting_than_needed(word: str, written: str) -> None:
    assert quoted(word) == written


@pytest.mark.parametrize("word", ["a=\0", "a=\ud800"])
def test_words_no_program_can_be_given(word: str) -> None:
    with pytest.raises(UsageError, match="no command can be given"):
        quoted(word)


def test_lines_are_filled_and_no_word_is_parted() -> None:
    words = [f"word{number}" for number in range(100)] + ["x" * 500]
    lines = filled(words, WIDTH)
    assert " ".join(lines).split() == words
    assert lines[-1] == "x" * 500
    assert all(len(line) <= WIDTH for line in lines[:-1])
    assert all(len(line) <= WIDTH for line in wrapped(words[:-1], 12).splitlines())
