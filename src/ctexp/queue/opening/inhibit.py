"""The machine does not fall asleep while a night runs, where systemd can see to it."""

import contextlib
import os
import select
import shutil
import subprocess

_PATIENCE_SECONDS = 5.0


def inhibit_sleep(why: str) -> int | None:
    """Keep the machine awake as long as any process has a certain descriptor.

    `systemd-inhibit` holds its lock while its program runs, and that is a `cat` whose input ends when the
    last process that has the returned descriptor has ended, however that happens: nothing to clean up.

    Args:
        why: what people are told who ask for sleep.

    Returns:
        The descriptor, to be made inheritable; None where there is no systemd that would listen.
    """
    if shutil.which("systemd-inhibit") is None:
        return None
    program = ["systemd-inhibit", "--what=sleep", "--who=ctexp", f"--why={why}", "--mode=block", "cat"]
    reading, writing = os.pipe2(os.O_CLOEXEC)
    holder = subprocess.Popen(
        program,
        stdin=reading,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(reading)
    assert holder.stdout is not None  # noqa: S101 - for the type checker
    with holder.stdout:
        with contextlib.suppress(BrokenPipeError):  # refused already
            os.write(writing, b"\n")
        # It comes back once cat runs, and cat runs once the lock is held.
        ready, _, _ = select.select([holder.stdout], [], [], _PATIENCE_SECONDS)
        if ready and holder.stdout.read(1):
            holder.returncode = 0  # it outlives this program, whose place the script takes
            return writing
    os.close(writing)
    holder.kill()
    holder.wait()
    return None
