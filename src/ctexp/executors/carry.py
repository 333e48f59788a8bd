"""`python -P -m ctexp.executors.carry EXECUTOR NAME -- PROGRAM …`: a program that runs elsewhere, as if here.

What it prints comes out here, signals and signs of life come through, its exit code is that of this process.
What watches programs of this machine watches one on a cluster this way: attempts at the jobs of a queue.
"""

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from ctexp.core.errors import UsageError
from ctexp.core.parent_death import die_with_parent
from ctexp.core.paths import project_root
from ctexp.core.stopping import Requests
from ctexp.executors.opening import open_executor
from ctexp.executors.program import carried_out
from ctexp.executors.protocol import Executor, Work

_LOOK_SECONDS = 0.2
_GRACE_SECONDS = 3600.0
"""Who has asked this process to stop waits as long as it likes, and kills it then."""

PASSED_ON = (
    *("CTEXP_PLAN", "CTEXP_QUEUE", "CTEXP_JOB"),
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
    *("WANDB_MODE", "WANDB_PROJECT", "WANDB_ENTITY", "WANDB_BASE_URL"),
)
"""Variables of this process that the program has too, where they are set: results or records hang on them."""

_ON_THE_PROCESSOR = "trainer.accelerator=cpu"


def words_of(executor: str, name: str, words: Sequence[str]) -> list[str]:
    """The program that has another carried out elsewhere."""
    return [sys.executable, "-P", "-m", "ctexp.executors.carry", executor, name, "--", *words]


def main(words: Sequence[str]) -> int:
    """Have it carried out, and wait; its exit code, or minus the signal that killed it.

    Raises:
        UsageError: the words are wrong.
        CtexpError: it cannot be begun there.
    """
    if len(words) < 4 or words[2] != "--":
        raise UsageError("carry: expected EXECUTOR NAME -- PROGRAM …")
    root = project_root()
    executor = open_executor(root, words[0])
    with tempfile.TemporaryDirectory(prefix="ctexp-carry-") as folder:
        work = Work(
            name=words[1],
            words=words[3:],
            folder=root,
            log=Path(folder) / "log",
            environment={name: os.environ[name] for name in PASSED_ON if name in os.environ},
            trains=list(words[3:5]) == ["inv", "train"],
            gpu=_ON_THE_PROCESSOR not in words,
        )
        with Requests() as asked:
            return _carried(executor, work, asked)


def _carried(executor: Executor, work: Work, asked: Requests) -> int:
    handle = executor.submit(work)
    work.log.touch()
    with work.log.open("rb") as log:
        try:
            while (code := executor.poll(handle)) is None:
                _copy(log.read())
                if asked.signum:
                    executor.cancel(handle, _GRACE_SECONDS)
                time.sleep(_LOOK_SECONDS)
        except BaseException:
            executor.cancel(handle, 0.0)
            raise
        _copy(log.read())
    return code


def _copy(said: bytes) -> None:
    if said:
        sys.stdout.buffer.write(said)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    die_with_parent()
    raise SystemExit(carried_out(lambda: main(sys.argv[1:])))
