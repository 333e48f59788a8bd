"""A stub run: the wiring tried with figures that a handler declares for the purpose; nothing is called."""

from collections.abc import Mapping
from typing import Any

from ctexp.core.errors import UsageError
from ctexp.research.handlers.load import Handler


class NoStub(UsageError):
    """A handler declares no figures to try the wiring with."""


def rehearse(handler: Handler, runner: Any) -> dict[str, Any]:
    """What the handler would give back, were its declared figures true; logged and saved as it would be.

    Args:
        handler: whose file holds `STUB = {"finding": …, "metrics": {…}}`.
        runner: of a stub run, which writes apart from real ones.

    Raises:
        NoStub: it declares none.
    """
    declared = handler.stub
    if not isinstance(declared, Mapping) or not isinstance(declared.get("metrics"), Mapping):
        raise NoStub(
            f"{handler.file.name}: it declares no figures for a stub run",
            'add STUB = {"finding": "what it would say", "metrics": {"name": 0.5}} beside its function',
        )
    metrics = declared["metrics"]
    runner.log_metrics({name: _value(its) for name, its in metrics.items()})
    runner.results.save_json_artifact("stub.json", declared)
    finding = declared.get("finding", "no finding is declared")
    return {"finding": f"Made up, to try the wiring: {finding}", "metrics": metrics}


def _value(declared: Any) -> Any:
    """The number alone of a figure with an interval."""
    if isinstance(declared, Mapping):
        return declared.get("value")
    return declared[0] if isinstance(declared, list | tuple) and declared else declared
