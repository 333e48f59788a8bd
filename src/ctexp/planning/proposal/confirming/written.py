"""A night after a sweep, proposed and put where plans are, with the file of its finer sweep."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ctexp.core import files
from ctexp.core.errors import UsageError
from ctexp.planning.proposal import written
from ctexp.planning.proposal.confirming.finer import finer
from ctexp.planning.proposal.confirming.found import Found
from ctexp.planning.proposal.confirming.night import FINER, Confirming, Night
from ctexp.planning.proposal.confirming.page import page
from ctexp.planning.proposal.documents import Wishes


@dataclass(frozen=True)
class Written:
    """What was proposed.

    Attributes:
        finer: why a finer sweep is in it, or is not.
        paths: of the plan, its document, and the file of the finer sweep where there is one.
    """

    night: Night
    finer: str
    paths: tuple[Path, ...]


def write(found: Found, wishes: Wishes, root: Path, now: datetime, *, overwrite: bool) -> Written:
    """Propose the night and write its files, all or none.

    Raises:
        UsageError: what is wanted makes no plan, or other files of these names are there.
        DataError: there is nothing to confirm, or there are no images.
        StorageError: the disk is full or the folders cannot be written.
    """
    confirming, closer = Confirming(found, wishes, root, now), finer(found)
    night = confirming.confirm()
    if closer.text is None:
        return Written(night, closer.why, _put(found, night, closer.why, root, overwrite))
    file = root / "conf" / "sweep" / f"{wishes.name}_finer.yaml"
    with _there(file, closer.text, overwrite=overwrite) as kept:
        night = confirming.with_finer(night, file.stem)
        why = night.no_finer or closer.why
        paths = _put(found, night, why, root, overwrite)
        if FINER in night.plan.experiments:
            kept.append(file)
            paths = (*paths, file)
    return Written(night, why, paths)


def _put(found: Found, night: Night, why: str, root: Path, overwrite: bool) -> tuple[Path, ...]:
    document = page(found, night, why)
    return written.put(night.plan.name, night.text, document, root, overwrite=overwrite)


@contextmanager
def _there(file: Path, text: str, *, overwrite: bool) -> Iterator[list[Path]]:
    """A file while a plan that names it is checked; it stays where it is added to what is kept."""
    before = file.read_bytes() if file.is_file() else None
    if before not in (None, text.encode()) and not overwrite:
        raise UsageError(
            f"{file.name} is there already in conf/sweep, and is another one",
            "name the plan otherwise, or replace it: --overwrite",
        )
    files.make_folder(file.parent)
    files.write_text(file, text)
    kept: list[Path] = []
    try:
        yield kept
    finally:
        if file not in kept and before is None:
            file.unlink()
        elif file not in kept and before is not None:
            files.write_bytes(file, before)
