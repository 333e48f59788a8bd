"""What stays on a terminal: the lines of a stream once nothing can be drawn over them any more.

Progress bars return the carriage, erase lines and move the cursor up, many times a second. Following those
few moves keeps what a person would find on the screen afterwards, messages printed above a bar included, and
drops every frame that was drawn over.
"""

import re

_REACH = 200
"""Lines above the cursor that a display can still draw over: more than a terminal is high."""

_CODE = re.compile(
    r"\r\n|\n|\r"
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # control sequences: cursor, erasing, colour
    r"|\x1b\].*?(?:\x07|\x1b\\)"  # operating system commands: titles, links
    r"|\x1b[@-Z\\-_a-z]?"  # the rest of the escapes
    r"|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]"
    r"|[^\x00-\x08\x0a-\x1f\x7f]+",
    re.DOTALL,
)
_UP = re.compile(r"\x1b\[(\d*)[AF]")
_DOWN = re.compile(r"\x1b\[(\d*)[BE]")


class SettledLines:
    """Follows one stream and hands out its lines when they are final.

    A plain line is final at once. While the cursor is hidden, as live displays do, the lines that the last
    frame could still be erased from are held back until the next one, or until the cursor is shown again.
    """

    def __init__(self) -> None:
        self._rows = [""]
        self._at = 0
        self._returned = False
        self._live = False

    def feed(self, text: str) -> list[str]:
        """Take what was written; give the lines, without their ends, that have become final."""
        highest = self._at
        for code in _CODE.findall(text):
            self._take(code)
            highest = min(highest, self._at)
        # In a live display, rows below the highest one reached by this write belong to its newest frame.
        settled = highest if self._live else self._at
        settled = max(settled, len(self._rows) - _REACH)
        lines, self._rows = self._rows[:settled], self._rows[settled:]
        self._at -= settled
        return lines

    def rest(self) -> list[str]:
        """What is left when the stream ends, its unfinished last line included."""
        lines, self._rows = self._rows, [""]
        self._at, self._returned = 0, False
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def _take(self, code: str) -> None:
        if code in {"\n", "\r\n"}:
            self._down(1)
            self._returned = False
        elif code == "\r":
            self._returned = True
        elif up := _UP.fullmatch(code):
            self._at = max(0, self._at - int(up[1] or 1))
        elif down := _DOWN.fullmatch(code):
            self._down(int(down[1] or 1))
        elif code in {"\x1b[2K", "\x1b[K", "\x1b[0K"}:
            if self._returned or code == "\x1b[2K":
                self._rows[self._at] = ""
        elif code in {"\x1b[?25l", "\x1b[?25h"}:
            self._live = code.endswith("l")
        elif code[0] == "\t" or (code[0] >= " " and code != "\x7f"):
            # After a carriage return the line is written anew: a shorter text is padded by whoever writes it.
            self._rows[self._at] = code if self._returned else self._rows[self._at] + code
            self._returned = False

    def _down(self, rows: int) -> None:
        self._at += rows
        while len(self._rows) <= self._at:
            self._rows.append("")
