"""A training that is watched from outside: the trial of a sweep, which others may leave behind."""

from collections.abc import Iterable

from ctexp.core.errors import Pruned
from ctexp.core.referee import Player
from ctexp.record.history import Row


class Refereed:
    """Tells each epoch to the watcher, and ends the training where that says so.

    Args:
        player: the line to the watcher; None where nobody watches.
        epochs: after the last of them there is nothing left to save: the training finishes.
    """

    def __init__(self, player: Player | None, epochs: int) -> None:
        self._player = player
        self._epochs = epochs

    def begin(self, run: str, earlier: Iterable[Row]) -> None:
        """Tell which run this is, and what its earlier starts came to.

        Raises:
            Pruned: it need not go on.
        """
        if self._player is not None:
            self._player.begin(run)
        for row in earlier:
            self.see(row)

    def see(self, row: Row) -> None:
        """Tell one more epoch.

        Raises:
            Pruned: it need not go on.
        """
        if self._player is None:
            return
        epoch, value = int(row["epoch"] or 0), row.get(self._player.metric)
        if not self._player.epoch(epoch, value) and epoch < self._epochs:
            told = "undefined" if value is None else f"{value:.4f}"
            raise Pruned(f"behind the other trials after epoch {epoch}, with {self._player.metric} {told}")
