"""Every command of the pages, parsed whole as its program would, and nothing of it run."""

import importlib.util
import re
import shlex
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
from dvc.cli import DvcParserError  # type: ignore[import-untyped]
from dvc.cli.parser import get_main_parser  # type: ignore[import-untyped]
from invoke.exceptions import ParseError
from invoke.main import program
from invoke.parser import parser

from ctexp.cli.frontdoor import FrontDoorMachine
from ctexp.config.compose import compose
from ctexp.core.errors import UsageError
from tests.cli.verbs import contexts_of
from tests.docs.pages import PAGES, Command, blocks, inline
from tests.project import HERE

_LEFT_OPEN = re.compile(r" (?:\[(?:--)?[A-Za-z-]+(?: [A-Z]+)?\]|\.\.\.|…)(?= |$)")
"""`[QUEUE]`, `[--only PART]`, `…`: what may be left out, or anything."""

_PLACEHOLDER = re.compile(r"<\w+>|(?<![\w/&-])[A-Z]+(?![\w-])")
"""`RUN`, `NAME`, `<plan>`: what the reader puts there."""

_EXAMPLE = "resnet18"
"""What is put there here: a network, and as good a name as any."""

_EXTRAS = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def programs(command: Command) -> list[list[str]]:
    """The words of each program that a line calls, with an example for what is left to the reader."""
    text = _PLACEHOLDER.sub(_EXAMPLE, _LEFT_OPEN.sub("", command.text))
    return [shlex.split(part) for part in re.split(r"&&|\||&(?= |$)", text) if part.strip()]


def parse_inv(words: Sequence[str], patch: pytest.MonkeyPatch) -> None:
    """Have the parser of `inv` take all words, and the configuration all overrides."""
    if words[0] == "--extra":
        assert set(words[1:]) <= set(_EXTRAS), words
    elif words[0] == "--help":
        assert words[1] in verbs()
    else:
        patch.setattr(parser, "ParseMachine", FrontDoorMachine)
        patch.setattr(sys, "argv", ["inv", *words])
        given = parser.Parser(contexts_of(HERE), initial=program.initial_context).parse_argv([*words])
        for context in given:
            if "override" in context.args:
                compose(context.args["override"].value, HERE)


def judge(words: Sequence[str], patch: pytest.MonkeyPatch) -> None:
    """Raise what is wrong with a command; of programs that are none of ours only that they are there."""
    first, *others = words
    name = Path(first).name
    if name == "inv":
        parse_inv(others, patch)
    elif name == "dvc":
        get_main_parser().parse_args(others)
    elif name == "bash":
        assert re.fullmatch(r"scripts/[\w.-]+\.sh", others[0]), words
    elif first.startswith(".venv/bin/"):
        assert (Path(sys.executable).parent / name).exists(), first


def judge_line(command: Command, patch: pytest.MonkeyPatch) -> None:
    """Raise what is wrong with a line."""
    for words in programs(command):
        judge(words, patch)


def verbs() -> set[str]:
    """The names of all tasks."""
    return {str(context.name) for context in contexts_of(HERE)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_can_be_typed(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in blocks(page):
        judge_line(command, monkeypatch)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_in_a_sentence_can_be_typed(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in inline(page):
        for words in programs(command):
            try:
                judge(words, monkeypatch)
            except (ParseError, DvcParserError):  # a sentence may leave off what stands last
                judge([*words, _EXAMPLE, *([_EXAMPLE] if words[0] == "dvc" else [])], monkeypatch)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_verb_and_module_it_names_exists(page: Path) -> None:
    text = page.read_text()
    named = set(re.findall(r"(?:scripts/inv|`inv|\binv) ([a-z][a-z-]+)\b", text))
    assert named - verbs() == set()
    for module in re.findall(r"python -P? ?-m ([a-z_.]+)", text):
        assert importlib.util.find_spec(module), module


@pytest.mark.parametrize(
    "text",
    [
        "inv trian model=resnet50",
        "inv train modle=resnet50",
        "inv runs --sorted val/f1",
        "inv diff A B C",
        "inv show",
        "scripts/inv --extra msflow",
        "git status && inv plan-check --measures",
        "dvc remot add store /mnt",
        "bash scripts/night-1",
        ".venv/bin/mflow ui",
    ],
)
def test_a_command_that_is_none_is_noticed(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises((ParseError, DvcParserError, UsageError, AssertionError)):
        judge_line(Command("page.md", text), monkeypatch)


def test_commands_are_found_wherever_they_stand(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(_PAGE)
    assert [command.text for command in blocks(page)] == [
        "inv runs",
        "inv show A",
        "inv runs",
        "inv diff A B",
    ]
    assert [command.text for command in inline(page)] == ["inv runs | head", "inv plan --explain"]


_PAGE = """
    inv runs                 # all of them

```console
$ inv show A
inv prints this
$ inv runs
```

Type `inv runs \\| head`, or `inv plan
--explain`; `inv` alone is nothing, nor is `invent that`.

    $ inv diff A B
                inv shown in what it prints
    inventory is none
"""
