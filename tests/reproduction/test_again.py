"""The words and the variables with which a run is made again, and what a refusal says."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from ctexp.config.compose import compose
from ctexp.core.errors import CtexpError, PreflightError
from ctexp.record.environment import Environment
from ctexp.reproduction import again
from ctexp.reproduction.place import Place
from tests.project import HERE
from tests.record import samples
from tests.reproduction.records import a_recorded

TYPED = ("data=phantom", "model=tiny_cnn", "logger=csv", "paths.runs=/big/runs", "git.dirty=refuse", "seed=3")


def test_the_words_are_the_recorded_ones_but_for_where_it_lies_and_who_is_told(tmp_path: Path) -> None:
    of = a_recorded(tmp_path)
    of = replace(of, manifest=of.manifest.model_copy(update={"overrides": TYPED}))
    place = Place(tmp_path / 'it\'s "here", = \\')

    words = again.words(of, place, tmp_path / "my data")

    assert words[:4] == ["train", "data=phantom", "model=tiny_cnn", "seed=3"]
    assert words[-2:] == ["--yes", "--json"]
    settings = compose(words[1:-2], HERE).settings
    assert (settings.logger.name, settings.git.dirty) == ("none", "warn")
    assert (settings.paths.data, settings.paths.runs) == (str(tmp_path / "my data"), str(place.path))


def test_recorded_variables_replace_those_of_today(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = {
        "OMP_NUM_THREADS": "7",
        "CTEXP_QUEUE": "q",
        "WANDB_MODE": "online",
        "CUDA_VISIBLE_DEVICES": "3",
    }
    environment = Environment(**samples.ENVIRONMENT.model_dump() | {"variables": recorded})
    of = a_recorded(tmp_path, environment=environment)
    for name in ("MKL_NUM_THREADS", "CTEXP_WARM", "CTEXP_ROOT", "WANDB_PROJECT", "PYTHONHASHSEED"):
        monkeypatch.setenv(name, "today")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")

    found = again.variables(of, tmp_path / "source")

    assert found["OMP_NUM_THREADS"] == "7"
    assert found["CUDA_VISIBLE_DEVICES"] == "0", "which GPU is whose is of this machine"
    assert found["PYTHONPATH"] == str(tmp_path / "source" / "src")
    assert "PATH" in found
    assert not [name for name in found if name.startswith(("CTEXP_", "WANDB_"))]
    assert "today" not in found.values()


@pytest.mark.parametrize(
    ("script", "kind", "said"),
    [
        (
            'echo \'{"error": {"problems": ["no GPU"], "hint": "wait"}}\'; exit 4',
            PreflightError,
            "made again, it is refused: no GPU -> wait",
        ),
        (
            "echo hello; echo 'what a pity' >&2; exit 1",
            CtexpError,
            "exit code 1 before a run was made: what a pity",
        ),
    ],
)
def test_a_refusal_says_what_the_training_said(
    tmp_path: Path, script: str, kind: type[CtexpError], said: str
) -> None:
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(CtexpError) as failure:
        again.train(program, ["train"], {}, tmp_path, Place(tmp_path), None)
    assert type(failure.value) is kind
    assert failure.value.lines()[-1].endswith(said)
