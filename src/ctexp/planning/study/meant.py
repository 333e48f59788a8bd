"""What a person means by a word: a run, the seeds of a name, a cross-validation, a night, the baseline."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ctexp.core.errors import CtexpError, DataError, UsageError
from ctexp.planning.plan.jobs import experiment_of
from ctexp.planning.study.nights import orders
from ctexp.planning.study.records import Records, stamp
from ctexp.planning.study.sets import ImageSet, of_run
from ctexp.record import baselines
from ctexp.record.find import find_either


@dataclass(frozen=True)
class Meant:
    """Trainings that a word stands for.

    Attributes:
        said: the word.
        ids: of single trainings and of cross-validations, newest first, judged all; none of a sample.
        images: what they were judged on, in that order.
        base: those of the baseline of the night, where the word is a night; else `ids`.
        night: the queue's id; empty where it is none.
    """

    said: str
    ids: tuple[str, ...]
    images: tuple[ImageSet, ...]
    base: tuple[str, ...]
    night: str = ""


class Words:
    """Finds what words mean among the records of a project.

    Args:
        root: the project's folder.
        runs: the folder of all runs.
        records: what is in it.
    """

    def __init__(self, root: Path, runs: Path, records: Records) -> None:
        self._root, self._runs, self._records = root, runs, records
        self._images = {run.id: of_run(run) for run in records.judged} | {
            one.id: one.images for one in records.folds
        }

    def meant(self, word: str) -> Meant:
        """What a word means: the id of a run or cross-validation, a name, a night, a plan, in this order.

        Args:
            word: `latest`, `baseline`, an id or the beginning of one, a path, a `run.name`, a plan's name.

        Raises:
            UsageError: several things are meant.
            DataError: nothing is, or nothing of it has been judged on all images.
        """
        if word == "baseline":
            return self._baseline()
        if word == "latest":
            newest = [one for one, images in self._images.items() if images and images.sample is None]
            return self._kept(word, newest[:1])
        records = self._records
        if word in self._images:
            return self._kept(word, [word])
        if "/" not in word:
            named = [run.id for run in records.judged if run.name == word]
            named += [one.id for one in records.folds if one.record.name == word]
            if named or any(run.name == word for run in records.lost):
                return self._kept(word, named)
            night = self._night(word)
            if night:
                return self._of_night(word, night)
        return self._kept(word, [self._one(word)])

    def night(self, queue: str) -> Meant | None:
        """What the queue of this id has trained; None where nothing of it was judged."""
        try:
            return self._of_night(queue, queue)
        except DataError:
            return None

    def _kept(self, word: str, ids: Sequence[str]) -> Meant:
        """Those that can be concluded from."""
        there = [(one, images) for one in ids if (images := self._images.get(one))]
        whole = tuple((one, images) for one, images in there if images.sample is None)
        if not whole:
            said = "trained on a sample of the images only" if there else "no training of it was judged yet"
            raise DataError(f"{word}: {said}: nothing can be concluded from it", "name another, or none")
        kept = tuple(one for one, _ in whole)
        return Meant(word, kept, tuple(dict.fromkeys(images for _, images in whole)), kept)

    def _baseline(self) -> Meant:
        promoted = baselines.current(self._root)
        if promoted is None:
            raise DataError(
                "no baseline is set yet",
                "set one: scripts/inv compare-baselines --baseline A --candidate B --promote",
            )
        return self._kept("baseline", self._units(promoted.runs))

    def _units(self, ids: Iterable[str]) -> list[str]:
        """Runs as they stand for themselves: a fold's is its cross-validation."""
        return list(dict.fromkeys(self._records.parents.get(one, one) for one in ids))

    def _one(self, word: str) -> str:
        """The run or the cross-validation that an id, the beginning of one or a path means."""
        [unit] = self._units([find_either(self._runs, word).id])
        return unit

    def _night(self, word: str) -> str:
        """The queue that a word means; empty where it means none."""
        records = self._records
        plans = {run.queue: run.plan for run in (*records.judged, *records.lost) if run.queue}
        origins = [one.record.origin for one in records.folds]
        plans |= {origin.queue: origin.plan for origin in origins if origin.queue}
        nights = sorted(plans, key=lambda night: night.rpartition("_")[2], reverse=True)
        of_plan = [night for night in nights if plans[night] == word]
        begun = [night for night in nights if night.startswith(word)]
        found = [word] if word in nights else of_plan[:1] or begun
        if len(found) > 1:
            raise UsageError(f"{word!r} means {len(found)} nights: {', '.join(found)}", "type more of it")
        return found[0] if found else ""

    def _of_night(self, word: str, night: str) -> Meant:
        """What a night has trained, its baseline apart; the images are the baseline's where it has one."""
        records = self._records
        jobs = {run.id: run.job for run in records.judged if run.queue == night}
        jobs |= {one.id: one.record.origin.job for one in records.folds if one.record.origin.queue == night}
        its = self._kept(word, sorted(jobs, key=stamp, reverse=True))
        baseline = orders(self._runs, night).get("baseline")
        base = [one for one in its.ids if experiment_of(jobs[one] or "") == baseline]
        if not base and baseline:
            try:
                base = list(self.meant(str(baseline)).ids)
            except CtexpError:
                base = []
        images = dict.fromkeys(self._images[one] for one in (base or its.ids[:1]))
        return Meant(word, its.ids, tuple(one for one in images if one), tuple(base), night)
