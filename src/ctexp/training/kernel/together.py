"""Batch normalisation over the images of all processes that compute a step together.

torch has the same for GPUs alone (`SyncBatchNorm`), and a layer of another class for it, which leaves out the
activation that timm's own layers carry. Here a layer stays what it is and is computed otherwise for a while.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import torch
import torch.distributed as dist
from timm.layers.norm_act import BatchNormAct2d
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from ctexp.core.errors import UsageError
from ctexp.training.kernel.team import Team

_KNOWN = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, BatchNormAct2d)


@contextmanager
def normalised_together(network: nn.Module, team: Team) -> Iterator[None]:
    """Let a network's batch normalisations learn from the images of all processes of a team.

    Raises:
        UsageError: the network has one of a kind that is not known here.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, _BatchNorm)] if team.size > 1 else []
    for layer in layers:
        if type(layer) not in _KNOWN:
            raise UsageError(
                f"trainer.devices={team.size}: {type(layer).__name__} is not known on several devices",
                "use trainer.devices=1",
            )
        layer.forward = partial(_forward, layer, team)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


def _forward(layer: _BatchNorm, team: Team, inputs: Tensor) -> Tensor:
    """What the layer gives; in training by the statistics of all processes."""
    if not layer.training:
        return type(layer).forward(layer, inputs)
    outputs, mean, variance, count = _Normalise.apply(inputs, layer.weight, layer.bias, layer.eps, team)
    if layer.track_running_stats:
        _remember(layer, mean, variance * count / (count - 1))
    if isinstance(layer, BatchNormAct2d):
        outputs = layer.act(layer.drop(outputs))
    return cast(Tensor, outputs)


@torch.no_grad()
def _remember(layer: _BatchNorm, mean: Tensor, variance: Tensor) -> None:
    """Take the statistics of a step into those that are used after training, as torch does."""
    assert layer.num_batches_tracked is not None  # noqa: S101 - for the type checker
    assert layer.running_mean is not None  # noqa: S101 - likewise
    assert layer.running_var is not None  # noqa: S101 - likewise
    layer.num_batches_tracked.add_(1)
    momentum = layer.momentum
    if momentum is None:  # the plain mean of all steps
        momentum = 1 / int(layer.num_batches_tracked)
    layer.running_mean.lerp_(mean.to(layer.running_mean), momentum)
    layer.running_var.lerp_(variance.to(layer.running_var), momentum)


class _Normalise(torch.autograd.Function):
    """(x - mean) / sqrt(variance + eps) * weight + bias, each channel over the images of all processes."""

    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float, team: Team
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        channels = inputs.shape[1]
        own_variance, own_mean = torch.var_mean(_exact(inputs), _all_but_channels(inputs), correction=0)
        own_count = own_mean.new_tensor([inputs.numel() // channels])
        rows = own_mean.new_zeros((team.size, 1 + 2 * channels))
        rows[team.rank] = torch.cat([own_count, own_mean, own_variance])
        dist.all_reduce(rows)
        counts, means, variances = torch.split_with_sizes(rows, [1, channels, channels], dim=1)
        total = counts.sum()
        mean = (counts * means).sum(dim=0) / total
        # Chan, Golub and LeVeque (1979): no difference of large numbers.
        variance = (counts * (variances + (means - mean).square())).sum(dim=0) / total
        ctx.save_for_backward(inputs, weight, mean, (variance + eps).rsqrt(), total)
        ctx.mark_non_differentiable(mean, variance, total)
        outputs = functional.batch_norm(inputs, mean, variance, weight, bias, eps=eps)
        return outputs, mean, variance, total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        inputs, weight, mean, scale, total = ctx.saved_tensors
        axes = _all_but_channels(inputs)
        shape = [1, -1, *[1] * (inputs.dim() - 2)]
        wide, centred = _exact(gradient), _exact(inputs) - mean.view(shape)
        sums = torch.stack([wide.sum(axes), (wide * centred).sum(axes)])
        of_bias, of_weight = sums[0].clone(), sums[1] * scale
        dist.all_reduce(sums)
        straight, along = sums / total
        of_inputs = wide - straight.view(shape) - centred * (along * scale.square()).view(shape)
        of_inputs *= (scale if weight is None else scale * weight).view(shape)
        learns = weight is not None
        return (
            of_inputs.to(inputs.dtype),
            of_weight.to(weight.dtype) if learns else None,
            of_bias.to(weight.dtype) if learns else None,
            None,
            None,
        )


def _exact(numbers: Tensor) -> Tensor:
    """In 32 bits at least: sums of many in 16 are none."""
    return numbers.to(torch.promote_types(numbers.dtype, torch.float32))


def _all_but_channels(inputs: Tensor) -> list[int]:
    return [axis for axis in range(inputs.dim()) if axis != 1]
