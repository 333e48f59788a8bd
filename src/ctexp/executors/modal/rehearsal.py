"""`python -P -m ctexp.executors.modal.rehearsal SETTINGS ROOT NAME`: what Modal would run, run here."""

import signal
import sys
import warnings
from pathlib import Path
from types import FrameType

from ctexp.core.parent_death import die_with_parent
from ctexp.executors.modal.making import make
from ctexp.executors.settings import ModalSettings


class _Ended(BaseException):
    """SIGTERM, which stands for Modal's way to ask for an end."""


def _end(_: int, __: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise _Ended


if __name__ == "__main__":
    die_with_parent()
    signal.signal(signal.SIGTERM, _end)
    said, root, name = sys.argv[1:]
    # The volume is a folder of this machine, which it does have access to.
    warnings.filterwarnings("ignore", message=".*executing locally and will not have access")
    made = make(ModalSettings.model_validate_json(said), Path(root))
    try:
        code = made.functions[False].local(name, None)
    except _Ended:
        code = 128 + signal.SIGTERM
    raise SystemExit(code if code >= 0 else 128 - code)
