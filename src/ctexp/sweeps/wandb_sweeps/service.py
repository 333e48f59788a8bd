"""What W&B does for a sweep, as an agent asks for it; see `clerk.py` for who really does."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from ctexp.core.errors import PreflightError
from ctexp.sweeps.agent.stopping import Stops
from ctexp.sweeps.trials import Told

_CREATION_SECONDS = 90.0
_LOOK_SECONDS = 0.2
_ENDING_SECONDS = 30.0
_HINT = "see that `.venv/bin/wandb login` has been done and that W&B can be reached; its log: "


class Service:
    """W&B's service, through its own client in a process of its own.

    Args:
        root: the project's folder.
        folder: where W&B's client keeps its files.
        log: what it prints.
    """

    def __init__(self, root: Path, folder: Path, log: Path) -> None:
        self._log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as said:
            self._clerk = subprocess.Popen(
                [sys.executable, "-P", "-m", "ctexp.sweeps.wandb_sweeps.clerk"],
                cwd=root,
                env=os.environ | {"WANDB_DIR": str(folder)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                start_new_session=True,  # a terminal's Ctrl-C is for the agent, which tells it
            )
        if self._clerk.stdin is None or self._clerk.stdout is None:
            raise ValueError("both were asked for")
        self._to, self._from = self._clerk.stdin, self._clerk.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._to.close()
        try:
            self._clerk.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._clerk.kill()
            self._clerk.wait()
        self._from.close()

    def create(self, config: Mapping[str, Any], project: str, entity: str | None) -> str:
        """Make a sweep; its path, `entity/project/id`.

        Raises:
            PreflightError: W&B refuses, or does not answer.
        """
        self._tell(create={"config": config, "project": project, "entity": entity})
        end = time.monotonic() + _CREATION_SECONDS
        while not self._has_said():
            if time.monotonic() > end:
                raise PreflightError(
                    f"W&B has not answered for {_CREATION_SECONDS:.0f} s", f"{_HINT}{self._log}"
                )
        return str(self._hear()["sweep"])

    def next(self, sweep: str, stops: Stops) -> Mapping[str, Any] | None:
        """The configuration of the next trial; None where W&B has no more, or there is a reason to stop.

        Raises:
            PreflightError: W&B refuses.
        """
        self._tell(next=sweep)
        while not self._has_said():
            if stops.why:
                return None
        said = self._hear()
        return None if "over" in said else dict(said["trial"])

    def name(self, name: str) -> None:
        """What W&B's run of the trial is called."""
        self._tell(name=name)

    def epoch(self, metric: str, epoch: int, value: float) -> bool:
        """Tell a value; whether W&B wants the trial stopped."""
        self._tell(epoch={metric: value, "epoch": epoch})
        return bool(self._hear()["prune"])

    def end(self, metric: str, told: Told) -> None:
        """Tell what came of the trial; W&B's run of it has ended after this.

        Args:
            metric: by which W&B knows the objective.
            told: the trial's end.
        """
        summary = {"state": told.state, "seconds": told.seconds, "mean": told.mean, "error": told.error}
        known = {metric: told.value, **summary} if told.value is not None else summary
        self._tell(end={"summary": known, "problem": told.problem if told.state == "failed" else ""})
        self._hear()

    def _tell(self, **message: object) -> None:
        try:
            self._to.write(json.dumps(message).encode() + b"\n")
            self._to.flush()
        except BrokenPipeError as error:
            raise self._gone() from error

    def _has_said(self) -> bool:
        return bool(select.select([self._from], [], [], _LOOK_SECONDS)[0])

    def _hear(self) -> dict[str, Any]:
        if not (line := self._from.readline()):
            raise self._gone()
        said: dict[str, Any] = json.loads(line)
        if "error" in said:
            raise PreflightError(f"W&B: {' '.join(said['error'].split())}", f"{_HINT}{self._log}")
        return said

    def _gone(self) -> PreflightError:
        return PreflightError("W&B's client has ended", f"look into {self._log}")
