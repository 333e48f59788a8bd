"""How fast a network answers: many images after one another, and one alone."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from ctexp.data.batches import EvalBatches
from ctexp.training.judging.predict import VIEWS, Tta, views
from ctexp.training.kernel.module import Classifier

_WARM_UP, _FEWEST, _MOST = 3, 5, 50
_SECONDS = 1.0  # single images are answered for about so long


class Pace:
    """Notes when each batch of a prediction was done, and goes on to what else is to be done then."""

    def __init__(self, then: Callable[[], None]) -> None:
        self._then = then
        self._times = [time.perf_counter()]

    def __call__(self) -> None:
        """A batch is done."""
        self._times.append(time.perf_counter())
        self._then()

    def images_per_second(self, batch_size: int, images: int) -> float:
        """Of all batches but the first, which also warms up; of that where it is the only one."""
        if len(self._times) <= 2:
            return images / (self._times[-1] - self._times[0])
        return (images - batch_size) / (self._times[-1] - self._times[1])


def speed(
    module: Classifier,
    batches: EvalBatches,
    device: torch.device,
    tta: Tta,
    pace: Pace,
    between: Callable[[], None],
) -> dict[str, Any]:
    """What was measured while a split was predicted, and the latency of one image.

    Args:
        module: the network, on its device.
        batches: the split's images, at least one.
        device: where it computes.
        tta: the views that an answer is the mean of; they are part of the time.
        pace: of the prediction.
        between: called after every answer; it may raise to stop.

    Returns:
        `images_per_second` from the cache to logits, in batches of `batch_size`; `latency_ms`, the median of
        `latency_answers` single images; the `device` and its `device_name`; and how many `views`.
    """
    first = next(iter(batches))
    image = first.images[:1]
    features = None if first.features is None else first.features[:1].to(device)
    seconds: list[float] = []
    began = time.perf_counter()
    with torch.inference_mode():
        while len(seconds) < _WARM_UP + _FEWEST or (
            len(seconds) < _WARM_UP + _MOST and time.perf_counter() - began < _SECONDS
        ):
            start = time.perf_counter()
            seen = [module(view, features).float() for view in views(image.to(device), tta)]
            torch.stack(seen).mean(dim=0).cpu()  # which waits for the device
            seconds.append(time.perf_counter() - start)
            between()
    answers = seconds[_WARM_UP:]
    batch_size = len(first.labels)
    return {
        "images_per_second": pace.images_per_second(batch_size, batches.images),
        "batch_size": batch_size,
        "latency_ms": 1000 * statistics.median(answers),
        "latency_answers": len(answers),
        "device": device.type,
        "device_name": _name(device),
        "views": VIEWS[tta],
    }


def _name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{threads} {'thread' if threads == 1 else 'threads'}"
