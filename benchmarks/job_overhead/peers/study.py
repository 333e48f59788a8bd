"""A study of Optuna in one process, kept in SQLite."""

import sys

import optuna

from benchmarks.job_overhead.peers.training import train

count = int(sys.argv[1])
study = optuna.create_study(
    storage="sqlite:///study.db",
    direction="maximize",
    sampler=optuna.samplers.GridSampler({"number": list(range(count))}, seed=1),
)
study.optimize(lambda trial: train(trial.suggest_int("number", 0, count - 1)), n_trials=count)
