"""Why a handler did not come to its end: in one line, with what to do about it, and the whole traceback."""

import signal
import traceback
from pathlib import Path
from types import TracebackType

from ctexp.core.errors import CtexpError
from ctexp.core.failures import catalogue
from ctexp.research.record import Broken

_OF_SIGNALS = {
    int(signal.SIGKILL): "nobody here sent it: as a rule the kernel did, for want of memory; hold less",
    int(signal.SIGSEGV): "a library crashed; the end of its log may say which",
}
_LINES = 20
"""Problems of one error that are told."""

_MESSAGE = 2_000
_TRACE = 50_000
"""Characters. A record is read whenever anybody asks where the research stands."""

_OURS = "research/running/one.py"


def broken(error: BaseException, handlers: Path) -> Broken:
    """What an error that came out of a handler amounts to."""
    trace = _end("".join(traceback.format_exception(type(error), error, _inside(error.__traceback__))))
    if isinstance(error, SystemExit):
        return Broken(
            kind="SystemExit",
            message=f"the handler called sys.exit({error.code!r}) instead of returning what it found",
            hint="raise an error where something is wrong, return {…} where nothing is",
            traceback=trace,
        )
    if isinstance(error, CtexpError):
        problems = "\n".join(error.problems[:_LINES])
        hint = error.hint or _known(trace) or _where(error, handlers)
        return Broken(kind=error.kind, message=_beginning(problems), hint=hint, traceback=trace)
    return Broken(
        kind=type(error).__name__,
        message=_beginning(str(error)) or "without a word",
        hint=_known(trace) or _where(error, handlers),
        traceback=trace,
    )


def died(code: int, log_end: str) -> Broken:
    """What the end of a process without a record amounts to."""
    if code >= 0:
        return Broken(
            kind="NoAnswer",
            message=f"the process of the handler ended with exit code {code} before there was an answer",
            hint=_known(log_end) or "something in it called os._exit; let it return what it found",
        )
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    hint = _OF_SIGNALS.get(-code, "")
    return Broken(kind="Killed", message=f"the handler was killed by {name}", hint=hint or _known(log_end))


def _inside(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from the handler on, without the frames that called it."""
    while trace is not None and trace.tb_frame.f_code.co_filename.endswith(_OURS):
        trace = trace.tb_next
    return trace


def _beginning(text: str) -> str:
    """A message; some hold a whole array."""
    return text if len(text) <= _MESSAGE else f"{text[:_MESSAGE]} …"


def _end(trace: str) -> str:
    """A traceback; what was raised stands last."""
    return trace if len(trace) <= _TRACE else f"… {trace[-_TRACE:]}"


def _where(error: BaseException, handlers: Path) -> str:
    """The last line of people's own code that it came through."""
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).is_relative_to(handlers):
        file = Path(error.filename).relative_to(handlers).as_posix()
        return f"look at research/handlers/{file}:{error.lineno}: {(error.text or '').strip()}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(handlers)]
    if not own:
        return ""
    file = Path(own[-1].filename).relative_to(handlers).as_posix()
    return f"look at research/handlers/{file}:{own[-1].lineno}: {own[-1].line}"


def _known(text: str) -> str:
    """What the catalogue says of a text; a line may be a whole array."""
    remedy = catalogue.explain("\n".join(line[:_MESSAGE] for line in text.splitlines()))
    return remedy.hint if remedy is not None else ""
