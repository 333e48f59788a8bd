"""Programs of ours that others start: what goes wrong is told in lines, how it ends by an exit code."""

import signal
from collections.abc import Callable

from ctexp.core import screen
from ctexp.core.errors import CtexpError, Stopped
from ctexp.core.files import disk_full


def carried_out(main: Callable[[], int]) -> int:
    """The exit code of a program; its errors are told on stderr.

    Args:
        main: gives its exit code, or minus the signal that killed what it has started.
    """
    try:
        try:
            code = main()
        except KeyboardInterrupt:
            raise Stopped(signal.SIGINT) from None
    except CtexpError as error:
        for line in error.lines():
            screen.note(line)
        return error.exit_code
    except OSError as error:
        if (full := disk_full(error)) is None:
            raise
        screen.note(full.lines()[0])
        return full.exit_code
    return code if code >= 0 else 128 - code
