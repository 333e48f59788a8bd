"""What a handler is given: trainings, runs, comparisons, figures, and a place for what it saves."""

from ctexp.research.runner.experiment_runner import ExperimentRunner

__all__ = ["ExperimentRunner"]
