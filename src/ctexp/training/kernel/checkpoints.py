"""Checkpoints that are whole or absent: `best.ckpt` (weights), `last.ckpt` and the one before (everything).

The framework's own writer puts its temporary file in `$TMPDIR` and moves it over, which on another filesystem
is a copy: a full disk then destroys the good checkpoint of the epoch before. Here the temporary file is a
sibling, synced, hashed and renamed.
"""

from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.io.checkpoint_io import CheckpointIO
from pytorch_lightning.callbacks import Checkpoint
from torch import Tensor

from ctexp.core import files, screen
from ctexp.core.errors import DataError, Diverged, StorageError
from ctexp.record.checkpoint_files import BEFORE_LAST, BEST, LAST, SUMS, listed, read_sums, write_sums
from ctexp.record.pruned import refuse_pruned
from ctexp.training.kernel.budget import TimeBudget
from ctexp.training.kernel.module import Classifier
from ctexp.training.kernel.space import check_before_writing
from ctexp.training.kernel.stopping import StopRequests

_FINITE_CHECK_STEPS = 25
"""Reading a GPU's losses waits for the GPU, so they are read this often, and before every checkpoint."""

_INSTEAD = "name another run, or train this one again"


class DurableCheckpoints(CheckpointIO):
    """Writes checkpoints atomically, with their hashes, keeping the `last` before the newest."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write `checkpoint` to `path`; afterwards it is there and whole, or `StorageError` was raised."""
        del storage_options
        path = Path(path)
        check_before_writing(path, checkpoint)
        before = read_sums(path.parent)
        after = dict(before)
        with files.replacing(path) as temporary:
            try:
                torch.save(checkpoint, temporary)
            except RuntimeError as error:
                # The archive writer reports a full disk as a RuntimeError of its own.
                raise StorageError(
                    f"{path.parent}: cannot write {path.name} ({str(error).splitlines()[0]})",
                    "free some space there, then resume",
                ) from error
            after[path.name] = files.sha256_file(temporary)
            keep = path.name == LAST and path.exists()
            if keep and LAST in before:
                after[BEFORE_LAST] = before[LAST]
            write_sums(path.parent, before, after)
            if keep:
                path.replace(path.with_name(BEFORE_LAST))
        write_sums(path.parent, after)
        if not path.is_file():
            raise StorageError(f"{path}: vanished after it was written", "check the filesystem")

    def load_checkpoint(
        self,
        path: str | Path,
        map_location: Any | None = None,
        weights_only: bool | None = None,
    ) -> dict[str, Any]:
        """Read a checkpoint; nothing in it is ever executed."""
        del map_location, weights_only
        return load(Path(path))

    def remove_checkpoint(self, path: str | Path) -> None:
        """Delete a checkpoint."""
        Path(path).unlink(missing_ok=True)


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint to the CPU after checking its hash.

    Raises:
        DataError: it is missing, damaged, no checkpoint, or holds anything but tensors and plain values.
    """
    refuse_pruned(path)
    if not path.is_file():
        raise DataError(f"{path}: no such checkpoint", _INSTEAD)
    if files.sha256_file(path) not in {digest for digest, _ in listed(path.parent)}:
        raise DataError(f"{path}: does not match its sha256 in {SUMS}: damaged or replaced", _INSTEAD)
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:  # says nothing of the file, which a run would begin anew for
        raise
    except Exception as error:  # there is hardly one that an unpickler does not raise at foreign bytes
        raise DataError(f"{path}: cannot be read ({type(error).__name__})", _INSTEAD) from error
    if not isinstance(checkpoint, dict):
        raise DataError(f"{path}: is no checkpoint", _INSTEAD)
    return checkpoint


def load_weights(path: Path) -> dict[str, Tensor]:
    """The weights of a checkpoint, by the names that `network.put` takes.

    Raises:
        DataError: as for `load`, or it has none.
    """
    weights = load(path).get("state_dict")
    if not isinstance(weights, dict) or not all(isinstance(value, Tensor) for value in weights.values()):
        raise DataError(f"{path}: holds no weights", _INSTEAD)
    return weights


class Resumable(NamedTuple):
    """A whole checkpoint: its file, and the epochs and optimizer steps it holds."""

    path: Path
    epoch: int
    step: int


def newest(folder: Path) -> Resumable | None:
    """The checkpoint to resume from: `last`, else the one before; None where none was ever written.

    Raises:
        DataError: there are some, and all of them are damaged; they were pruned;
            or the best weights they speak of are gone.
    """
    paths = [folder / name for name in (LAST, BEFORE_LAST) if (folder / name).exists()]
    if not paths:
        refuse_pruned(folder / LAST)
    problems: list[str] = []
    for path in paths:
        try:
            checkpoint = load(path)
            best = checkpoint["callbacks"][BestCheckpoint.__qualname__]["best_epoch"]
            progress = checkpoint["loops"]["fit_loop"]["epoch_progress"]["current"]
            found = Resumable(path, progress["processed"], checkpoint["global_step"])
        except DataError as error:
            problems += error.problems
            continue
        except (LookupError, TypeError):  # of another program, or of an old version
            problems.append(f"{path}: is no checkpoint of a training")
            continue
        for problem in problems:
            screen.warn(f"{problem}; the one before is used")
        if best is not None:
            load(folder / BEST)
        return found
    if problems:
        raise DataError(problems, "no checkpoint is whole: train anew")
    return None


class BestCheckpoint(Checkpoint):
    """Keeps the weights of the best epoch, and ends a training that stopped improving.

    Args:
        folder: where `best.ckpt` goes.
        higher_is_better: the direction of the monitored metric.
        patience: epochs without improvement after which training ends; None never ends it.
        min_delta: what counts as an improvement for `patience`.
    """

    def __init__(
        self, folder: Path, *, higher_is_better: bool, patience: int | None, min_delta: float
    ) -> None:
        self._path = folder / BEST
        self._sign = 1.0 if higher_is_better else -1.0
        self._patience = patience
        self._min_delta = min_delta
        self.best: float | None = None
        self.best_epoch: int | None = None
        self._reference: float | None = None
        self._stale = 0

    @property
    def exhausted(self) -> bool:
        """Whether patience is used up."""
        return self._patience is not None and self._stale >= self._patience

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """A training that had ended before it was resumed has nothing left to do."""
        del pl_module
        trainer.should_stop = trainer.should_stop or self.exhausted

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Compare the epoch with the best so far."""
        assert isinstance(pl_module, Classifier)  # noqa: S101 - for the type checker
        value = pl_module.monitored()
        if self.best is None or self._sign * (value - self.best) > 0:
            self.best, self.best_epoch = value, trainer.current_epoch
            DurableCheckpoints().save_checkpoint(
                {"state_dict": pl_module.answering_weights(), "epoch": trainer.current_epoch + 1}, self._path
            )
        if self._reference is None or self._sign * (value - self._reference) > self._min_delta:
            self._reference, self._stale = value, 0
        else:
            self._stale += 1
        trainer.should_stop = trainer.should_stop or self.exhausted

    def state_dict(self) -> dict[str, Any]:
        """What a resumed training must remember."""
        return {
            "best": self.best,
            "best_epoch": self.best_epoch,
            "reference": self._reference,
            "stale": self._stale,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Remember it."""
        self.best = state_dict["best"]
        self.best_epoch = state_dict["best_epoch"]
        self._reference = state_dict["reference"]
        self._stale = state_dict["stale"]


class LastCheckpoint(Checkpoint):
    """Keeps everything needed to go on, at the end of every epoch and where a stop was asked for.

    A stop in the middle of an epoch is honoured at the boundary of an optimizer step. After the last step of
    an epoch its validation comes first: a checkpoint between the two would resume without it.
    """

    def __init__(self, folder: Path, requests: StopRequests, budget: TimeBudget) -> None:
        self._path = folder / LAST
        self._requests = requests
        self._budget = budget

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take SIGTERM back from Lightning, whose own answer to it breaks off a validation."""
        del trainer, pl_module
        self._requests.take_over()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Look whether the loss is finite, and whether somebody wants us to stop or time is over."""
        del outputs, batch
        assert isinstance(pl_module, Classifier)  # noqa: S101 - for the type checker
        if pl_module.device.type == "cpu":
            pl_module.sums.check_last()
        elif (batch_idx + 1) % _FINITE_CHECK_STEPS == 0:
            pl_module.sums.settle()
        if (self._requests.signum is not None or self._budget.used) and not trainer.is_last_batch:
            self._save(trainer, pl_module)
            self._requests.check()
            self._budget.check()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save the epoch; then stop, if that was asked for, or time is over and it was not the last epoch."""
        assert isinstance(pl_module, Classifier)  # noqa: S101 - for the type checker
        self._save(trainer, pl_module)
        self._requests.check()
        if not trainer.should_stop and trainer.current_epoch + 1 != trainer.max_epochs:
            self._budget.check()

    def _save(self, trainer: pl.Trainer, module: Classifier) -> None:
        """Write `last.ckpt`, unless its weights are poisoned: the good one of before stays then."""
        module.sums.settle()
        if not all(bool(torch.isfinite(p).all()) for p in module.parameters()):
            raise Diverged(f"a parameter is not finite at step {trainer.global_step}")
        trainer.save_checkpoint(self._path, weights_only=False)
