"""Opening a sweep's board: made with the sweep, and opened by every agent and reader."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import optuna
from optuna.storages import RDBStorage

from ctexp.core.errors import DataError
from ctexp.record.sweep import Sweep, SweepDir, meant
from ctexp.sweeps.board import connection, locking
from ctexp.sweeps.board.heartbeats import GRACE
from ctexp.sweeps.board.shared import SharedBoard
from ctexp.sweeps.file.additions import storage_problem
from ctexp.sweeps.file.spec import Spec
from ctexp.sweeps.space import Values

_SWEEP, _FILE, _OPTUNA = "sweep", "file", "optuna"
"""Notes of a study; the last one that is written says which Optuna made the tables."""


def open_board(
    place: SweepDir,
    spec: Spec,
    sweep: Sweep,
    identity: Callable[[Values], str],
    *,
    create: bool = False,
    grace: float = GRACE,
) -> SharedBoard:
    """The board of a sweep.

    Args:
        place: its folder.
        spec: its file.
        sweep: its record, which says where the trials are kept.
        identity: of the configuration that values lead to: the same for the same training. It may raise a
            `CtexpError` where there is no such configuration.
        create: make it.
        grace: seconds without a beat, after which an agent is taken for dead.

    Raises:
        DataError: there is no such board, it was not finished being made, or the database is damaged.
        PreflightError: the server cannot be reached.
        StorageError: the disk is full or cannot be written.
    """
    if sweep.storage is None:
        what = str(place.trials)
        storage = connection.embedded(place.trials, create=create)
        lock = locking.of_folder(place.lock(), place.trials)
    else:
        if problem := storage_problem(sweep.storage):
            raise DataError(f"{place.record}: storage: {problem}", "make a new sweep")
        storage = connection.server(sweep.storage, create=create)
        what = connection.shown(sweep.storage)
        lock = locking.of_server(storage.engine, sweep.id)
    try:
        with connection.told(what):
            if create:
                _seed(storage, place, spec, sweep)
            study = _study(storage, sweep.id, what)
    except BaseException:
        storage.engine.dispose()
        raise
    return SharedBoard(place, spec, sweep, identity, storage, study, lock, what, grace)


@dataclass(frozen=True)
class Kept:
    """What a database says of a sweep of another machine.

    Attributes:
        file: its file, as it was.
    """

    sweep: Sweep
    file: str


def kept(url: str, selector: str) -> Kept:
    """Find a sweep by its id, its name, the beginning of an id, or `latest`, in the database of its trials.

    Raises:
        DataError: there is none, or there are several.
        PreflightError: the server cannot be reached.
    """
    storage = connection.server(url)
    what = connection.shown(url)
    try:
        with connection.told(what):
            studies = storage.get_all_studies()
    finally:
        storage.engine.dispose()
    ids = [study.study_name for study in studies if _OPTUNA in study.user_attrs]
    found = meant(ids, selector)
    if len(found) != 1:
        raise DataError(
            f"{what}: {len(found) or 'no'} sweeps {selector!r}",
            f"it has {', '.join(ids[-10:])}" if ids else "make one: scripts/inv sweep --config lr_wd",
        )
    attrs = next(study.user_attrs for study in studies if study.study_name == found[0])
    with connection.whole(what):
        return Kept(Sweep.model_validate_json(json.dumps(attrs[_SWEEP])), attrs[_FILE])


def _seed(storage: RDBStorage, place: SweepDir, spec: Spec, sweep: Sweep) -> None:
    """Make the study, with what another machine needs to know of the sweep."""
    study = optuna.create_study(study_name=sweep.id, storage=storage, direction=spec.goal)
    study.set_user_attr(_SWEEP, sweep.document())
    study.set_user_attr(_FILE, place.file.read_bytes().decode() if place.file.is_file() else "")
    study.set_user_attr(_OPTUNA, optuna.__version__)


def _study(storage: RDBStorage, name: str, what: str) -> optuna.Study:
    try:
        study = optuna.load_study(study_name=name, storage=storage)
    except KeyError as error:
        hint = "name the one that it was made in"
        raise DataError(f"{what}: it does not know the sweep {name}", hint) from error
    with connection.whole(what):
        made_by = study.user_attrs.get(_OPTUNA)
    if made_by is None:
        raise DataError(f"{what}: the sweep {name} was not finished being made", "make a new one")
    if made_by != optuna.__version__ and storage.get_current_version() != storage.get_head_version():
        raise DataError(
            f"{what}: made by Optuna {made_by}, whose tables Optuna {optuna.__version__} does not read",
            f"make a new one, or go on with Optuna {made_by}",
        )
    return study
