"""The mean of the weights over the steps of training, in place of the last ones."""

from torch import nn


class Average(nn.Module):
    """Averaged weights. All it holds is in its state, for an exact resume."""

    def network(self, model: nn.Module) -> nn.Module:
        """What answers: the averaged network once there is one, else `model`, the one being trained."""
        raise NotImplementedError

    def after_step(self, model: nn.Module, step: int) -> None:
        """Take the weights that optimizer step `step`, counted from 0, has made; waits for no device."""

    def after_epoch(self, model: nn.Module, epoch: int) -> None:
        """Take the weights of the end of epoch `epoch`, counted from 0, before its validation."""
