import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctexp.record.manifest import Origin, command_line


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose `scripts/inv` prints its arguments, each ended by a NUL."""
    root = tmp_path_factory.mktemp("project")
    (root / "scripts").mkdir()
    program = root / "scripts" / "inv"
    program.write_text("#!/bin/sh\nprintf '%s\\0' \"$@\"\n")
    program.chmod(0o755)
    return root


@given(
    st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20), max_size=5
    )
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_command_pasted_into_bash_gives_the_same_words(project: Path, words: list[str]) -> None:
    pasted = subprocess.run(
        ["bash"], input=command_line("train", words).encode(), cwd=project, capture_output=True, check=True
    )
    assert pasted.stdout.decode().split("\0")[:-1] == ["train", *words]


def test_the_command_reads_as_a_person_would_type_it() -> None:
    line = command_line("train", ["model=resnet50", "data.batch_size=32", "~logger", "run.name=it's mine"])
    assert (
        line == """scripts/inv train model=resnet50 data.batch_size=32 '~logger' 'run.name=it'"'"'s mine'"""
    )


def test_a_job_of_a_queue_knows_who_asked_for_it() -> None:
    variables = {"CTEXP_PLAN": "night", "CTEXP_QUEUE": "night_1", "CTEXP_JOB": "", "HOME": "/"}
    assert Origin.of(variables, parent="cv") == Origin(plan="night", queue="night_1", parent="cv")
