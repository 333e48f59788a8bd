"""Arrays on their way to a device."""

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor


def sent(array: NDArray[Any], device: torch.device) -> Tensor:
    """A copy of an array on a device; nobody waits for what a GPU has still to compute.

    From ordinary memory a copy to a GPU is waited for, and with it all that the GPU was given before.
    """
    tensor = torch.tensor(array)
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)
