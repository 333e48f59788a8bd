"""Handlers carried out in this process, as theirs carries them out."""

from pathlib import Path
from typing import Any

from ctexp.research.record import Answer
from ctexp.research.runner.stopping import Interruption
from ctexp.research.running.one import Carrying
from tests.research.answers import handler
from tests.research.runner.desks import Said, order


def carried(root: Path, text: str, said: Said | None = None, **changes: Any) -> Answer:
    """The answer of the handler `spread` of `noise`, whose file says this."""
    handler(root, "noise", "spread", text)
    return Carrying(order(root, **changes), Interruption(), said if said is not None else Said()).answer()


def artifacts(root: Path) -> list[str]:
    """The files it has saved, before anybody takes them."""
    return sorted(path.name for path in order(root).saved.glob("*"))
