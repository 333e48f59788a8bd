"""`queue begin` in this process, which stands in the project, up to where it would become the script."""

from pathlib import Path

import pytest

from ctexp.core.errors import CtexpError
from ctexp.core.files import sha256_file
from ctexp.queue import begin
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Event, Journal


class Became(Exception):
    """Where the script would go on."""


def words(*flags: str, name: str = "night", **changes: str) -> list[str]:
    """As the script says them."""
    fields = {"plan": f"research/plans/{name}.yaml", "script": str(Path(f"scripts/{name}.sh").resolve())}
    fields["sha256"] = sha256_file(Path(fields["plan"]))
    said = [word for key, value in (fields | changes).items() for word in (f"--{key}", value)]
    return [*said, "--", *flags]


def begin_night(*flags: str, **changes: str) -> QueueDir:
    """The queue that the script would run."""
    with pytest.raises(Became) as became:
        begin.main(words(*flags, **changes))
    queue: QueueDir = became.value.args[0]
    return queue


def refusal(*flags: str, **changes: str) -> CtexpError:
    with pytest.raises(CtexpError) as raised:
        begin.main(words(*flags, **changes))
    return raised.value


def events(queue: QueueDir) -> list[Event]:
    return Journal(queue.journal).read()
