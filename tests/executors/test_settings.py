"""The files in conf/executor: those that are shipped, and those that somebody has written wrongly."""

from pathlib import Path

import pytest

from ctexp.core.errors import UsageError
from ctexp.executors.settings import LocalSettings, load

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["local", "slurm", "ray", "modal"])
def test_the_shipped_ones_are_what_their_names_say(name: str) -> None:
    assert load(ROOT, name).kind == name


def project(folder: Path, name: str, content: str) -> Path:
    (folder / "conf" / "executor").mkdir(parents=True)
    (folder / "conf" / "executor" / f"{name}.yaml").write_text(content)
    return folder


def test_a_place_of_ones_own(tmp_path: Path) -> None:
    devices = "[{name: 'cuda:0', memory: 24GB}, {name: 'cuda:3', memory: 1.5TB}]"
    root = project(tmp_path, "two-gpus", f"kind: local\ndevices: {devices}\njobs_per_device: 3\n")
    found = load(root, "two-gpus")
    assert isinstance(found, LocalSettings)
    assert [device.name for device in found.devices if not isinstance(device, str)] == ["cuda:0", "cuda:3"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("kind: local\ndevices: auto\njobs_per_device: 0\n", "lab.yaml: jobs_per_device: "),
        ("kind: local\ndevices: auto\njobs_per_devices: 1\n", "did you mean 'jobs_per_device'?"),
        ("kind: local\ndevices: [{name: gpu0, memory: 1GB}]\njobs_per_device: 1\n", "^(cpu|cuda:"),
        ("kind: local\ndevices: [{name: cpu, memory: 12}]\njobs_per_device: 1\n", "memory"),
        ("kind: kubernetes\n", "lab.yaml: "),
        ("", "lab.yaml: "),
    ],
)
def test_a_wrong_one_is_told_with_its_file_and_key(tmp_path: Path, content: str, said: str) -> None:
    root = project(tmp_path, "lab", content)
    with pytest.raises(UsageError) as caught:
        load(root, "lab")
    assert any(said in line for line in caught.value.lines()), caught.value.lines()


def test_a_misspelt_one_is_told_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'slurm'"):
        load(ROOT, "slrum")
    with pytest.raises(UsageError, match=r"'\.\./local' is none"):
        load(ROOT, "../local")
