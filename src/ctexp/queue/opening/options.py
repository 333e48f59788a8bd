"""What a rendered script takes: `bash scripts/<plan>.sh [OPTION...]`.

`--help` and `--status` are answered by the script itself; the rest comes here, before anything is done.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from ctexp.core.errors import UsageError
from ctexp.executors.settings import DEFAULT

_MODES = {"bash": "local", "slurm": "slurm"}


@dataclass(frozen=True)
class Asked:
    """What a start of the script is asked for.

    Attributes:
        plan: the plan's file, from the project's root.
        sha256: of it, when the script was rendered.
        script: the script.
        mode: `local` or `slurm`.
        executor: which file of `conf/executor` says where jobs run.
        dry_run: check everything, and make nothing.
        resume: go on with the newest queue of the plan, whatever has become of plan and script since.
        fresh: begin a new queue, also where one could be gone on with.
        only: jobs, or experiments; none for all.
        detach: go on without the terminal.
        words: the options as they were typed.
    """

    plan: str
    sha256: str
    script: Path
    mode: str = "local"
    executor: str = DEFAULT
    dry_run: bool = False
    resume: bool = False
    fresh: bool = False
    only: tuple[str, ...] = ()
    detach: bool = False
    words: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The plan's name."""
        return Path(self.plan).stem


def parse(words: Sequence[str]) -> Asked:
    """Read `--plan FILE --sha256 HEX --script PATH [--target slurm] [--executor NAME] -- OPTION...`.

    Raises:
        UsageError: an unknown option, or two that exclude each other.
    """
    at = words.index("--") if "--" in words else len(words)
    ours, typed = words[:at], words[at + 1 :]
    begin = _Parser(prog="queue begin", add_help=False, allow_abbrev=False)
    begin.add_argument("--plan", required=True)
    begin.add_argument("--sha256", required=True)
    begin.add_argument("--script", required=True, type=Path)
    begin.add_argument("--target", choices=sorted(_MODES), default="bash")
    begin.add_argument("--executor")
    known = begin.parse_args(ours)

    options = _Parser(prog=f"bash {known.script}", add_help=False, allow_abbrev=False)
    for name in ("--dry-run", "--detach"):
        options.add_argument(name, action="store_true")
    which = options.add_mutually_exclusive_group()
    which.add_argument("--resume", action="store_true")
    which.add_argument("--fresh", action="store_true")
    options.add_argument("--only", action="append", default=[], metavar="ID")
    asked = options.parse_args(typed)
    only = [one for listed in asked.only for one in listed.split(",") if one]
    return Asked(
        known.plan,
        known.sha256,
        known.script,
        _MODES[known.target],
        known.executor or _MODES[known.target],
        asked.dry_run,
        asked.resume,
        asked.fresh,
        tuple(dict.fromkeys(only)),
        asked.detach,
        tuple(typed),
    )


class _Parser(argparse.ArgumentParser):
    """One that raises our error instead of leaving by itself."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(
            message, f"see {self.prog} --help" if self.prog != "queue begin" else "render the script again"
        )
