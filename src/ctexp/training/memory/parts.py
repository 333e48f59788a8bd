"""A training that runs out of memory and, where it is allowed to, goes on in smaller parts.

An optimizer step computes its images in `Classifier.pieces` parts. With twice as many it takes about half the
memory and learns from the same images, so that a run can go on from its newest checkpoint: exactly as a run
would that had been configured with so many parts and was resumed there.
"""

import copy
import gc
import math
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from pytorch_lightning.callbacks import Callback
from torch.nn.modules.batchnorm import _BatchNorm

from ctexp.core.errors import MemoryExhausted
from ctexp.data.batches import EvalBatches, TrainBatches
from ctexp.record.history import History
from ctexp.record.result import PARTS_A_STEP, Deviation
from ctexp.training.kernel.budget import TimeBudget
from ctexp.training.kernel.checkpoints import newest
from ctexp.training.kernel.fit import fit
from ctexp.training.kernel.module import Classifier
from ctexp.training.kernel.recipe import images_a_step
from ctexp.training.kernel.stopping import StopRequests
from ctexp.training.memory.exhaustion import answering_exhausted, exhausted, hint
from ctexp.training.memory.measured import MemoryModel, free_bytes, measure_memory, trial_batch
from ctexp.training.ranks import NO_OTHERS, Others, helped


@dataclass
class FitInParts:
    """`fit`, tried again with smaller parts as `trainer.on_oom` says.

    Attributes:
        module: what is trained; another one with the same first weights after each departure.
        images: in the training split.
        checkpoints: the folder of the run's checkpoints.
        watchers: made anew for each try, when history ends where the try begins.
        depart: told about each departure before training goes on.
        note: where the traceback of an error goes that is not the end.
        others: the devices besides.
    """

    module: Classifier
    train: TrainBatches
    val: EvalBatches
    images: int
    checkpoints: Path
    device: torch.device
    requests: StopRequests
    budget: TimeBudget
    history: History
    watchers: Callable[[], Sequence[Callback]]
    depart: Callable[[Deviation], None]
    note: Callable[[str], None]
    others: Others = NO_OTHERS

    def __call__(self, resume: Path | None) -> None:
        """Train to the end.

        Args:
            resume: the checkpoint to go on from; None starts anew.

        Raises:
            MemoryExhausted: it may not or cannot take smaller parts; the hint says what would fit.
            CtexpError: as for `fit`.
        """
        retry = self.module.settings.trainer.on_oom == "retry"
        untouched = copy.deepcopy(self.module) if retry else None
        beginning = copy.deepcopy(self.train.state_dict())
        while (problem := self._try(resume)) is not None:
            gc.collect()
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            before, most = self.module.pieces, self._most_parts()
            if untouched is None or before >= most:
                raise MemoryExhausted(problem, self._hint())
            self.module = copy.deepcopy(untouched)
            self.module.pieces = min(2 * before, most)
            self.train.load_state_dict(beginning)
            found = newest(self.checkpoints)
            self.history.truncate_after(found.epoch if found else -1)
            resume = found.path if found else None
            self.depart(
                Deviation(
                    what=PARTS_A_STEP,
                    before=before,
                    after=self.module.pieces,
                    step=found.step if found else 0,
                    reason=problem,
                )
            )

    def _try(self, resume: Path | None) -> str | None:
        """Train; what ran out of memory when, or None at the end of the training.

        The error is gone when this returns, and with it the tensors of the step that it broke off.
        """
        try:
            with helped(self.others, self.device, self.module, self.checkpoints, resume) as team:
                fit(
                    self.module,
                    self.train,
                    self.val,
                    checkpoints=self.checkpoints,
                    device=self.device,
                    requests=self.requests,
                    budget=self.budget,
                    watchers=self.watchers(),
                    resume=resume,
                    team=team,
                )
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if (where := exhausted(error)) is None:
                raise
            if not self.module.training:
                raise answering_exhausted(where, self.module.settings) from error
            self.note("".join(traceback.format_exception(error)))
            step, size = self.module.global_step, self._at_a_time()
            return f"{where} ran out of memory in step {step} with {size} images at a time"
        return None

    def _a_step(self) -> int:
        """The most images that a step of this training learns from."""
        return min(images_a_step(self.module.settings), self.images)

    def _most_parts(self) -> int:
        """One for each image; for each two of the smallest step where they are normalised by each other.

        Several devices have one image each.
        """
        least = max(self._devices, 2 if normalises_batches(self.module) else 1)
        if least == 1:
            return self._a_step()
        steps = math.ceil(self.images / self._a_step())
        return max(1, self.images // steps // least)

    def _at_a_time(self) -> int:
        """The most images that are computed at a time, by all devices together."""
        return math.ceil(self._a_step() / self.module.pieces)

    @property
    def _devices(self) -> int:
        return 1 + len(self.others.devices)

    def _hint(self) -> str:
        """What would fit, measured now that the memory is free again."""
        self.module.cpu()
        free = free_bytes(self.device)
        least = max(self._devices, 2 if normalises_batches(self.module) else 1)
        return hint(self._a_step(), self._at_a_time(), self._measured(), free, least=least)

    def _measured(self) -> MemoryModel | None:
        for images in (4, 2):
            try:
                found = measure_memory(self.module, trial_batch(self.val, images), self.device)
                # Of the images that are computed at a time, each device has its share.
                return found._replace(bytes_per_image=math.ceil(found.bytes_per_image / self._devices))
            except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
                if exhausted(error) is None:
                    raise
        return None


def normalises_batches(module: Classifier) -> bool:
    """Whether the network's statistics are those of the images that are computed at a time."""
    return any(isinstance(layer, _BatchNorm) for layer in module.model.modules())
