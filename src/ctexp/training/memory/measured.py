"""What a step of training takes in memory, measured."""

import copy
import itertools
import math
from typing import NamedTuple, Self

import psutil
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.optim import Optimizer

from ctexp.data.batches import Batch, EvalBatches
from ctexp.training.kernel.device import autocast
from ctexp.training.kernel.finetune import AFTER_ALL_STEPS
from ctexp.training.kernel.module import Classifier


class MemoryModel(NamedTuple):
    """The memory that a step of training takes, as a line through two measurements.

    Attributes:
        fixed_bytes: whatever the number of images: weights, gradients, what the optimizer keeps, averages.
        bytes_per_image: for each of the images that are computed at a time.
    """

    fixed_bytes: int
    bytes_per_image: int

    @classmethod
    def through(cls, fewer: tuple[int, int], more: tuple[int, int]) -> Self:
        """The line through two pairs of (images, bytes)."""
        per_image = math.ceil(max(0, more[1] - fewer[1]) / (more[0] - fewer[0]))
        return cls(max(0, more[1] - per_image * more[0]), per_image)

    def needed(self, images: int) -> int:
        """Bytes for so many images at a time."""
        return self.fixed_bytes + images * self.bytes_per_image

    def largest(self, free_bytes: int) -> int:
        """The most images at a time that fit into so much; 0 where not even one does."""
        return max(0, (free_bytes - self.fixed_bytes) // max(1, self.bytes_per_image))


def measure_memory(module: Classifier, batch: Batch, device: torch.device) -> MemoryModel:
    """Learn from half of a batch and from all of it, on a copy of the module, and see what that takes.

    On a GPU that is the peak of its allocator. Elsewhere the tensors are counted that a step keeps for its
    backward pass, beside weights, gradients and the optimizer's state; what an operation takes for its own
    duration is not in that.

    Args:
        module: what is trained; it stays as it is.
        batch: at least two images, better four: batch normalisation learns nothing from one.
        device: where to measure.

    Raises:
        OutOfMemoryError: of torch, where not even so many images fit.
    """
    measure = _peak if device.type == "cuda" else _counted
    if device.type == "cuda":
        torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated(device) if device.type == "cuda" else 0
    probe = copy.deepcopy(module).train().to(device)
    probe.finetuning.apply(AFTER_ALL_STEPS)
    optimizer = probe.configure_optimizers()
    parts = [next(batch.pieces(2)), batch]
    # The first step makes the gradients, which stay, and the optimizer's state.
    measure(probe, optimizer, parts[0], device)
    fewer, more = ((len(part.labels), measure(probe, optimizer, part, device) - before) for part in parts)
    del probe, optimizer
    if device.type == "cuda":
        torch.cuda.empty_cache()
    return MemoryModel.through(fewer, more)


def _peak(probe: Classifier, optimizer: Optimizer, batch: Batch, device: torch.device) -> int:
    """The most that the GPU's allocator had given out during a step."""
    torch.cuda.reset_peak_memory_stats(device)
    _learn(probe, optimizer, batch, device)
    return torch.cuda.max_memory_allocated(device)


def _counted(probe: Classifier, optimizer: Optimizer, batch: Batch, device: torch.device) -> int:
    """The bytes of what is alive when the backward pass of a step begins."""
    kept: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        _learn(probe, optimizer, batch, device)
    weights = list(itertools.chain(probe.parameters(), probe.buffers()))
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    states = [value for state in optimizer.state.values() for value in state.values()]
    for tensor in (*weights, *gradients, *filter(torch.is_tensor, states)):
        keep(tensor)
    return sum(storage.nbytes() for storage in kept.values())


def _learn(probe: Classifier, optimizer: Optimizer, batch: Batch, device: torch.device) -> None:
    """A step as training does it; what it learns is thrown away."""
    with autocast(probe.settings.trainer.precision, device):
        features = None if batch.features is None else batch.features.to(device)
        labels = batch.labels.to(device)
        mix = None if batch.mix is None else type(batch.mix)(*(of.to(device) for of in batch.mix))
        images = batch.images.to(device)
        losses = probe.losses(probe(images, features), Batch(images, labels, features, mix))
    torch.autograd.backward(losses.sum())
    optimizer.step()


def trial_batch(batches: EvalBatches, images: int) -> Batch:
    """So many real images; where a batch has fewer, some come twice."""
    first = next(iter(batches))
    chosen = torch.arange(images) % len(first.labels)
    features = None if first.features is None else first.features[chosen]
    return Batch(first.images[chosen], first.labels[chosen], features)


def free_bytes(device: torch.device) -> int:
    """What a training may take: of the GPU's memory, once nothing is cached, or of the machine's."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        return torch.cuda.mem_get_info(device)[0]
    return int(psutil.virtual_memory().available)
