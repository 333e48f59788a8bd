"""Files called checkpoints, with the right hash beside them, that are none: refused, and never executed."""

import io
import os
import zipfile
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from torch import nn

from ctexp.core import files
from ctexp.core.errors import DataError
from ctexp.record.checkpoint_files import LAST, write_sums
from ctexp.training.kernel.checkpoints import load, load_weights, newest
from ctexp.training.kernel.network import put
from tests.judged import refusal

SOUND: dict[str, Any] = {
    "callbacks": {"BestCheckpoint": {"best_epoch": None}},
    "loops": {"fit_loop": {"epoch_progress": {"current": {"processed": 1}}}},
    "global_step": 3,
    "state_dict": {"model.weight": torch.zeros(3)},
}


class Hostile:
    def __reduce__(self) -> Any:
        return os.mkdir, ("hostile",)


def saved(content: Any) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def placed(folder: Path, content: bytes) -> Path:
    path = folder / LAST
    path.write_bytes(content)
    write_sums(folder, {LAST: files.sha256_file(path)})
    return path


@pytest.mark.parametrize(
    "content",
    [[1], {}, torch.zeros(2), 3, SOUND | {"callbacks": None}, SOUND | {"loops": []}, {"evil": Hostile()}],
    ids=["list", "empty", "tensor", "number", "no callbacks", "no loops", "hostile"],
)
def test_what_another_program_saved_is_no_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    placed(tmp_path, saved(content))
    assert str(tmp_path / LAST) in refusal(lambda: newest(tmp_path), DataError)
    assert not (tmp_path / "hostile").exists()


def test_any_bytes_are_read_or_refused(tmp_path: Path) -> None:
    rng, sound = Random(0), zipfile.ZipFile(io.BytesIO(saved(SOUND)))
    read = 0
    for _ in range(80):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as altered:
            for name in sound.namelist():
                content = bytearray(sound.read(name))
                for _ in range(rng.randint(1, 4) if name.endswith("data.pkl") else 0):
                    content[rng.randrange(len(content))] = rng.randrange(256)
                altered.writestr(name, content)
        path = placed(tmp_path, file.getvalue())
        try:
            read += isinstance(load(path), dict)
            newest(tmp_path)
        except DataError:
            pass
    assert 0 < read < 80


def test_weights_are_tensors_and_those_of_the_network(tmp_path: Path) -> None:
    weights = load_weights(placed(tmp_path, saved(SOUND)))
    assert "another network" in refusal(lambda: put(weights, nn.Linear(2, 1)), DataError)
    for content in ({}, {"state_dict": [1]}, {"state_dict": {"a": 1}}):
        path = placed(tmp_path, saved(content))
        assert "holds no weights" in refusal(partial(load_weights, path), DataError)


def test_a_full_memory_says_nothing_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: Any, **__: Any) -> Any:
        raise MemoryError

    placed(tmp_path, saved(SOUND))
    monkeypatch.setattr("torch.load", no_room)
    with pytest.raises(MemoryError):
        load(tmp_path / LAST)
