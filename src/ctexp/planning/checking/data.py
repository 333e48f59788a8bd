"""What a plan needs of the data: read once, missing or doubtful things said once, with all who need them."""

from collections.abc import Sequence
from pathlib import Path

from ctexp.core.errors import CtexpError
from ctexp.core.wording import some
from ctexp.planning.checking.composition import Configured, firsts, trials
from ctexp.planning.checking.findings import Findings
from ctexp.planning.checking.images import Images, ImagesOf
from ctexp.planning.checking.words import words_of
from ctexp.planning.plan.document import Plan
from ctexp.planning.plan.jobs import key_of
from ctexp.planning.plan.load import Place

_CHOOSE_IMAGES = ("data.name", "data.split", "data.fold", "data")
_CHOOSE_FEATURES = ("features.name", "features")


def read_data(
    plan: Plan, configured: Sequence[Configured], root: Path, found: Findings
) -> tuple[dict[str, Images], set[str]]:
    """The images of each experiment, as it begins; and the experiments of whose data anything is missing.

    What they need after a failure and on other bases is read too.
    """
    reader, told = ImagesOf(root), _Told(plan)
    images: dict[str, Images] = {}
    unread = trials(plan, configured)
    lacking: set[str] = set()
    for one in firsts(configured):
        name, verb = one.job.experiment, one.job.verb
        for composed in one.every:
            try:
                its = reader.read(composed, verb)
            except CtexpError as error:
                lacking.add(name)
                told.missing(name, _CHOOSE_IMAGES, error)
                continue
            images.setdefault(name, its)
            if name not in unread:
                told.warn(name, _CHOOSE_IMAGES, [f"{its.said}: {line}" for line in its.warnings])
            try:
                told.warn(name, _CHOOSE_FEATURES, reader.features(composed, verb))
            except CtexpError as error:
                lacking.add(name)
                told.missing(name, _CHOOSE_FEATURES, error)
    told.tell(found)
    return images, lacking


class _Told:
    """What is said of the data, once with the experiments that it is true of."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._missing: dict[tuple[str, str], list[str]] = {}
        self._warnings: dict[str, list[str]] = {}
        self._places: dict[str, Place] = {}

    def missing(self, experiment: str, keys: Sequence[str], error: CtexpError) -> None:
        for problem in error.problems:
            self._missing.setdefault((problem, error.hint), []).append(experiment)
            self._places.setdefault(problem, self._place(experiment, keys))

    def warn(self, experiment: str, keys: Sequence[str], lines: Sequence[str]) -> None:
        for line in lines:
            self._warnings.setdefault(line, []).append(experiment)
            self._places.setdefault(line, self._place(experiment, keys))

    def tell(self, found: Findings) -> None:
        for (problem, hint), names in self._missing.items():
            found.missing(self._places[problem], f"{problem} (for {some(list(dict.fromkeys(names)))})", hint)
        for line, names in self._warnings.items():
            found.warning(self._places[line], f"{line} (for {some(list(dict.fromkeys(names)))})")

    def _place(self, experiment: str, keys: Sequence[str]) -> Place:
        """The word that chooses what it is about, or the experiment where none does."""
        its = reversed(list(words_of(self._plan, experiment, None, None)))
        words = {key_of(word): place for place, word in its}
        return next((words[key] for key in keys if key in words), ("experiments", experiment))
