"""The learning rate as a function of the step.

Frameworks step a schedule object at moments of their own choosing (a plateau schedule after the checkpoint of
its epoch was written, for one), and a resumed run drifts. Here the factor of a step is computed, not stepped;
only the plateau schedule remembers anything, and what it remembers is in every checkpoint.
"""

import math

from ctexp.config.schema.learning import (
    AveragingSettings,
    CosineSettings,
    OneCycleSettings,
    PlateauSettings,
    SchedulerSettings,
    StepSettings,
    SwaSettings,
)


class Schedule:
    """The factor by which the base learning rate is multiplied at each step.

    Args:
        settings: one of the scheduler groups.
        steps_per_epoch: optimizer steps in an epoch.
        max_epochs: epochs after which cosine has reached its end.
        higher_is_better: the direction of the monitored metric, for plateau.
        averaging: stochastic weight averaging holds the rate constant from its first epoch on.
    """

    def __init__(
        self,
        settings: SchedulerSettings,
        steps_per_epoch: int,
        max_epochs: int,
        *,
        higher_is_better: bool,
        averaging: AveragingSettings | None = None,
    ) -> None:
        self._settings = settings
        self._steps_per_epoch = steps_per_epoch
        warmup_epochs = 0.0 if isinstance(settings, OneCycleSettings) else settings.warmup_epochs
        self._warmup = round(warmup_epochs * steps_per_epoch)
        self._total = max_epochs * steps_per_epoch
        self._constant: tuple[int, float] | None = None
        if isinstance(averaging, SwaSettings):
            self._constant = averaging.first_epoch(max_epochs) * steps_per_epoch, averaging.lr_ratio
        self._sign = 1.0 if higher_is_better else -1.0
        self._reductions = 0
        self._best = -math.inf
        self._stale = 0

    def factor(self, step: int) -> float:
        """The factor of optimizer step `step`, counted from 0.

        Warm-up is linear from 1/W to 1 over W steps (Goyal et al. 2017); cosine follows Loshchilov and Hutter
        (2017) without restarts, over the steps that are left after the warm-up; one cycle follows Smith and
        Topin (2018), with half a cosine up and half a one down, as torch's `OneCycleLR` does. Stochastic
        weight averaging replaces all of them by one rate (Izmailov et al. 2018).
        """
        if self._constant is not None and step >= self._constant[0]:
            return self._constant[1]
        if step < self._warmup:
            return (step + 1) / self._warmup
        settings = self._settings
        if isinstance(settings, OneCycleSettings):
            return self._one_cycle(settings, step)
        if isinstance(settings, CosineSettings):
            progress = (step - self._warmup) / max(1, self._total - self._warmup)
            return _cosine(1.0, settings.min_lr_ratio, progress)
        if isinstance(settings, StepSettings):
            return settings.gamma ** (step // (settings.step_epochs * self._steps_per_epoch))
        if isinstance(settings, PlateauSettings):
            return settings.factor**self._reductions
        return 1.0

    def _one_cycle(self, settings: OneCycleSettings, step: int) -> float:
        top = (
            settings.rise * self._total - 1
        )  # in so short a training that it lies before the first step, all is descent
        if step < top:
            return _cosine(settings.start_ratio, 1.0, step / top)
        return _cosine(1.0, settings.end_ratio, (step - top) / (self._total - 1 - top))

    def end_epoch(self, monitored: float) -> None:
        """Tell a plateau schedule the monitored metric of an epoch; the others do not listen."""
        if not isinstance(self._settings, PlateauSettings):
            return
        value = self._sign * monitored
        if value > self._best:
            self._best, self._stale = value, 0
            return
        self._stale += 1
        if self._stale > self._settings.patience:
            self._reductions += 1
            self._stale = 0

    def state_dict(self) -> dict[str, float]:
        """What a checkpoint has to keep."""
        return {"reductions": self._reductions, "best": self._best, "stale": self._stale}

    def load_state_dict(self, state: dict[str, float]) -> None:
        """Continue where a checkpoint was."""
        self._reductions = int(state["reductions"])
        self._best = state["best"]
        self._stale = int(state["stale"])


def _cosine(first: float, last: float, progress: float) -> float:
    """From `first` to `last` along half a cosine; `progress` beyond 1 stays at the end."""
    return last + (first - last) * (1 + math.cos(math.pi * min(1.0, progress))) / 2
