"""What a run notices about itself: its health, settings without effect, predictions made before."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ctexp.config import reading
from ctexp.config.schema import Settings
from ctexp.core import screen
from ctexp.core.files import sha256_file
from ctexp.evaluation.health.facts import Facts
from ctexp.evaluation.health.monitor import Change, Monitor
from ctexp.record import events
from ctexp.record.events import EventLog
from ctexp.record.history import Row
from ctexp.record.manifest import Manifest
from ctexp.record.run_dir import RunDir
from ctexp.record.twins import told, twins

_UNREAD = "unread_keys"


@dataclass
class Alarms:
    """The alarms of one attempt."""

    run: RunDir
    manifest: Manifest
    settings: Settings
    conf: Path
    number: int
    log: EventLog
    rows: Sequence[Row]
    _health: Monitor = field(init=False)

    def __post_init__(self) -> None:
        facts = Facts.of(self.settings.model_dump(mode="json"), self.manifest.dataset.rows)
        self._earlier = events.read(self.run.events).events
        self._health = Monitor(facts, self.rows, self._earlier, self._tell)

    def see(self, row: Row) -> None:
        """Judge a training after one more epoch."""
        self._health.see(row)

    def trained(self) -> None:
        """Judge the whole training, which is over."""
        self._health.end()

    def holding(self) -> list[str]:
        """What is wrong with the training now, a line each; all of it has been on the screen."""
        return [f"{finding.message} (epoch {finding.epoch})" for finding in self._health.holding]

    def unread(self, measured: bool) -> list[str]:
        """Write down which keys nothing has read; of a measured run warn of those the user set, a line each.

        What any attempt has read was read. One that was killed has left no word of it: nothing is known then.

        Raises:
            StorageError: the event cannot be written.
        """
        keys = reading.unread(self.settings)
        self.log.write(_UNREAD, keys=list(keys))
        before = [set(event["keys"]) for event in self._earlier if event["kind"] == _UNREAD]
        if not measured or len(before) < self.number - 1:
            return []
        left = [key for key in keys if all(key in earlier for earlier in before)]
        return reading.warnings(left, self.settings, self.manifest.overrides, self.conf)

    def twins(self, split: str) -> list[str]:
        """Warn, in a line, of other runs that made the same predictions though they ought not."""
        found = twins(self.run, split, sha256_file(self.run.predictions(split)))
        warning, note = told(found, split)
        if note:
            screen.note(note)
        return [warning] if warning else []

    def _tell(self, change: Change) -> None:
        finding = change.finding
        self.log.write("health", **change.event())
        if change.state == "began":
            screen.warn(f"epoch {finding.epoch}: {finding.message} -> {finding.advice}")
        else:
            screen.note(f"passed: {finding.rule.replace('_', ' ')}, last seen after epoch {finding.epoch}")
