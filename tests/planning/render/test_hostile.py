"""Hostile plans: free text reaches no shell, and overrides reach the program byte for byte."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctexp.core.errors import UsageError
from ctexp.planning.plan.document import Plan
from ctexp.planning.plan.jobs import in_order, jobs_of
from ctexp.planning.plan.load import load
from ctexp.planning.render.bash import bash_script
from ctexp.planning.render.script import Script
from tests.planning.render import stub
from tests.planning.render.hostile import PAYLOADS, TEXT

SHELLCHECK = Path(sys.executable).with_name("shellcheck")

OVERRIDES = st.lists(
    st.tuples(st.sampled_from(["data.name=", "model=", "++a.b=", "~c", "-x=", "--a=", ""]), TEXT)
    .map("".join)
    .filter(lambda word: 0 < len(word) <= 4096),
    max_size=4,
)
IDS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True)


@st.composite
def plans(draw: st.DrawFn) -> dict[str, Any]:
    """A plan of one to three experiments that says the worst wherever it may say anything."""
    names = draw(st.lists(IDS, min_size=1, max_size=3, unique=True))
    prose = st.one_of(TEXT, st.just("$(touch canary)\n" * 640))  # the latter 10 kB
    baseline = draw(st.one_of(st.none(), TEXT.map(lambda text: text[:200]).filter(bool)))
    return {
        "goal": draw(prose),
        "notes": draw(prose),
        "common": draw(OVERRIDES),
        "experiments": {
            name: {
                "hypothesis": draw(prose),
                "expected": draw(prose),
                "notes": draw(prose),
                "overrides": draw(OVERRIDES),
                "fallback": {"oom": [*draw(OVERRIDES), "data.batch_size=8"]},
            }
            for name in names
        },
        **({"baseline": baseline} if baseline is not None else {}),
    }


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plans())
def test_words_arrive_and_nothing_else_happens(document: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "night.yaml").write_text(yaml.safe_dump(document, allow_unicode=True))
        loaded = load(folder / "night.yaml", "research/plans/night.yaml")
        assert loaded.plan.goal == document["goal"]
        jobs = in_order(jobs_of(loaded.plan))
        script = bash_script(Script(loaded.plan, loaded.shown, loaded.sha256))
        keys = [key for job in jobs for key in (job.id, f"{job.id}:oom")]
        path = stub.make_place(folder / "place", script, keys)

        subprocess.run(["bash", "-n", path], check=True)
        subprocess.run([SHELLCHECK, path], check=True)
        ended = stub.bash(path)

        assert ended.returncode == 0, ended.stdout + ended.stderr
        called = stub.calls(path.parent.parent)
        kinds = [None, "oom"]
        assert [call for call in called if call[0] == "run"] == [
            ["run", key, "--", "inv", "train", *job.overrides(kind)]
            for job in jobs
            for kind, key in zip(kinds, (job.id, f"{job.id}:oom"), strict=True)
        ]
        compared = [call for call in called if call[:2] == ["step", "compare"]]
        if "baseline" in document and compared and document["baseline"] not in document["experiments"]:
            assert compared[0][compared[0].index("--baseline") + 1] == document["baseline"]
        assert not [*folder.rglob("*canary*"), *Path("/").glob("canary")]


@pytest.mark.parametrize("name", [*PAYLOADS, "", "A", "a b", "a\n", "é", "a" * 65, "-a", "../a", "a/b"])
def test_no_experiment_is_called_like_that(name: str) -> None:
    if name != "x" * 2_000:
        with pytest.raises(ValueError, match="experiments"):
            Plan.model_validate({"name": "night", "experiments": {name: {}}})


def test_what_no_program_can_be_given_is_refused() -> None:
    plan = Plan.model_validate({"name": "night", "experiments": {"a": {"overrides": ["model=a\0b"]}}})
    with pytest.raises(UsageError, match="no command can be given"):
        bash_script(Script(plan, "research/plans/night.yaml", "0" * 64))
