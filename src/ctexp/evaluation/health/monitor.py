"""Follows a training: each rule speaks when what it looks for begins, and when it has passed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any, Literal, NamedTuple

from ctexp.evaluation.health.facts import Facts, Row
from ctexp.evaluation.health.rules import AT_THE_END, WHILE_TRAINING, Finding, Rule, judge

_CALM = 3  # epochs in which a rule finds nothing before what it found counts as passed


class Change(NamedTuple):
    """Something began or has passed; the finding is the newest one."""

    state: Literal["began", "passed"]
    finding: Finding

    def event(self) -> dict[str, Any]:
        """The fields of its event, kind `health`."""
        return {"state": self.state, **asdict(self.finding)}


class Monitor:
    """Judges a training after each epoch.

    Args:
        facts: of the run.
        rows: the epochs of earlier attempts; they are judged, and what is found in them is not told again.
        events: of earlier attempts. What one told of an epoch that is trained again is not told again.
        tell: called with each change.
        rules: asked after each epoch; by default those that a training asks of itself.
    """

    def __init__(
        self,
        facts: Facts,
        rows: Iterable[Row],
        events: Iterable[Mapping[str, Any]],
        tell: Callable[[Change], None],
        rules: tuple[Rule, ...] = WHILE_TRAINING,
    ) -> None:
        self._facts = facts
        self._rules = rules
        self._rows: list[Row] = []
        self._told = {
            (event.get("rule"), event.get("epoch"), event.get("state"))
            for event in events
            if event["kind"] == "health"
        }
        self._tell = tell
        self._holding: dict[str, Finding] = {}
        self._calm: dict[str, int] = {}
        for row in rows:
            self._rows.append(row)
            self._changes(self._rules)

    @property
    def holding(self) -> tuple[Finding, ...]:
        """What is wrong now, in its newest figures, in the order in which it began."""
        return tuple(self._holding.values())

    def see(self, row: Row) -> None:
        """Judge after one more epoch; one that is trained again replaces what came of it the first time."""
        self._rows = [earlier for earlier in self._rows if (earlier["epoch"] or 0) < (row["epoch"] or 0)]
        self._rows.append(row)
        self._say(self._changes(self._rules))

    def end(self) -> None:
        """Judge the whole training, which is over."""
        if not self._holding.keys() & {"at_chance", "divergence", "vanishing_gradients"}:  # they say why
            self._say(self._changes(AT_THE_END))

    def _changes(self, rules: tuple[Rule, ...]) -> list[Change]:
        """Bring what holds up to date."""
        found = {finding.rule: finding for finding in judge(self._rows, self._facts, rules)}
        changes = [Change("began", finding) for rule, finding in found.items() if rule not in self._holding]
        self._holding |= found
        self._calm |= dict.fromkeys(found, 0)
        for rule in [rule for rule in self._holding if rule not in found and rules is not AT_THE_END]:
            self._calm[rule] += 1
            if self._calm[rule] == _CALM:
                changes.append(Change("passed", self._holding.pop(rule)))
        return changes

    def _say(self, changes: list[Change]) -> None:
        for change in changes:
            if (change.finding.rule, change.finding.epoch, change.state) not in self._told:
                self._tell(change)
