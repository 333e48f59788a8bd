"""A few steps of a training on a copy of it, to see what the whole will cost; the original is left as it is.

The copy goes through the same loop, with the same batches, and at once with everything learning that will
ever learn. Its random numbers, its position in the epoch and its weights are its own, so a run that was tried
is the run that it would have been without.
"""

import copy
import logging
import signal
import warnings
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.exceptions import SIGTERMException
from pytorch_lightning.utilities.seed import isolate_rng

from ctexp.core.errors import Stopped
from ctexp.data.batches import EvalBatches, TrainBatches
from ctexp.training.cost.stopwatch import STEPS, WARM_UP, Stopwatch, TimedCheckpoint
from ctexp.training.judging.predict import views
from ctexp.training.kernel.compiling import compile_network
from ctexp.training.kernel.device import precision
from ctexp.training.kernel.finetune import AFTER_ALL_STEPS, Finetuning
from ctexp.training.kernel.module import Classifier
from ctexp.training.kernel.stopping import StopRequests
from ctexp.training.memory.measured import free_bytes, measure_memory, trial_batch

_SYNCS_AN_EPOCH = 11
"""Small files and renames that are brought onto the disk: history, hashes twice a checkpoint, folders."""

_DRAWING_SECONDS = 0.8
"""Four figures, and setting up the loop and the log, on a processor of 2023 that has nothing else to do."""

_HELPERS_SECONDS = 8.0
"""For the helpers of a run on several devices to begin, all at once: Python and its libraries."""

_MEASURING_SECONDS = 0.4e-3
"""For each validation image: its part in two thousand resamples of every metric, on the same."""

_OTHER_BYTES = 500_000
"""Of a run directory besides checkpoints: figures, predictions, log."""


@dataclass(frozen=True)
class Trial:
    """What a few steps cost, and what follows for the whole run.

    Attributes:
        steps: how many were timed.
        step_seconds: of one, its batch included.
        start_seconds: what the first steps took beyond that, and what helpers take to begin.
        steps_per_epoch: as the batches say.
        validation_seconds: of one pass over the validation split.
        writing_seconds: of an epoch's checkpoint and rows.
        end_seconds: of the final measurement and the figures.
        memory_bytes: the peak on the GPU, or of the process where there is none.
        disk_bytes: of the run directory in the end.
        largest_micro_batch: the most images at a time that would fit; None where not asked for.
    """

    steps: int
    step_seconds: float
    start_seconds: float
    steps_per_epoch: int
    validation_seconds: float
    writing_seconds: float
    end_seconds: float
    memory_bytes: int
    disk_bytes: int
    largest_micro_batch: int | None = None

    @property
    def fixed_seconds(self) -> float:
        """Once a run."""
        return self.start_seconds + self.end_seconds

    @property
    def epoch_seconds(self) -> float:
        """Once an epoch."""
        return self.steps_per_epoch * self.step_seconds + self.validation_seconds + self.writing_seconds

    @property
    def basis(self) -> str:
        """`measured 10 steps`."""
        return f"measured {self.steps} {'step' if self.steps == 1 else 'steps'}"


def trial(
    module: Classifier,
    train: TrainBatches,
    val: EvalBatches,
    *,
    images: int,
    device: torch.device,
    folder: Path,
    micro_batch: bool = False,
) -> Trial | None:
    """Measure a few steps, a validation batch and a checkpoint, on copies; about as long as `SECONDS`.

    Args:
        module: as it will be trained.
        train: training batches, from whose first ones the steps learn.
        val: validation batches.
        images: how many the validation split has.
        device: where to train.
        folder: a checkpoint is written there under no name, and is gone when it has been timed.
        micro_batch: measure the largest micro-batch too.

    Returns:
        The costs; None where a step fails, which the run itself will meet and record.

    Raises:
        Stopped: a signal asked for an end.
    """
    settings = module.settings
    with isolate_rng(), warnings.catch_warnings(), StopRequests() as requests:
        warnings.simplefilter("ignore")  # the run itself gives them
        watch, saving = Stopwatch(device, requests), TimedCheckpoint(folder)
        try:
            _fit_a_little(module, copy.copy(train), val, watch, saving)
            largest = _largest_micro_batch(module, val, device) if micro_batch else None
        except Stopped:
            raise
        except SIGTERMException as error:  # it came before Lightning's handler was replaced
            raise Stopped(signal.SIGTERM) from error
        except Exception:  # out of memory, not finite, a bug: the run meets it again, and has a record for it
            return None
        finally:
            if device.type == "cuda":
                torch.cuda.empty_cache()
        requests.check()
    each = watch.validation_seconds / watch.validation_images
    looks = sum(1 for _ in views(next(iter(val)).images[:1], settings.inference.tta))
    weights = sum(tensor.nbytes for tensor in module.answering_weights().values())
    step = fmean(watch.timed)
    helpers = _HELPERS_SECONDS if settings.trainer.devices > 1 else 0.0
    first = watch.durations[:WARM_UP]
    return Trial(
        steps=len(watch.timed),
        step_seconds=step,
        start_seconds=helpers + max(0.0, sum(first) - step * len(first)),
        steps_per_epoch=len(train),
        validation_seconds=images * each,
        writing_seconds=saving.seconds + _SYNCS_AN_EPOCH * saving.sync_seconds,
        end_seconds=images * looks * each + watch.crowding * (_DRAWING_SECONDS + images * _MEASURING_SECONDS),
        memory_bytes=watch.memory_bytes,
        disk_bytes=saving.bytes + weights + _OTHER_BYTES,
        largest_micro_batch=largest,
    )


class _AllLearning(Finetuning):
    """As another, at a step when everything learns that ever will: the dearest kind of step."""

    def __init__(self, other: Finetuning) -> None:
        vars(self).update(vars(other))

    def apply(self, step: int) -> None:
        del step
        super().apply(AFTER_ALL_STEPS)


def _fit_a_little(
    module: Classifier, train: TrainBatches, val: EvalBatches, watch: Stopwatch, saving: TimedCheckpoint
) -> None:
    """The loop of `fit`, over the first batches, with a copy of the module."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)  # as `fit` does
    probe = copy.deepcopy(module)
    probe.finetuning = _AllLearning(probe.finetuning)
    if module.settings.trainer.compile:
        compile_network(probe.model)
    pl.Trainer(
        accelerator=watch.device.type,
        devices=1,
        precision=precision(module.settings.trainer.precision, watch.device),
        max_epochs=1,
        limit_train_batches=min(len(train), WARM_UP + STEPS),
        limit_val_batches=1,
        callbacks=[watch],
        plugins=[saving],
        logger=False,
        num_sanity_val_steps=0,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    ).fit(probe, train, val)


def _largest_micro_batch(module: Classifier, val: EvalBatches, device: torch.device) -> int:
    """The most images at a time that would fit into the memory that is free now."""
    images = max(4, min(module.settings.data.batch_size, 32))
    return measure_memory(module, trial_batch(val, images), device).largest(free_bytes(device))
