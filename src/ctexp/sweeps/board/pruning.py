"""When a trial that falls behind is ended."""

from optuna.pruners import BasePruner, HyperbandPruner, SuccessiveHalvingPruner

from ctexp.sweeps.file.spec import Early


def pruner_of(early: Early) -> BasePruner:
    """Optuna's, which compares a trial with all that have come as far as it.

    `asha` is asynchronous successive halving (Li et al. 2020, https://arxiv.org/abs/1810.05934): of the
    trials that reach `min_epochs`, `min_epochs * factor`, … epochs, the best one in `factor` goes on.
    `hyperband` deals the trials out to brackets, of which each begins to compare later (Li et al. 2018,
    https://jmlr.org/papers/v18/16-558.html).

    One is made for each question: Hyperband's keeps what it has seen first, and agents would not agree.
    """
    if early.kind == "asha":
        return SuccessiveHalvingPruner(min_resource=early.min_epochs, reduction_factor=early.factor)
    if early.brackets > 1:
        # It has floor(log_factor(most / least)) + 1 brackets, and uses the most for nothing else.
        most: int | str = early.min_epochs * early.factor ** (early.brackets - 1)
    else:
        most = early.max_epochs if early.max_epochs is not None else "auto"
    return HyperbandPruner(min_resource=early.min_epochs, max_resource=most, reduction_factor=early.factor)
