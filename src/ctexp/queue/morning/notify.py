"""Tell a person what happened: a command, a webhook, as `conf/local.yaml` says below `notify`.

At most ten seconds, whatever the other side does; a failure of it is one warning and changes nothing. The
command is a list of words and sees no shell; it gets the event as JSON on its standard input, and one line of
it where a word holds `{text}`. A webhook gets the same JSON, whose `text` chat services show.

Light: a job's watcher loads this when the job fails.
"""

import json
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ctexp.config.personal import Notify, notify_settings
from ctexp.core import screen
from ctexp.core.errors import UsageError
from ctexp.queue.morning.bounded import ended, started

PATIENCE = 10.0
"""Seconds for all of it."""

_MOST_TEXT = 500


def tell(event: str, root: Path, text: str, **fields: Any) -> None:
    """Tell it, if anybody wants to know; never raises.

    Args:
        event: `failure` or `end`.
        root: the project's folder.
        text: one line for a person.
        fields: JSON values for programs: `queue`, `plan`, `job`, `exit_code`, …
    """
    try:
        asked = notify_settings(root / "conf")
    except UsageError as error:
        screen.warn(f"nobody was told: {error.problems[0]}")
        return
    if event not in asked.on or not (asked.command or asked.webhook):
        return
    line = " ".join(text.split())
    line = line if len(line) <= _MOST_TEXT else f"{line[: _MOST_TEXT - 1]}…"
    document = json.dumps({"event": event, "text": line, **fields}, default=str).encode()
    for problem in _deliver(asked, line, document, root):
        screen.warn(f"nobody was told of this by {problem}")


def _deliver(asked: Notify, line: str, document: bytes, root: Path) -> list[str]:
    """Both ways at once; a line for each that failed."""
    deadline = time.monotonic() + PATIENCE
    problems: list[str] = []
    program = None
    try:
        if asked.command:
            program = started([word.replace("{text}", line) for word in asked.command], root)
    except (OSError, ValueError) as error:
        problems.append(f"{asked.command[0]}: {getattr(error, 'strerror', None) or error}")
    answers: list[str] = []
    # A daemon, since an answer that drips in byte by byte keeps a socket's timeout from ever being over.
    sender = threading.Thread(target=lambda: answers.append(_post(asked.webhook, document)), daemon=True)
    if asked.webhook:
        sender.start()
    if program is not None and (code := ended(program, deadline - time.monotonic(), document)) != 0:
        how = f"not done within {PATIENCE:.0f} s" if code is None else f"ended with {code}"
        problems.append(f"{asked.command[0]}: {how}")
    if asked.webhook:
        sender.join(max(0.0, deadline - time.monotonic()))
        said = answers[0] if answers else f"no answer within {PATIENCE:.0f} s"
        if said:
            # The address may hold a secret: its host alone is named.
            problems.append(f"the webhook at {urlsplit(asked.webhook).hostname}: {said}")
    return problems


def _post(address: str, document: bytes) -> str:
    """Send it; what went wrong, or nothing."""
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import Request, urlopen

    request = Request(address, data=document, headers={"Content-Type": "application/json"})  # noqa: S310
    try:
        # An address of http or https: the settings take no other.
        with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            answer.read(1)
    except HTTPError as error:
        return f"answered {error.code}"
    except URLError as error:
        return str(error.reason)
    except (OSError, HTTPException, ValueError) as error:
        return type(error).__name__
    return ""
