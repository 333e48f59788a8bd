"""What a network tells of itself when it is shown a picture."""

import torch
from torch import Tensor, nn

from ctexp.core.errors import UsageError


def answer(model: nn.Module, name: str, images: Tensor) -> Tensor:
    """What a network makes of images (B, C, H, W) in evaluation mode; its own mode stays as it was.

    Raises:
        UsageError: it cannot take images of this size; `name` is what it is called there.
    """
    training = model.training
    try:
        with torch.no_grad():
            found: Tensor = model.eval()(images)
    except (RuntimeError, ValueError, AssertionError) as error:
        raise UsageError(
            f"model.name={name}: cannot take images of {images.shape[-1]} pixels"
            f" ({str(error).splitlines()[0]})",
            "try a larger data.image_size",
        ) from error
    finally:
        model.train(training)
    return found
