"""What a handler's answer rests on: runs on one version of their images."""

from pathlib import Path

import pytest

from ctexp.core.errors import DataError
from tests import judged
from tests.research.runner.desks import runner


def test_runs_on_two_versions_of_a_data_set_make_no_answer(tmp_path: Path) -> None:
    now, then = (
        judged.a_run(
            tmp_path / "runs", name, 1, skill=1.0, dataset=judged.dataset(catalog_sha256=letter * 64)
        )
        for name, letter in (("now", "a"), ("then", "b"))
    )
    its = runner(tmp_path)
    its.figure(now, "val/mcc")
    with pytest.raises(DataError, match=rf"{then.id}: made on another version of \w+ than earlier"):
        its.compare(now, then)
    assert its.runs.used == (now.id,)
    assert its.runs.data()[judged.dataset().name] == "a" * 64
