"""Problems and warnings of a plan, each with its place in the file and said once."""

from ctexp.planning.plan.load import Loaded, Place


class Findings:
    """What is found, by how bad it is; told in the order of the file.

    Args:
        loaded: the plan that it is about.
    """

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._problems: dict[str, int] = {}
        self._missing: dict[str, int] = {}
        self._warnings: dict[str, int] = {}
        self.hints: dict[str, None] = {}

    def problem(self, place: Place, said: str) -> None:
        """What makes it no plan."""
        self._add(self._problems, place, said)

    def missing(self, place: Place, said: str, hint: str) -> None:
        """What of the data is not there."""
        self._add(self._missing, place, said)
        self.hints[hint] = None

    def warning(self, place: Place, said: str) -> None:
        """What can be done, but should be thought about."""
        self._add(self._warnings, place, said)

    def is_left_out(self, place: Place) -> bool:
        """Whether what the file says there is wrong in itself, and the plan is without it."""
        return any([*place] == [*wrong] for wrong, _ in self._loaded.mistakes)

    @property
    def problems(self) -> tuple[str, ...]:
        """Those, in the order of the file."""
        return _in_order(self._problems)

    @property
    def missing_data(self) -> tuple[str, ...]:
        """Likewise."""
        return _in_order(self._missing)

    @property
    def wrong(self) -> tuple[str, ...]:
        """Problems and missing data together, likewise."""
        return _in_order(self._problems | self._missing)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Likewise."""
        return _in_order(self._warnings)

    def _add(self, found: dict[str, int], place: Place, said: str) -> None:
        found.setdefault(f"{self._loaded.at(place)}: {said}", self._loaded.line_of(place))


def _in_order(found: dict[str, int]) -> tuple[str, ...]:
    return tuple(sorted(found, key=lambda line: found[line]))
