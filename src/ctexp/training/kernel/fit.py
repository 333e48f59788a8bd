"""The fit, in one screen."""

import logging
import signal
import warnings
from collections.abc import Sequence
from pathlib import Path

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.utilities.exceptions import SIGTERMException

from ctexp.config.schema import Settings
from ctexp.core.errors import Diverged, Stopped
from ctexp.core.metric_names import higher_is_better
from ctexp.data.batches import EvalBatches, TrainBatches
from ctexp.training.kernel.budget import TimeBudget
from ctexp.training.kernel.checkpoints import BestCheckpoint, DurableCheckpoints, LastCheckpoint
from ctexp.training.kernel.compiling import compile_network
from ctexp.training.kernel.device import precision
from ctexp.training.kernel.module import Classifier
from ctexp.training.kernel.stopping import StopRequests
from ctexp.training.kernel.team import ALONE, Team
from ctexp.training.kernel.together import normalised_together


def fit(
    module: Classifier,
    train: TrainBatches,
    val: EvalBatches,
    *,
    checkpoints: Path,
    device: torch.device,
    requests: StopRequests,
    watchers: Sequence[Callback],
    resume: Path | None,
    budget: TimeBudget | None = None,
    team: Team = ALONE,
) -> None:
    """Train until the epochs, the patience or somebody's patience is over.

    Args:
        module: what to train, and its settings.
        train: training batches; they know how to start in the middle of an epoch.
        val: validation batches.
        checkpoints: the folder for `best.ckpt` and `last.ckpt`.
        device: where to train.
        requests: signals that ask for a stop.
        watchers: told about every epoch before its checkpoints are written, in this order.
        resume: the checkpoint to go on from; None starts anew.
        budget: the time there is; None for as long as it takes.
        team: which of several processes this is, that are joined and each call this; only the one that leads
            is watched, stopped, and writes checkpoints.

    Raises:
        Stopped: a signal was honoured; `last.ckpt` holds everything up to its step.
        TimeBudgetUsed: the time is over; likewise.
        Diverged: loss, logits or weights are not finite.
        StorageError: a checkpoint could not be written.
    """
    # Its reports on the devices it looked for would be half of a run's log.
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    settings = module.settings
    early = settings.trainer.early_stopping
    best = BestCheckpoint(
        checkpoints,
        higher_is_better=higher_is_better(settings.trainer.monitor),
        patience=early.patience if early else None,
        min_delta=early.min_delta if early else 0.0,
    )
    keeping = [best, LastCheckpoint(checkpoints, requests, budget or TimeBudget(None))]
    trainer = pl.Trainer(
        accelerator=device.type,
        devices=1 if device.index is None else [device.index],
        precision=precision(settings.trainer.precision, device),
        max_epochs=settings.trainer.max_epochs,
        callbacks=[*watchers, *(keeping if team.leads else ())],
        # One process, in a job of SLURM too, where Lightning would see a part of many and take its signals.
        plugins=[DurableCheckpoints(), LightningEnvironment()],
        default_root_dir=checkpoints.parent,
        logger=False,
        enable_checkpointing=team.leads,
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    if settings.trainer.compile:
        compile_network(module.model)
    # Lightning 2.6 asks torch 2.15 a question in a form that torch no longer likes.
    warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
    # And it looks for SLURM all the same.
    warnings.filterwarnings("ignore", message="The `srun` command is available")
    module.team = team
    train.divide(team.share(module.pieces))
    try:
        with normalised_together(module, team):
            trainer.fit(module, train, val, ckpt_path=resume, weights_only=True)
    except SIGTERMException as error:
        # It came in the instant between Lightning's taking the signal and our taking it back.
        raise Stopped(signal.SIGTERM) from error
    except Diverged as error:
        raise Diverged(error.problems, _steadier(settings, device)) from error


def _steadier(settings: Settings, device: torch.device) -> str:
    """What may keep a training finite, as far as it is not so already."""
    clip = "lower" if settings.trainer.gradient_clip else "set"
    ways = ["lower optimizer.lr", f"{clip} trainer.gradient_clip"]
    if precision(settings.trainer.precision, device) != "32-true":
        ways.append("use trainer.precision=32")
    return ", or ".join(ways)
