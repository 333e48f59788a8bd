"""Sweep files of a test."""

from pathlib import Path

import pytest

from ctexp.core.errors import UsageError
from ctexp.sweeps.file.load import load
from ctexp.sweeps.file.spec import Spec
from ctexp.sweeps.space import Dimension

HEAD = "method: random\nmetric: {name: val/macro_f1, goal: maximize}\nrun_cap: 5\n"


def read(folder: Path, text: str, *overrides: str, name: str = "some") -> Spec:
    """What a file with this text asks for."""
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return load(path, f"{name}.yaml", overrides)


def refused(folder: Path, text: str, *overrides: str) -> list[str]:
    """What is said of a wrong one, a line each."""
    with pytest.raises(UsageError) as error:
        read(folder, text, *overrides)
    assert error.value.exit_code == 2
    return list(error.value.problems)


def dimension(folder: Path, entry: str) -> Dimension:
    """What a parameter with this entry may be."""
    (parameter,) = read(folder, f"{HEAD}parameters:\n  optimizer.lr: {{{entry}}}\n").space.parameters
    return parameter.dimension
