"""The mean of the weights over the steps of training, in place of the last ones."""

import copy
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ctexp.config.schema import Settings
from ctexp.config.schema.learning import EmaSettings, SwaSettings

Inputs = tuple[Tensor, ...]
"""What a network is called with."""


class Average(nn.Module):
    """A second network, whose weights are averages of another's.

    All it holds is in its state, for an exact resume; it is moved and saved with the module that it is part
    of, and is not trained.

    Args:
        model: the network that is trained; its weights at this moment are where the average begins.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.mean = copy.deepcopy(model).requires_grad_(False)

    @property
    def has_begun(self) -> bool:
        """Whether there is an average of anything yet."""
        return True

    def network(self, model: nn.Module) -> nn.Module:
        """What answers: the averaged network once there is one, else `model`, the one being trained."""
        return self.mean if self.has_begun else model

    def after_step(self, model: nn.Module, step: int) -> None:
        """Take the weights that optimizer step `step`, counted from 0, has made; waits for no device."""

    def after_epoch(self, model: nn.Module, epoch: int, shown: Iterable[Inputs]) -> None:
        """Take the weights of the end of epoch `epoch`, counted from 0, before its validation.

        Args:
            model: the network that is trained.
            epoch: which one has ended.
            shown: the training images of the epoch, as the network is called with them; made when asked for.
        """

    def _learned(self, model: nn.Module) -> Iterator[tuple[Tensor, Tensor]]:
        """The parameters of the average, each with the one that is trained."""
        return zip(self.mean.parameters(), model.parameters(), strict=True)

    def _kept(self, model: nn.Module) -> Iterator[tuple[Tensor, Tensor]]:
        """What a network keeps besides, the statistics of batch normalisation above all, likewise."""
        return zip(self.mean.buffers(), model.buffers(), strict=True)


class ExponentialAverage(Average):
    """a <- d a + (1 - d) w after every step, with d the smaller of `decay` and (1 + t) / (10 + t) at step t.

    The second makes the average forget where it began: the first steps are averaged over about the last tenth
    of the steps so far (TensorFlow's `ExponentialMovingAverage` with `num_updates`). Batch normalisation's
    statistics are averaged likewise, so that they are those of about the averaged weights; counts are copied.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        super().__init__(model)
        self._decay = decay

    @torch.no_grad()
    def after_step(self, model: nn.Module, step: int) -> None:
        """As `Average` says."""
        share = 1 - min(self._decay, (1 + step) / (10 + step))
        pairs = [*self._learned(model), *self._kept(model)]
        _approach([pair for pair in pairs if pair[0].is_floating_point()], share)
        _copy(pair for pair in pairs if not pair[0].is_floating_point())


class StochasticAverage(Average):
    """The mean of the weights at the ends of the epochs from `first` on (SWA, Izmailov et al. 2018).

    Mean weights give other activations than any that were seen in training, so batch normalisation's
    statistics are estimated anew from the training images, as `torch.optim.swa_utils.update_bn` does.
    """

    def __init__(self, model: nn.Module, first: int) -> None:
        super().__init__(model)
        self._first = first
        self._epochs = 0

    @property
    def has_begun(self) -> bool:
        """Whether an epoch has been averaged."""
        return self._epochs > 0

    @torch.no_grad()
    def after_epoch(self, model: nn.Module, epoch: int, shown: Iterable[Inputs]) -> None:
        """As `Average` says."""
        if epoch < self._first:
            return
        self._epochs += 1
        _approach(self._learned(model), 1 / self._epochs)
        _copy(self._kept(model))
        estimate_statistics(self.mean, learning_norms(self.mean, model), shown)

    def get_extra_state(self) -> Tensor:
        """How many epochs have been averaged; a number of its own, for reading it waits for no device."""
        return torch.tensor(self._epochs)

    def set_extra_state(self, state: Tensor) -> None:
        """Go on from there."""
        self._epochs = int(state)


def _approach(pairs: Iterable[tuple[Tensor, Tensor]], share: float) -> None:
    """Take the first of each pair so much of the way to the second, in one kernel on a GPU."""
    means, targets = zip(*pairs, strict=True)
    torch._foreach_lerp_(means, targets, share)


def _copy(pairs: Iterable[tuple[Tensor, Tensor]]) -> None:
    """Make the first of each pair what the second is."""
    for mean, now in pairs:
        mean.copy_(now)


def learning_norms(mean: nn.Module, model: nn.Module) -> list[_BatchNorm]:
    """The batch normalisations of `mean` that keep statistics and in `model` are not frozen with theirs."""
    pairs = zip(mean.modules(), model.modules(), strict=True)
    return [
        copied
        for copied, own in pairs
        if isinstance(copied, _BatchNorm)
        and copied.track_running_stats
        and all(parameter.requires_grad for parameter in own.parameters())
    ]


def estimate_statistics(network: nn.Module, norms: list[_BatchNorm], shown: Iterable[Inputs]) -> None:
    """Give batch normalisations the mean statistics of all that is shown; no other layer is in training mode.

    Args:
        network: it has these, and is in evaluation mode.
        norms: whose statistics to replace; where there are none, nothing is shown.
        shown: what to call the network with, in batches of even size.
    """
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean of the batches
        norm.train()
    for inputs in shown:
        network(*inputs)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()


def build_average(settings: Settings, model: nn.Module) -> Average | None:
    """What the configuration asks for; None where the last weights are kept."""
    chosen = settings.averaging
    if isinstance(chosen, EmaSettings):
        return ExponentialAverage(model, chosen.decay)
    if isinstance(chosen, SwaSettings):
        return StochasticAverage(model, chosen.first_epoch(settings.trainer.max_epochs))
    return None
