"""Which trackers a configuration names, and whether they are installed."""

from collections.abc import Callable
from importlib.util import find_spec

from ctexp.config.schema.running import LoggerSettings
from ctexp.core import extras
from ctexp.core.errors import PreflightError
from ctexp.trackers.comet_offline import CometTracker
from ctexp.trackers.csv_table import CsvTracker
from ctexp.trackers.mlflow_store import MlflowTracker
from ctexp.trackers.protocol import Tracker
from ctexp.trackers.tensorboard_files import TensorboardTracker
from ctexp.trackers.weights_and_biases import WandbTracker

_PACKAGES = {"comet": "comet_ml", "mlflow": "mlflow", "tensorboard": "tensorboard"}
"""What each tracker of an extra imports; the extra is called like the tracker."""


def make_trackers(settings: LoggerSettings, warn: Callable[[str], None]) -> list[Tracker]:
    """The trackers that a configuration names; none for `none`.

    Each reads its settings now: a run may end before its library is loaded, and what nobody has read by then
    is told to whoever set it.

    Args:
        settings: of the logger.
        warn: given a line by a tracker that does otherwise than configured.
    """
    return [make_tracker(kind, settings, warn) for kind in settings.kinds]


def make_tracker(kind: str, settings: LoggerSettings, warn: Callable[[str], None]) -> Tracker:
    """One tracker by its name, whatever else the configuration names."""
    match kind:
        case "wandb":
            return WandbTracker(settings, warn)
        case "mlflow":
            return MlflowTracker(settings)
        case "tensorboard":
            return TensorboardTracker()
        case "comet":
            return CometTracker(settings)
        case _:
            return CsvTracker()


def missing(kinds: tuple[str, ...]) -> list[str]:
    """Those of the trackers whose package is not installed."""
    return [kind for kind in kinds if kind in _PACKAGES and find_spec(_PACKAGES[kind]) is None]


def require_installed(kinds: tuple[str, ...], instead: str = "choose logger=csv") -> None:
    """Refuse trackers that could be told nothing.

    Args:
        kinds: the trackers.
        instead: what else could be done than to install them.

    Raises:
        PreflightError: a package is not installed.
    """
    if lacking := missing(kinds):
        named = ", ".join(f"{kind} (package {_PACKAGES[kind]})" for kind in lacking)
        raise PreflightError(f"not installed: {named}", f"{extras.install(*lacking)}, or {instead}")
