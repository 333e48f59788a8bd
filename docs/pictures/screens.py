"""A terminal and a page of the report, after the night that `docs/overnight.md` has people type.

`.venv/bin/python -m docs.pictures.screens` replaces `terminal.svg` and `report.png` beside this file. It
needs Chromium and ten minutes: the night is a real one, of tiny networks on synthetic images.
"""

import io
import re
import sys
import tempfile
from pathlib import Path

import pexpect
from playwright.sync_api import ViewportSize
from rich.console import Console
from rich.text import Text

from tests import browser, overnight

TERMINAL = Path(__file__).with_name("terminal.svg")
REPORT = Path(__file__).with_name("report.png")

_COLUMNS = 114
_SHOWN = ("queue-status first-night", "runs --sort val/macro_f1")
_VIEWPORT: ViewportSize = {"width": 940, "height": 760}


def take(project: Path) -> None:
    """Both pictures, of a project that had its night."""
    TERMINAL.write_text(_terminal(project))
    newest = max((project / "runs" / "reports").glob("*.html"), key=lambda page: page.stat().st_mtime_ns)
    with browser.started() as chromium:
        tab = chromium.new_page(viewport=_VIEWPORT)
        tab.goto(newest.as_uri())
        tab.screenshot(path=REPORT)


def _terminal(project: Path) -> str:
    """What the commands print on a terminal of this width, as SVG."""
    console = Console(record=True, width=_COLUMNS, file=io.StringIO(), force_terminal=True)
    for words in _SHOWN:
        console.print(Text(f"$ scripts/inv {words}", style="bold"))
        console.print(Text.from_ansi(_said(project, words)))
    # Its own fonts would be fetched from elsewhere.
    return re.sub(r"@font-face \{.*?\}", "", console.export_svg(title="the morning after"), flags=re.DOTALL)


def _said(project: Path, words: str) -> str:
    said, _ = pexpect.run(
        f"scripts/inv {words}",
        cwd=str(project),
        withexitstatus=True,
        encoding="utf-8",
        timeout=120,
        dimensions=(60, _COLUMNS),
    )
    return str(said).replace("\r\n", "\n")


def main() -> None:
    """A night from nothing, then the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        project = overnight.begun(Path(folder))
        for command, done in overnight.typed(project):
            print(f"$ {command}", file=sys.stderr)
            done.check_returncode()
        take(project)


if __name__ == "__main__":
    main()
