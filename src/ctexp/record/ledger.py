"""Every look at a test split, in a committed file: `research/test_ledger.jsonl`.

What is chosen by figures of a test split makes those figures flatter, the more the oftener. So each look is
written down, and on the disk, before a test image is predicted or a stored prediction read. A line that was
changed or taken out is told by three witnesses: the chain of the lines, the commits, and the runs whose test
figures name their look.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ctexp.core import clock, files, screen
from ctexp.core.errors import DataError, UsageError
from ctexp.core.locks import FileLock
from ctexp.core.paths import ledger_file, shown
from ctexp.record import index
from ctexp.record.cross_validation import FOLDER, CrossValidation
from ctexp.record.git import lines_ever_committed
from ctexp.record.look import Content, Kind, Look, Named, named_in, parsed, read
from ctexp.record.manifest import Dataset, Manifest
from ctexp.record.run_dir import RunDir


@dataclass(frozen=True)
class Ledger:
    """The file of all looks; a missing one holds none."""

    path: Path

    def looks(self, dataset: str, catalog_sha256: str | None = None) -> list[Look]:
        """The looks at a data set, oldest first: at one version of it, or at all where none is named."""
        return [
            look
            for look in read(self.path).looks
            if look.dataset == dataset and catalog_sha256 in {None, look.catalog_sha256}
        ]

    def append(self, look: Look) -> Look:
        """Write a look down, durably, as the next line; it comes back with its number and chained.

        What a crash left of a last line is first moved to a file of its own beside the ledger.

        Raises:
            Busy: another process is writing.
            StorageError: the disk is full or the folder cannot be written.
        """
        files.make_folder(self.path.parent)
        with FileLock(self.path.with_name(f".{self.path.stem}.lock"), "the test ledger"):
            content = read(self.path)
            self._mend(content)
            look, line = look.after(content.looks[-1] if content.looks else None)
            files.append_line(self.path, line)
            with files.storage_errors(self.path), self.path.open("rb") as written:
                os.fsync(written.fileno())
            files.fsync_directory(self.path.parent)
        return look

    def problems(self, root: Path, runs: Path) -> list[str]:
        """One line for each sign that lines were changed or taken out; none for an honest ledger.

        Args:
            root: the project's folder, whose commits are asked.
            runs: the folder of all runs, whose test figures are asked.
        """
        content = read(self.path)
        there = {look.sha256 for look in content.looks}
        gone = [
            f"{shown(self.path)}: look {look.seq} ({_told(look)}) was committed and is gone or changed"
            for look in _missing(lines_ever_committed(root, self.path), there)
        ]
        unknown = [
            f"{name}: its figures come from look {named.seq}, which {shown(self.path)} lacks"
            for name, named in _named_looks(runs)
            if named.sha256 not in there
        ]
        return [*content.problems, *gone, *unknown]

    def _mend(self, content: Content) -> None:
        """Make the next line begin as a line of its own."""
        if content.torn:
            aside = self.path.with_name(f"{self.path.name}.torn-{clock.stamp(clock.now())}")
            files.write_bytes(aside, content.torn)
            with files.storage_errors(self.path), self.path.open("r+b") as file:
                file.truncate(content.whole)
            screen.warn(f"{shown(self.path)}: its last line was torn by a crash; it is in {aside.name} now")
        elif not content.ended:
            files.append_line(self.path, "")


def open_test(root: Path, runs: Path, *, kind: Kind, subjects: Sequence[RunDir], final: bool) -> Look:
    """Open the test split of a data set: count the look and say it, before anything is predicted or read.

    Args:
        root: the project's folder.
        runs: the folder of all runs.
        kind: what looks.
        subjects: the runs whose test predictions will be made or read; of one data set.
        final: whether the user said `--final`.

    Raises:
        UsageError: it was not said.
        DataError: a manifest is damaged, there is no test split, the runs are of several data sets, or lines
            of the ledger were changed or taken out.
        Busy: another process is writing to the ledger.
    """
    datasets = [Manifest.read(run.manifest).dataset for run in subjects]
    dataset = _the_one(datasets)
    ledger = Ledger(ledger_file(root))
    images = max(sum(one.rows.get("test", {}).values()) for one in datasets)
    if not images:
        raise DataError(
            f"{subjects[0].id}: the {dataset.split} split of {dataset.name} has no test images",
            "use --split val",
        )
    if not final:
        count = len(_at_test(ledger.looks(dataset.name, dataset.catalog_sha256)))
        looked = {0: "never looked at", 1: "looked at once"}.get(count, f"looked at {count} times")
        raise UsageError(
            f"--split: the test split of {dataset.name} is sealed: what is chosen by it flatters itself "
            f"({looked} so far)",
            "choose by --split val; when all is decided, add --final, and the look is counted",
        )
    refuse_changed(root, runs)
    look = ledger.append(
        Look(
            seq=1,
            time=clock.iso(clock.now()),
            kind=kind,
            dataset=dataset.name,
            catalog_sha256=dataset.catalog_sha256,
            split_sha256=tuple(sorted({one.split_sha256 for one in datasets if one.split_sha256})),
            subjects=tuple(run.id for run in subjects),
            images=images,
        )
    )
    screen.note(counted(ledger, dataset.name, dataset.catalog_sha256))
    return look


def count_cross_validation(root: Path, record: CrossValidation, images: int) -> Look | None:
    """Write down, once, that a cross-validation judges official test images; None where it judges none.

    Args:
        root: the project's folder.
        record: the cross-validation.
        images: how many images of its folds are officially of the test split.
    """
    ledger = Ledger(ledger_file(root))
    before = ledger.looks(record.dataset, record.catalog_sha256)
    for look in before:
        if look.kind == "cross-validation" and look.subjects == (record.id,):
            return look
    if not images:
        return None
    look = ledger.append(
        Look(
            seq=1,
            time=clock.iso(clock.now()),
            kind="cross-validation",
            dataset=record.dataset,
            catalog_sha256=record.catalog_sha256,
            split_sha256=(record.split_sha256,),
            subjects=(record.id,),
            images=images,
        )
    )
    screen.note(counted(ledger, record.dataset, record.catalog_sha256))
    return look


def counted(ledger: Ledger, dataset: str, catalog_sha256: str) -> str:
    """`look 3 at the test split of chest_ct; 1 cross-validation has judged its images`."""
    looks = ledger.looks(dataset, catalog_sha256)
    seen, folds = len(_at_test(looks)), len(looks) - len(_at_test(looks))
    said = (
        f"look {seen} at the test split of {dataset}" if seen else f"no look at the test split of {dataset}"
    )
    if folds:
        many = "1 cross-validation has" if folds == 1 else f"{folds} cross-validations have"
        said += f"; {many} judged images of it out of fold"
    others = len(_at_test(ledger.looks(dataset))) - seen
    return said + (f"; {others} at other versions of the data set" if others else "")


def _at_test(looks: Sequence[Look]) -> list[Look]:
    """Those at the split itself; cross-validations are counted apart."""
    return [look for look in looks if look.kind != "cross-validation"]


def _the_one(datasets: Sequence[Dataset]) -> Dataset:
    """The data set that all are of.

    Raises:
        DataError: they are of several.
    """
    found = {(dataset.name, dataset.catalog_sha256): dataset for dataset in datasets}
    if len(found) > 1:
        named = ", ".join(f"{name} (catalog {sha256[:8]})" for name, sha256 in found)
        raise DataError(f"the runs are of {len(found)} data sets: {named}", "look at one at a time")
    return datasets[0]


def refuse_changed(root: Path, runs: Path) -> None:
    """Refuse to go on where lines of the ledger were changed or taken out.

    Raises:
        DataError: they were; every sign of it is told, and how to bring them back.
    """
    ledger = Ledger(ledger_file(root))
    problems = ledger.problems(root, runs)
    if problems:
        name = shown(ledger.path)
        raise DataError(
            problems,
            f"put the lines back: git checkout -- {name} brings those of the last commit, "
            f"git log --all -p -- {name} shows all there were on any branch",
        )


def _missing(committed: Sequence[str], there: set[str]) -> Iterator[Look]:
    """Committed lines that are no longer there.

    A line that somebody changed, committed and changed back left two versions among the commits, of which the
    first was the true one; if that is there, the other is not missed.
    """
    kept: set[str | None] = set()
    for line in dict.fromkeys(committed):
        look = parsed(line.encode())
        if look is not None and look.sha256 in there:
            kept.add(look.previous)
        elif look is not None and look.previous not in kept:
            yield look


def _named_looks(runs: Path) -> Iterator[tuple[str, Named]]:
    """The looks that the figures of runs and cross-validations name, and whose they are."""
    yield from index.looks(runs)
    for place in sorted((runs / FOLDER).glob("*")):
        with contextlib.suppress(OSError):  # whoever shows that cross-validation tells of its damage
            for named in named_in(place / "metrics.json"):
                yield place.name, named


def _told(look: Look) -> str:
    return f"{look.kind} of {', '.join(look.subjects)}"
