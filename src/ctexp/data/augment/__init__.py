"""Augmentation: random changes to training images, drawn once and carried out where the images are.

`drawing.py` turns amounts into plans (`plan.py`), as functions of (seed, epoch, index). Two appliers carry a
plan out, OpenCV on processors (`on_host.py`) and torch on GPUs (`on_device.py`), and agree within one grey
level: where a run computes does not decide what it is shown.
"""

from ctexp.data.augment.drawing import Amounts, Augmentation
from ctexp.data.augment.plan import Plan

__all__ = ["Amounts", "Augmentation", "Plan"]
