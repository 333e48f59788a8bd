"""Where a parent listens: a socket that only its own user can reach, and talks to nobody else."""

import fcntl
import os
import socket
import stat
import struct
import tempfile
from pathlib import Path

from ctexp.core.errors import Busy, PreflightError

_BACKLOG = 128
_CREDENTIALS = struct.Struct("3i")  # process, user, group


def runtime_folder() -> Path:
    """The person's folder for sockets: `$XDG_RUNTIME_DIR/ctexp`, or one in the folder of temporary files.

    Raises:
        PreflightError: somebody else has made it, or others can enter it.
    """
    named = os.environ.get("XDG_RUNTIME_DIR", "")
    user = os.geteuid()
    folder = Path(named) / "ctexp" if named.startswith("/") else Path(tempfile.gettempdir()) / f"ctexp-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != user or about.st_mode & 0o077:
        raise PreflightError(f"{folder} is not yours alone", f"remove it, or chmod 700 {folder}")
    return folder


def listen(path: Path) -> socket.socket:
    """A socket at a path, for its user alone; one that a killed parent has left there is replaced.

    Raises:
        Busy: a parent listens there.
        PreflightError: there can be no socket of that name.
    """
    listening = socket.socket(socket.AF_UNIX)
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            # Between the question and the answer nobody else may listen.
            fcntl.flock(folder, fcntl.LOCK_EX)
            if answers(path):
                raise Busy(f"a warm trainer listens on {path}", "use that one, or stop it")
            path.unlink(missing_ok=True)
            listening.bind(str(path))
            path.chmod(0o600)
            listening.listen(_BACKLOG)
        finally:
            os.close(folder)
    except OSError as error:
        listening.close()
        raise PreflightError(f"{path}: {error.strerror or error}", "name another socket") from error
    except BaseException:
        listening.close()
        raise
    return listening


def answers(path: Path) -> bool:
    """Whether somebody listens there."""
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(str(path))
        except OSError:
            return False
    return True


def peer(line: socket.socket) -> int:
    """The user at the other end of a line, as the kernel knows."""
    credentials = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    user: int = _CREDENTIALS.unpack(credentials)[1]
    return user
