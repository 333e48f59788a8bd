from pathlib import Path
from typing import Any

import pytest

from ctexp.core.errors import UsageError
from ctexp.research.parts import parts
from ctexp.research.places import Places
from ctexp.research.plan.load import load
from ctexp.research.record import Broken
from ctexp.research.running.wanted import Asked, wanted
from tests.research.answers import answer, handler, plan

PLAN = """
experiments:
  noise:
    type: question
    sub_experiments: [done, failed, missing, changed, mended, none]
"""
FAILED: dict[str, Any] = {"state": "failed", "error": Broken(kind="ValueError", message="no")}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """One whose parts are each in another state."""
    plan(tmp_path, PLAN)
    answer(tmp_path, "noise", "done")
    answer(tmp_path, "noise", "failed", **FAILED)
    handler(tmp_path, "noise", "missing")
    answer(tmp_path, "noise", "changed")
    answer(tmp_path, "noise", "mended", **FAILED)
    for sub in ("changed", "mended"):
        handler(tmp_path, "noise", sub, "def e_part(runner):\n    return 1\n")
    return tmp_path


def asked(root: Path, **changes: object) -> dict[str, str]:
    its = load(Places(root).plan, "plan.yaml").experiments["noise"]
    return wanted("noise", parts(Places(root), root / "data", its), Asked(**changes))  # type: ignore[arg-type]


def test_what_is_missing_failed_or_changed_is_carried_out_and_nothing_else(project: Path) -> None:
    why = asked(project)
    assert [sub for sub, reason in why.items() if not reason] == ["done"]
    assert why["failed"].startswith("it had failed: ValueError")
    assert why["missing"] == "not run yet"
    assert why["changed"] == "changed since: its handler"


def test_only_what_has_failed_also_where_its_handler_was_mended(project: Path) -> None:
    assert list(asked(project, failed=True)) == ["failed", "mended"]


def test_one_part_alone(project: Path) -> None:
    assert asked(project, only="done") == {"done": ""}
    with pytest.raises(UsageError, match=r"noise has no part 'don'; did you mean 'done'\?"):
        asked(project, only="don")


def test_other_overrides_ask_for_other_answers(project: Path) -> None:
    assert asked(project, only="done", overrides=("trainer.max_epochs=2",))["done"]
    assert asked(project, only="done", again=True)["done"] == "asked for again"
