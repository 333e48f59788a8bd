"""The tracker of a handler: one run of it, told what the handler logs. It can fail nothing."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ctexp.core import clock, names
from ctexp.core.errors import CtexpError
from ctexp.research.runner.order import Order

if TYPE_CHECKING:
    from ctexp.trackers.background import Background


class Follower(Protocol):
    """Is told what a handler logs."""

    def log(self, values: Mapping[str, float | None], step: int) -> None:
        """Numbers of a step."""
        ...


class Tracked:
    """The tracker that the project's configuration names, begun with the first line that is logged.

    A stub run has none: what is made up is shown nowhere.
    """

    def __init__(self, order: Order, prefix: str, warn: Callable[[str], None]) -> None:
        self._order = order
        self._prefix = prefix
        self._warn = warn
        self._background: Background | None = None
        self._asked = order.stub

    def log(self, values: Mapping[str, float | None], step: int) -> None:
        """Numbers of a step."""
        if not self._asked:
            self._asked = True
            self._background = self._begun()
        if self._background is not None:
            self._background.log(values, step)

    def finish(self, metrics: Mapping[str, float | None], *, failed: bool) -> None:
        """The handler has ended."""
        if self._background is None:
            return
        from ctexp.trackers.protocol import Outcome

        named = {f"{self._prefix}/{name}": value for name, value in metrics.items()}
        self._background.finish(Outcome(named, None, (), (), None, int(failed), clock.now()))

    def _begun(self) -> "Background | None":
        from ctexp.config.compose import compose
        from ctexp.trackers.background import Background
        from ctexp.trackers.choosing import make_trackers
        from ctexp.trackers.protocol import TrackedRun

        order, folder = self._order, Path(self._order.folder)
        own = [word for word in order.basis.overrides if word.startswith("logger")]
        try:
            settings = compose(own, Path(order.root)).settings.logger
        except CtexpError as error:  # what is wrong there, its trainings say
            self._warn(f"the tracker is not told: {error}")
            return None
        background = Background(make_trackers(settings, self._warn), settings.timeout, self._warn)
        background.start(
            TrackedRun(
                tracker_id=f"{folder.name}-{order.sub}-{names.short_id()}",
                name=f"{order.experiment}/{order.sub}",
                group=order.experiment,
                tags=("research", order.experiment),
                description=order.command,
                config={
                    "experiment": order.experiment,
                    "sub": order.sub,
                    "overrides": list(order.basis.overrides),
                },
                folder=folder,
                runs=Path(order.runs),
                began=clock.now(),
            )
        )
        return background
