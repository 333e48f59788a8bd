"""Every command in a block of the pages, typed in one project; the night's page has its own test."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ctexp.queue.folder import queues
from tests.docs.desk import NIGHT, Desk, begun, trained
from tests.docs.pages import PAGES, Command, blocks
from tests.docs.typed import ADDED, ELSEWHERE, ELSEWHERE_TYPED, ENDS, MEANT, key
from tests.project import HERE, INV, git
from tests.waiting import until

OVERNIGHT = "overnight.md"
"""Typed by tests/test_overnight.py, word for word."""

ORDER = ("README.md", "data.md", "training.md", "verdicts.md", "plans.md", "sweeps.md")
"""The pages that make what the others look at."""


def pages() -> list[Path]:
    """Those with commands in blocks."""
    there = [page for page in PAGES if page.name != OVERNIGHT and blocks(page)]
    return sorted(there, key=lambda page: ORDER.index(page.name) if page.name in ORDER else len(ORDER))


def test_the_tables_speak_of_commands_that_the_pages_have_and_of_tests_that_are_there() -> None:
    typed = {key(command) for page in pages() for command in blocks(page)}
    told = [*ADDED, *ELSEWHERE_TYPED]
    assert len(told) == len(set(told))
    assert {*told, *ENDS, *BEFORE, *AFTER} - typed == set()
    assert set(ENDS).isdisjoint(ELSEWHERE_TYPED)
    assert [test for _, test, _ in ELSEWHERE if not (HERE / test).is_file()] == []


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The project, with a trainer kept warm."""
    desk = begun(tmp_path_factory.mktemp("home"))
    desk.do("scripts/inv data-import ~/Downloads/archive.zip")
    with tempfile.TemporaryDirectory() as short:  # the name of a socket has room for a hundred letters
        socket = Path(short) / "warm"
        desk.more["TMPDIR"] = short
        line: list[str | Path] = [INV, "warm", "--socket", str(socket), "--owner", str(os.getpid())]
        with subprocess.Popen(
            line, cwd=desk.project, env=desk.environment(), stdout=subprocess.DEVNULL
        ) as warm:
            try:
                until(socket.exists, 120)
                desk.more["CTEXP_WARM"] = str(socket)
                trained(desk)
                yield desk
            finally:
                warm.terminate()


def ended(desk: Desk) -> None:
    """Wait for the night that was begun last."""
    queue = queues(desk.project / "runs")[-1]
    until(lambda: queue.night_json.exists() and not queue.lock().is_held(), 600)


def backbones(desk: Desk) -> None:
    """A night of the shipped plan is under way, or was: whichever page asks for it comes first."""
    if not any(queue.path.name.startswith("backbones_") for queue in queues(desk.project / "runs")):
        desk.do("inv plan-render backbones && bash scripts/backbones.sh --detach")


def cloned(desk: Desk) -> None:
    """Go to another clone."""
    git(desk.home, "clone", "--quiet", str(desk.project), "clone")
    desk.where = desk.home / "clone"


BEFORE: dict[str, Callable[[Desk], object]] = {
    "inv train model=dual_pathway features=top_features": lambda desk: desk.do("inv extract-features"),
    "inv data-push --dataset chest_ct": lambda desk: desk.do(
        f"dvc remote modify store url {desk.home}/store"
    ),
    "inv data-pull": cloned,
    "inv queue-status [QUEUE]": backbones,
    "inv queue-status backbones": backbones,
    "inv queue-cancel resnet50-s2": lambda desk: desk.do("bash scripts/backbones.sh --fresh --detach"),
}
"""What has to be so when a command is typed."""

AFTER: dict[str, Callable[[Desk], object]] = {
    "inv plan night-1 --window overnight": lambda desk: (
        desk.project / "research" / "plans" / "night-1.yaml"
    ).write_text(NIGHT),
    "bash scripts/night-1.sh --detach": ended,
    "inv queue-cancel resnet50-s2": ended,
}
"""What comes before the next one: of a proposed night a short one is carried out."""


def words(command: Command) -> str:
    """A line as it is typed here."""
    known = key(command)
    meant = [MEANT.get(word, word) for word in command.text.split(" ")]
    return " ".join([*meant, ADDED.get(known, "")]).strip()


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_command_of_the_page_ends_as_it_should(desk: Desk, page: Path) -> None:
    desk.where = HERE if page.name == "developing.md" else desk.project
    wrong = []
    for command in blocks(page):
        known = key(command)
        if known in desk.typed or known in ELSEWHERE_TYPED:
            continue
        desk.typed.add(known)
        if known in BEFORE:
            BEFORE[known](desk)
        done = desk.type(words(command))
        print(f"$ {words(command)}\n{done.stdout}{done.stderr}")
        if done.returncode != ENDS.get(known, 0):
            wrong.append(f"{words(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
        if known in AFTER:
            AFTER[known](desk)
    assert not wrong, "\n".join(wrong)
