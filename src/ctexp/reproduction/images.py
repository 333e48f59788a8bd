"""The recorded data: those that are here, each file hashed, else the recorded version from DVC."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ctexp.core import files
from ctexp.core.errors import CtexpError, DataError
from ctexp.data import catalog as catalogs
from ctexp.data.versions import dvc
from ctexp.data.versions.lock_file import RAW, Lock
from ctexp.record.manifest import Dataset
from ctexp.reproduction.beside import Changed, bring_committed, bring_weights, other_file
from ctexp.reproduction.recorded import Recorded
from ctexp.reproduction.verdict import Difference, Images


@dataclass(frozen=True)
class Provided:
    """The data to train on.

    Attributes:
        folder: the data folder.
        images: what it is, for the verdict.
        notes: what is to be known of where it came from.
    """

    folder: Path
    images: Images
    notes: tuple[str, ...] = ()


def provide(
    of: Recorded, root: Path, data_dirs: Sequence[Path], project: Path, follow: dvc.Follow | None
) -> Provided:
    """Find the recorded data, and put what the source lacks of it into its place.

    What is wrong is told of the last of `data_dirs`.

    Raises:
        Changed: images, catalog, split, features or weights here are others, and DVC lacks the recorded.
        DataError: they are nowhere.
    """
    dataset = of.manifest.dataset
    images = Images(origin="here", name=dataset.name, catalog_sha256=dataset.catalog_sha256)
    notes: tuple[str, ...] = ()
    for folder in data_dirs:
        if not (differing := _look(of, folder)):
            break
    else:
        _fetch_instead(of, root, folder, project, differing, follow)
        folder, images = project / "data", images.model_copy(update={"origin": "dvc"})
        notes = tuple(
            f"here, {one.what} is another by now, or gone: the recorded one came from DVC"
            for one in differing
        )
    bring_committed(of, root, project)
    bring_weights(of, root, project)
    return Provided(folder, images, notes)


def _fetch_instead(
    of: Recorded,
    root: Path,
    folder: Path,
    project: Path,
    differing: list[Difference],
    follow: dvc.Follow | None,
) -> None:
    """Have DVC bring what is not the recorded version here.

    Raises:
        Changed: it cannot, and what is here is another version.
        DataError: it cannot, and nothing is here.
    """
    try:
        _fetch(of.manifest.dataset, root, project, follow)
    except CtexpError as error:
        why = [f"the recorded version cannot come from DVC: {problem}" for problem in error.problems]
        if all(one.found is None for one in differing):
            gone = [f"{one.what}: not here" for one in differing]
            raise DataError([*gone, *why], _way_to(folder, of.manifest.dataset.name)) from error
        listed = [Difference(area="data", what=line, counts=False) for line in why]
        raise Changed([*differing, *listed]) from error
    if left := _look(of, project / "data"):
        raise Changed(left)


def _look(of: Recorded, data_dir: Path) -> list[Difference]:
    """In what the data of a folder are not the recorded ones; every file is hashed."""
    dataset = of.manifest.dataset
    file = catalogs.catalog_file(data_dir, dataset.name)
    if not file.is_file():
        return [other_file(f"the catalog of {dataset.name}", dataset.catalog_sha256, None)]
    digest = files.sha256_file(file)
    if digest != dataset.catalog_sha256:
        return [other_file(f"the catalog of {dataset.name}", dataset.catalog_sha256, digest)]
    catalog = catalogs.read(data_dir, dataset.name)
    if not catalog.raw.is_dir():
        return [Difference(area="data", what=f"the images of {dataset.name}", recorded="all", found=None)]
    differing = []
    try:
        catalog.verify_files([row for row in catalog.rows if not row.excluded], full=True)
    except DataError as error:
        differing = [_of_image(problem, catalog.raw) for problem in error.problems]
    return differing + _look_at_features(of, data_dir)


def _way_to(data_dir: Path, name: str) -> str:
    """How to get a data set that is missing."""
    try:
        catalogs.load(data_dir, name)
    except CtexpError as error:
        return error.hint
    return f"put it back, or import it anew: scripts/inv data-import PATH --name {name}"


def _of_image(problem: str, raw: Path) -> Difference:
    where, _, what = problem.partition(": ")
    name = os.path.relpath(where, raw)
    return Difference(area="data", what=f"image {name}", recorded="as it was imported", found=what)


def _look_at_features(of: Recorded, data_dir: Path) -> list[Difference]:
    wanted = (of.manifest.features or {}).get("table_sha256")
    if not isinstance(wanted, str):
        return []

    from ctexp.data.radiomics.table import table_file  # with all that measures features

    file = table_file(data_dir, of.manifest.dataset.name)
    found = files.sha256_file(file) if file.is_file() else None
    what = f"the table of features of {of.manifest.dataset.name}"
    return [] if found == wanted else [other_file(what, wanted, found)]


def _fetch(dataset: Dataset, root: Path, project: Path, follow: dvc.Follow | None) -> None:
    """Have DVC put the recorded version into the source's own data folder.

    Raises:
        CtexpError: it has no such version, or cannot get it.
    """
    stages = _stages(project, dataset)
    local = root / ".dvc" / "config.local"
    if local.is_file():  # a remote of one's own, or the way into one
        shutil.copy2(local, project / ".dvc" / "config.local")
    cache = dvc.run(root, "cache", "dir").strip()  # where this project's DVC keeps what it has
    dvc.run(project, "config", "--local", "cache.dir", cache)
    try:
        dvc.run(project, "checkout", *stages, follow=follow)
    except CtexpError:
        dvc.run(project, "pull", *stages, follow=follow)


def _stages(project: Path, dataset: Dataset) -> list[str]:
    """What the recorded `dvc.lock` says made this version.

    Raises:
        DataError: it speaks of none, or of another.
    """
    version = dataset.dvc
    if version is None or version.raw is None:
        why = version.reason if version and version.reason else "its version was not recorded"
        raise DataError(f"{dataset.name}: {why}")
    lock = Lock(project)
    outs = lock.origin(dataset.name).outs
    if (outs[f"{RAW}/{dataset.name}"], outs[f"{RAW}/{dataset.name}.parquet"]) != (
        version.raw,
        version.catalog,
    ):
        raise DataError(f"{dataset.name}: the recorded dvc.lock names another version than the run did")
    return lock.current(dataset.name)
