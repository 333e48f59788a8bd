"""A cross-validation on its way: each fold with each seed an ordinary run, trained in a process of its own.

A process of its own survives what its neighbour does not: memory that is not given back, a crash of the
driver, a kill. It is started like any training, `inv train … data.fold=2 seed=43`, and found again by its
manifest, which names this cross-validation as its parent. So nothing has to be handed back by a process that
may be killed, and what the record says can always be read again from the runs.

While a fold is trained its process holds the lock of the cross-validation too, and those that this one has
from the night it belongs to. If this one is killed, the training goes on, and nobody can start the same fold
a second time meanwhile.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ctexp.core import clock
from ctexp.core.errors import Stopped
from ctexp.core.locks import FileLock, passed_on
from ctexp.record.cross_validation import CrossValidation, CrossValidationDir, Fold
from ctexp.record.find import run_paths
from ctexp.record.run_dir import RUN_ID, RunDir
from ctexp.record.values import seconds_of
from ctexp.training.kernel.stopping import StopRequests

_POLL_SECONDS = 0.1


class Folds:
    """Trains what is not finished yet.

    Args:
        place: the folder, whose lock is held.
        lock: that lock.
        record: as it stands; it is written anew whenever a fold begins or ends.
        runs: the folder of all runs.
        root: the project's folder.
        tell: is given a line before each fold.
    """

    def __init__(
        self,
        place: CrossValidationDir,
        lock: FileLock,
        record: CrossValidation,
        *,
        runs: Path,
        root: Path,
        tell: Callable[[str], None],
    ) -> None:
        self.record = record
        self._place = place
        self._lock = lock
        self._runs = runs
        self._root = root
        self._tell = tell
        self._member_of: dict[Path, tuple[int | None, int] | None] = {}

    def train(self, requests: StopRequests) -> None:
        """Train every member that is not finished: begin it, or go on with its run.

        Raises:
            Stopped: a signal asked for an end; the fold that was being trained has been told, and has ended.
            StorageError: the record cannot be written.
        """
        for member in self.record.members:
            self._note(self._seen(member))
        for number, member in enumerate(self.record.members, 1):
            if member.state == "finished":
                continue
            self._stop_if_asked(requests)
            of_seed = f", seed {member.seed}" if len(self.record.seeds) > 1 else ""
            verb = "going on with" if member.run_id else "training"
            count = len(self.record.members)
            self._tell(f"{number} of {count}: {verb} fold {member.fold}{of_seed}")
            self._note(member.model_copy(update={"state": "running", "problem": ""}))
            code = self._start(member, requests)
            stopped = requests.signum is not None
            self._note(self._seen(member.model_copy(update={"exit_code": code}), stopped=stopped))
        self._stop_if_asked(requests)
        self._write(self.record.model_copy(update={"ended": clock.iso(clock.now())}))

    def _start(self, member: Fold, requests: StopRequests) -> int:
        """Train one fold in a child; its exit code, or minus the signal that killed it."""
        words = ["--resume", member.run_id] if member.run_id else words_of(self.record, member)
        ours = {"CTEXP_ROOT": str(self._root), "CTEXP_PARENT": self.record.id}
        environment, descriptors = passed_on(self._lock, environment=os.environ | ours)
        child = subprocess.Popen(
            [sys.executable, "-m", "invoke", "train", *words, "--yes", "--json"],
            cwd=self._root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # what it prints there stands in its record
            pass_fds=descriptors,
        )
        told = False
        while True:
            try:
                return child.wait(_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                if requests.signum is not None and not told:
                    child.send_signal(requests.signum)
                    told = True
            except Stopped as again:  # a second signal: the child ends at once as well
                child.send_signal(again.signum)

    def _seen(self, member: Fold, *, stopped: bool = False) -> Fold:
        """What a member's run says about itself; a member without a run was refused, or not begun."""
        run = self._run_of(member)
        if run is None:
            refused = member.exit_code not in {None, 0} and not stopped
            problem = f"ended with exit code {member.exit_code} before a run was made" if refused else ""
            return member.model_copy(update={"state": "failed" if refused else "pending", "problem": problem})
        state, _, result, problems = run.read()
        error = result.error if result else None
        what = error.message if error else "; ".join(problems)
        if not what and state == "interrupted":
            what = "ended without a word: killed, or the power failed"
        return member.model_copy(
            update={
                "run_id": run.id,
                "state": state,
                "exit_code": result.exit_code if result else member.exit_code,
                "seconds": seconds_of(run),
                "metrics": dict(result.metrics) if result else {},
                "problem": " ".join(what.split()),
            }
        )

    def _run_of(self, member: Fold) -> RunDir | None:
        """The run that this member's start made; None where there is none that says so."""
        for path in run_paths(self._runs):
            match = RUN_ID.fullmatch(path.name)
            # There may be many runs: each that can be of this cross-validation is read once.
            if path in self._member_of or match is None or match["name"] != self.record.name:
                continue
            manifest = RunDir(path).read().manifest
            if manifest is not None:
                ours = manifest.origin.parent == self.record.id
                self._member_of[path] = (manifest.dataset.fold, manifest.seed) if ours else None
        of_it = (member.fold, member.seed)
        found = [path for path, whose in self._member_of.items() if whose == of_it and path.is_dir()]
        return RunDir(found[-1]) if found else None

    def _stop_if_asked(self, requests: StopRequests) -> None:
        if requests.signum is None:
            return
        left, hint = len(self.record.unfinished), resume_command(self.record.id)
        what = f"{left} of {len(self.record.members)} trainings to go"
        raise Stopped(requests.signum, what, hint)

    def _note(self, member: Fold) -> None:
        self._write(self.record.with_member(member))

    def _write(self, record: CrossValidation) -> None:
        self.record = record
        record.write(self._place.record)


def words_of(record: CrossValidation, member: Fold) -> list[str]:
    """The overrides of a member's training."""
    return [*record.overrides, "data.split=kfold", f"data.fold={member.fold}", f"seed={member.seed}"]


def resume_command(parent: str) -> str:
    """What goes on with a cross-validation."""
    return f"scripts/inv cross-validate --resume {parent}"
