"""DVC, driven as the program it is: its bars pass through to a terminal, its failures become one line."""

import os
import pty
import re
import shlex
import subprocess
import sys
import tempfile
import termios
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ctexp.core import extras
from ctexp.core.errors import Busy, CtexpError, DataError, PreflightError
from ctexp.core.paths import shown

Follow = Callable[[str], None]
"""Called with each state of DVC's bars: `27%|██▋   |Fetching from store   12/44 [00:01<00:03, 9.8file/s]`."""

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_BAR = re.compile(r"\|.*\[\d\d:\d\d")
_WIDTH = 70


def run(root: Path, *words: str, follow: Follow | None = None) -> str:
    """Run DVC in a project; what it answered on standard output.

    Raises:
        Busy: another DVC works in the project.
        DataError: the remote lacks files, or files here are not what `dvc.lock` records.
        PreflightError: anything else: no remote, one that cannot be reached, a broken dvc.yaml.
    """
    code, answer, said = _attempt(root, words, follow)
    # DVC pushes what it can, warns of what is nowhere, and calls that a success.
    if code == 0 and _MISSING not in said:
        return answer
    cause = subprocess.CalledProcessError(code, typed(*words))
    cause.add_note(said)
    raise _failure(words, said) from cause


def typed(*words: str) -> str:
    """A DVC command as one types it in the project."""
    return f"{shown(Path(sys.executable).with_name('dvc'))} {shlex.join(words)}"


def remote(root: Path) -> str:
    """The name of the remote that data are pushed to.

    Raises:
        PreflightError: there is none.
    """
    name = run(root, "config", "core.remote").strip()
    if not name:
        raise _no_remote()
    return name


def _no_remote() -> PreflightError:
    return PreflightError(
        "DVC has no remote: nowhere to push data to or pull them from",
        f"name one, then commit .dvc/config: {typed('remote', 'add', '-d', 'store', '/a/folder/or/url')}",
    )


def _attempt(root: Path, words: tuple[str, ...], follow: Follow | None) -> tuple[int, str, str]:
    """The exit code, and what came on standard output and on standard error.

    DVC draws bars for a terminal alone: whoever follows them makes us one. It asks no questions, since its
    standard input and output are none.
    """
    reader, writer = pty.openpty() if follow else os.pipe()
    if follow:
        termios.tcsetwinsize(writer, (24, _WIDTH))
    said = b""
    with tempfile.TemporaryFile("w+", errors="replace") as answer:
        process = subprocess.Popen(
            # -P: what lies in the project's folder is not to be imported instead of what DVC needs.
            [sys.executable, "-P", "-m", "dvc", *words],
            cwd=root,
            # Its notes on which files it has hashed: within the clone, not in a folder of the machine.
            env=os.environ | {"DVC_SITE_CACHE_DIR": str(root.absolute() / ".dvc" / "tmp" / "site")},
            stdin=subprocess.DEVNULL,
            stdout=answer,
            stderr=writer,
        )
        os.close(writer)
        try:
            with suppress(OSError):  # what reading a terminal ends with
                while piece := os.read(reader, 1 << 16):
                    said += piece
                    for line in _lines(piece):
                        if follow and _BAR.search(line):
                            follow(line)
            code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        finally:
            os.close(reader)
        answer.seek(0)
        return code, answer.read(), "\n".join(line for line in _lines(said) if not _BAR.search(line))


def _lines(said: bytes) -> list[str]:
    """The lines of what a terminal was sent; those drawn over each other are lines of their own."""
    lines = re.split(r"[\r\n]", _ESCAPES.sub("", said.decode(errors="replace")))
    return [line.strip() for line in lines if line.strip()]


def _failure(words: tuple[str, ...], said: str) -> CtexpError:
    for sign, error in _KNOWN:
        if sign in said:
            return error(words, said)
    # What it calls an error tells most; a broken dvc.yaml is told without that word.
    lines = sorted(said.splitlines(), key=lambda line: not line.startswith(_ERROR)) or ["failed"]
    what = lines[0].removeprefix(_ERROR).removeprefix("unexpected error - ")
    return PreflightError(f"dvc {words[0]}: {what}", _all_it_says(words))


def _all_it_says(words: tuple[str, ...]) -> str:
    return f"to see all that DVC says: {typed(*words)}"


def _busy(*_: object) -> CtexpError:
    return Busy("another DVC is at work in this project", "wait for it to end, or stop it")


def _unsaved(_: tuple[str, ...], said: str) -> CtexpError:
    files = [line for line in said.splitlines() if line.startswith("/")]
    return DataError(
        [f"{shown(Path(file))}: is not what dvc.lock records, and would be overwritten" for file in files],
        "remove them and pull again; or record what is here: scripts/inv data-push",
    )


def _missing(words: tuple[str, ...], _: str) -> CtexpError:
    return DataError(
        f"files that dvc.lock records for {', '.join(words[1:])} are neither here nor in the remote",
        f"see whether the remote is reachable, or push from where they are; {_all_it_says(words)}",
    )


def _unreached(_: tuple[str, ...], said: str) -> CtexpError:
    found = re.search(r"failed to connect to (.*)", said)
    return PreflightError(
        f"the remote cannot be reached: {found[1] if found else said}",
        f"see its url: {typed('remote', 'list')}; docs/data.md says where its credentials belong",
    )


def _uninstalled(_: tuple[str, ...], said: str) -> CtexpError:
    found = re.search(r"(\w+) is supported, but requires '([\w-]+)'", said)
    scheme, package = (found[1], found[2]) if found else ("?", "?")
    return PreflightError(
        f"a remote at {scheme}:// needs {package}, which is not installed",
        extras.install(scheme) if scheme in _EXTRAS else f"uv pip install --python .venv {package}",
    )


def _remade(words: tuple[str, ...], said: str) -> CtexpError:
    stage = re.search(r"unable to commit changed stage: '([^']+)'", said)
    name = stage[1] if stage else words[-1]
    return DataError(
        f"{name}: what is here is not what this stage of dvc.yaml was recorded to make",
        f"make and record it anew: {typed('repro', name)}",
    )


_ERROR = "ERROR: "
_EXTRAS = ("s3", "ssh")
"""Kinds of remotes that ctexp has an extra for."""

_MISSING = "do not exist neither locally nor on remote"

_KNOWN: tuple[tuple[str, Callable[[tuple[str, ...], str], CtexpError]], ...] = (
    ("Unable to acquire lock", _busy),
    ("it is being blocked by", _busy),
    ("without confirmation", _unsaved),
    ("no default remote set", lambda *_: _no_remote()),
    ("is supported, but requires", _uninstalled),
    # It then calls what it could not ask for missing.
    ("failed to connect to", _unreached),
    (_MISSING, _missing),
    ("failed to download", _missing),
    ("unable to commit changed stage", _remade),
)
"""What DVC says, and what that means here; the first that fits is told."""
