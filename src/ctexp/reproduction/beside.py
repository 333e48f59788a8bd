"""What a run used beside the images: its split, its list of features, its first weights.

They come with the source where they were committed. Where they were not, the project's own file is taken, if
it still is the one.
"""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ctexp.core import files, yaml_file
from ctexp.core.errors import CtexpError
from ctexp.core.paths import feature_lists_folder, splits_folder
from ctexp.data.splits import split_file
from ctexp.data.splits.schemes import OF_THE_CATALOG
from ctexp.reproduction.integrity import SHOWN
from ctexp.reproduction.recorded import Recorded
from ctexp.reproduction.verdict import Difference


class Changed(Exception):
    """What is here is not what was recorded, and the recorded version cannot be had."""

    def __init__(self, differences: list[Difference]) -> None:
        super().__init__(f"{len(differences)} differences")
        self.differences = differences


def other_file(what: str, wanted: str, found: str | None) -> Difference:
    """A file that is not the recorded one; None is found where there is none."""
    return Difference(
        area="data",
        what=what,
        recorded=f"sha256 {wanted[:SHOWN]}",
        found=f"sha256 {found[:SHOWN]}" if found else None,
    )


def bring_committed(of: Recorded, root: Path, project: Path) -> None:
    """Put the split and the list of features that the run used where the source lacks them.

    Raises:
        Changed: they are neither with the commit nor here.
    """
    dataset = of.manifest.dataset
    if dataset.split not in OF_THE_CATALOG and dataset.split_sha256 is not None:
        file = split_file.split_file(splits_folder(root), dataset.name, dataset.split)
        _bring(file, root, project, lambda path: _split_sha256(path) == dataset.split_sha256)
    features = of.manifest.features or {}
    if features.get("origin") is not None:
        from ctexp.data.radiomics.lists import lists_file  # with all that measures features

        file = lists_file(feature_lists_folder(root), dataset.name, dataset.fold)
        _bring(file, root, project, lambda path: _lists_columns(path, features))


def _bring(file: Path, root: Path, project: Path, fits: Callable[[Path], bool]) -> None:
    """Copy a file of the project into the source, unless that has it as it was."""
    its = project / file.relative_to(root)
    if fits(its):
        return
    if not fits(file):
        what = file.relative_to(root).as_posix()
        raise Changed(
            [Difference(area="data", what=what, recorded="as the run used it", found="another, or none")]
        )
    its.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(file, its)


def _split_sha256(path: Path) -> str | None:
    content = split_file.read(path)
    return None if content is None else files.sha256_bytes(content)


def _lists_columns(path: Path, features: Mapping[str, Any]) -> bool:
    """Whether a list of features is the one that a manifest remembers."""
    if not path.is_file():
        return False
    try:
        return bool(features["columns"] == yaml_file.read_mapping(path).get(features["name"]))
    except CtexpError:
        return False


def bring_weights(of: Recorded, root: Path, project: Path) -> None:
    """Link first weights that lie in the project's folder to where the source looks for them.

    Raises:
        Changed: they are others by now, or gone.
    """
    said = of.config.get("model.weights")
    if not isinstance(said, str) or of.manifest.weights.sha256 is None:
        return
    file = root / Path(said).expanduser()
    found = files.sha256_file(file) if file.is_file() else None
    if found != of.manifest.weights.sha256:
        raise Changed([other_file(f"the first weights, {said}", of.manifest.weights.sha256, found)])
    its = project / Path(said).expanduser()
    if not its.exists():
        its.parent.mkdir(parents=True, exist_ok=True)
        its.symlink_to(file.resolve())
