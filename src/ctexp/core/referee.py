r"""A line between a training and whoever watches its epochs: it tells, and is told whether to go on.

The watcher makes a pair of sockets, passes one end on and names it in `CTEXP_REFEREE` as `<descriptor>
<metric>`. The training writes JSON lines: `{"run": id}` when its record is there, `{"epoch": n, "value": v}`
after each epoch, and for each of these it reads one byte: `+` to go on, `-` to stop. A watcher that is gone
stops nobody.
"""

import contextlib
import json
import os
import socket
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from ctexp.core.errors import UsageError

VARIABLE = "CTEXP_REFEREE"
"""Environment variable: the descriptor of the training's end, and the metric that is told."""

_GO_ON, _STOP = b"+", b"-"
_BYTES = 1 << 16


@dataclass(frozen=True)
class Message:
    """What a training tells.

    Attributes:
        run: its id, when its record is there; None in every other message.
        epoch: counted from 1; 0 where it tells its run.
        value: of the metric after that epoch; None where it is undefined.
    """

    run: str | None = None
    epoch: int = 0
    value: float | None = None


class Player:
    """The training's end.

    Args:
        metric: that is told after each epoch, `val/macro_f1`.
        descriptor: of the two sockets that of this process.
    """

    def __init__(self, metric: str, descriptor: int) -> None:
        self.metric = metric
        self._descriptor = descriptor
        self._watched = True

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Self | None:
        """The end that a watcher has passed on to this process; None where nobody watches.

        Raises:
            UsageError: the variable names no such descriptor.
        """
        if not (said := variables.get(VARIABLE, "")):
            return None
        number, _, metric = said.partition(" ")
        try:
            descriptor = int(number)
            if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                raise ValueError(f"{descriptor} is no socket")
        except (ValueError, OSError) as error:
            raise UsageError(f"{VARIABLE}={said}: no line to a watcher ({error})", "unset it") from error
        os.set_inheritable(descriptor, False)
        return cls(metric, descriptor)

    def begin(self, run: str) -> None:
        """Tell which run this is."""
        self._ask({"run": run})

    def epoch(self, epoch: int, value: float | None) -> bool:
        """Tell the metric after an epoch; whether to go on."""
        return self._ask({"epoch": epoch, "value": value})

    def _ask(self, message: Mapping[str, object]) -> bool:
        """Whether to go on, as the watcher answers; without one, always."""
        if not self._watched:
            return True
        try:
            os.write(self._descriptor, json.dumps(message).encode() + b"\n")
            answer = os.read(self._descriptor, 1)
        except OSError:
            answer = b""
        self._watched = bool(answer)
        return answer != _STOP


class Watcher:
    """The end of whoever watches a training: read when it is readable, every message is answered once.

    Args:
        metric: that the training is to tell.
    """

    def __init__(self, metric: str) -> None:
        self._metric = metric
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._rest = b""
        self.closed = False

    @property
    def descriptor(self) -> int:
        """What the training has to inherit."""
        return self._theirs.fileno()

    @property
    def variables(self) -> dict[str, str]:
        """What the training's environment has to say."""
        return {VARIABLE: f"{self.descriptor} {self._metric}"}

    def passed(self) -> None:
        """The training has its end by now: from here on its death is seen."""
        self._theirs.close()

    def fileno(self) -> int:
        """For `select`."""
        return self._ours.fileno()

    def read(self) -> list[Message]:
        """What has been told and not been read; `closed` is true once nobody is left to tell anything."""
        while not self.closed:
            try:
                piece = self._ours.recv(_BYTES)
            except BlockingIOError:
                break
            except OSError:
                piece = b""
            self._rest += piece
            self.closed = not piece
        *lines, self._rest = self._rest.split(b"\n")
        return [_message(line) for line in lines]

    def answer(self, *, go_on: bool) -> None:
        """Answer one message; a training that is gone needs none."""
        with contextlib.suppress(OSError):
            self._ours.send(_GO_ON if go_on else _STOP)

    def close(self) -> None:
        """Be gone; a training that waits for an answer goes on."""
        self.closed = True
        self._ours.close()
        self._theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _message(line: bytes) -> Message:
    told = json.loads(line)
    value = told.get("value")
    return Message(told.get("run"), int(told.get("epoch", 0)), None if value is None else float(value))
