import io

import pytest
from rich.console import Console
from rich.progress import Progress

from ctexp.record.settled import SettledLines


def settled(*writes: str) -> list[str]:
    lines = SettledLines()
    return [line for text in writes for line in lines.feed(text)] + lines.rest()


class Recording(io.StringIO):
    """A terminal that remembers each write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def write(self, text: str) -> int:
        self.writes.append(text)
        return len(text)

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("writes", "lines"),
    [
        (["one\ntwo\n"], ["one", "two"]),
        (["o", "ne\n", "tw", "o"], ["one", "two"]),
        (["one\r\n", "\n", "two\r\n"], ["one", "", "two"]),
        (["\x1b[1;31mred\x1b[0m and \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n"], ["red and link"]),
        (["\a\x00beep\ttab\n"], ["beep\ttab"]),
        (["ünï 漢字 🎉\n"], ["ünï 漢字 🎉"]),
        ([" 10%|#\r", " 50%|#####\r", "100%|##########\n"], ["100%|##########"]),
        (["10%", "\r\x1b[2K", "a message\n", "20%", "\r\x1b[2K"], ["a message"]),
        (["10%", "\r\x1b[K", "done\n"], ["done"]),
    ],
)
def test_what_stays_on_the_screen_is_kept(writes: list[str], lines: list[str]) -> None:
    assert settled(*writes) == lines


def test_a_plain_line_is_final_at_once() -> None:
    lines = SettledLines()
    assert lines.feed("one\npart") == ["one"]
    assert lines.feed(" two\n") == ["part two"]


@pytest.mark.parametrize("transient", [True, False])
@pytest.mark.parametrize("bars", [1, 3])
def test_a_rich_progress_bar_leaves_its_last_frame_and_the_messages_above_it(
    bars: int, transient: bool
) -> None:
    terminal = Recording()
    console = Console(file=terminal, width=80, force_terminal=True, color_system="truecolor")
    console.print("before")
    with Progress(
        console=console, transient=transient, auto_refresh=False, redirect_stdout=False
    ) as progress:
        tasks = [progress.add_task(f"bar {n}", total=5) for n in range(bars)]
        for step in range(5):
            for task in tasks:
                progress.advance(task)
            progress.refresh()
            console.print(f"[bold]message {step}[/bold]")
    console.print("after")
    lines = settled(*terminal.writes)
    frames = [line for line in lines if line.startswith("bar ")]
    assert [line for line in lines if line not in frames and line] == [
        "before",
        *(f"message {step}" for step in range(5)),
        "after",
    ]
    assert len(frames) == (0 if transient else bars)
    assert all("100%" in frame for frame in frames)


def test_a_display_that_never_moves_back_is_not_held_for_ever() -> None:
    lines = SettledLines()
    lines.feed("\x1b[?25l")
    assert lines.feed("line\n" * 1000)[:3] == ["line"] * 3
