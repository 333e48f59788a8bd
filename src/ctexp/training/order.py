"""What is to be trained, known and checked before torch is loaded."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ctexp.config.schema import Settings
from ctexp.core.referee import Player
from ctexp.data.selection import Selection
from ctexp.record import git

if TYPE_CHECKING:
    from ctexp.data.radiomics.inputs import FeatureInputs


@dataclass(frozen=True)
class Order:
    """What is to be trained, all of it validated.

    Attributes:
        features: what stands beside the images, for networks that take it.
        source: git's view of the project, and the patch.
        parent: the cross-validation or sweep it belongs to.
        referee: who watches its epochs from outside; None where nobody does.
        tell: where the two blocks are printed.
    """

    settings: Settings
    config_yaml: str
    config_sha256: str
    overrides: tuple[str, ...]
    selection: Selection
    features: "FeatureInputs | None"
    root: Path
    data_dir: Path
    runs_dir: Path
    argv: tuple[str, ...]
    command: str
    source: git.Source
    tell: Callable[[str], None]
    parent: str | None = None
    referee: Player | None = None
