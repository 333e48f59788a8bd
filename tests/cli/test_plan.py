import json
from pathlib import Path
from typing import Any

import pytest

from ctexp.cli.plan import plan
from ctexp.cli.plan_check import plan_check
from ctexp.cli.plan_render import plan_render
from ctexp.core.errors import UsageError
from tests.planning.proposal.projects import a_run, with_images
from tests.planning.study.projects import in_order

FLAGS: dict[str, Any] = {
    "name": "",
    "override": None,
    "window": "3h",
    "focus": None,
    "goal": "",
    "from_": None,
    "explain": False,
    "overwrite": False,
    "json": False,
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one training, which is where we are."""
    root = with_images(tmp_path)
    with in_order():
        a_run(root, "base", 42)
    monkeypatch.chdir(root)
    monkeypatch.setenv("CTEXP_ROOT", str(root))
    return root


def test_a_plan_and_its_document_are_written_and_pass_the_check(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan(**FLAGS)

    said, hint = capsys.readouterr()
    for part in ("baseline", "why", "left out", "research/plans/night-1.yaml", "research/plans/night-1.md"):
        assert part in said
    assert "inv plan-check night-1" in hint
    assert "## 5. Post-experiment analysis plan" in (root / "research/plans/night-1.md").read_text()
    assert plan_check("night-1", measure=False, executor="local", json=False) == 0
    plan_render("night-1", "bash", None, json=False)
    assert "baseline-s1" in (root / "scripts" / "night-1.sh").read_text()


@pytest.mark.slow
def test_another_plan_of_that_name_is_refused_and_the_same_one_is_not(root: Path) -> None:
    plan(**FLAGS | {"name": "mine"})
    before = (root / "research/plans/mine.yaml").read_bytes()
    plan(**FLAGS | {"name": "mine"})
    assert (root / "research/plans/mine.yaml").read_bytes() == before

    with pytest.raises(UsageError, match="is there already") as refused:
        plan(**FLAGS | {"name": "mine", "window": "4h"})
    assert "--overwrite" in refused.value.hint
    assert (root / "research/plans/mine.yaml").read_bytes() == before

    plan(**FLAGS | {"name": "mine", "window": "4h", "overwrite": True})
    assert "window: 4h" in (root / "research/plans/mine.yaml").read_text()


@pytest.mark.slow
def test_programs_get_one_document(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan(**FLAGS | {"json": True})

    told = json.loads(capsys.readouterr().out)
    assert told["files"] == ["research/plans/night-1.yaml", "research/plans/night-1.md"]
    assert [one["experiment"] for one in told["experiments"]][:2] == ["smoke", "baseline"]
    assert all(one["refuted_by"] for one in told["experiments"])
    assert (root / told["files"][0]).is_file()


@pytest.mark.slow
def test_explain_tells_every_move_and_writes_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan(**FLAGS | {"explain": True, "json": True})

    told = json.loads(capsys.readouterr().out)
    ema = next(one for one in told["moves"] if one["title"] == "ema")
    assert ema["applies"]
    assert ema["prior"]
    assert ema["posterior"]
    assert ema["minutes"] > 0
    assert not (root / "research" / "plans").exists()


def test_a_slip_is_told_before_anything_is_read(root: Path) -> None:
    with pytest.raises(UsageError) as refused:
        plan(**FLAGS | {"goal": "test/accuracy", "focus": ["trainig"]})

    assert len(refused.value.problems) == 2
    assert not (root / "research" / "plans").exists()
