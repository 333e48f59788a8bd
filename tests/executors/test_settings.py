"""The files in conf/executor: those that are shipped, and those that somebody has written wrongly."""

from pathlib import Path

import pytest

from ctexp.core import yaml_file
from ctexp.core.errors import UsageError
from ctexp.executors.settings import KINDS, LocalSettings, SlurmSettings, load

ROOT = Path(__file__).parents[2]
DEVICES = 'expected auto, or a list: [{name: "cuda:0", memory: 24GB}]'
KIND = "expected local, slurm, ray or modal"


@pytest.mark.parametrize("name", ["local", "slurm", "ray", "modal"])
def test_the_shipped_ones_show_every_key_with_its_default(name: str) -> None:
    document = yaml_file.read_mapping(ROOT / "conf" / "executor" / f"{name}.yaml")
    model = KINDS[name]
    assert load(ROOT, name) == model.model_validate({"kind": name})
    assert set(document) == set(model.model_fields)


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
        (
            "kind: local\njobs_per_device: 0\n",
            ["jobs_per_device: expected a whole number from 1 to 10000, got 0"],
        ),
        (
            "kind: local\njobs_per_devices: 1\n",
            ["jobs_per_devices: unknown key; did you mean 'jobs_per_device'?"],
        ),
        ("kind: local\ndevices: all\n", [f"devices: {DEVICES}, got 'all'"]),
        ("kind: local\ndevices: {name: cpu}\n", [f'devices: {DEVICES}, got {{"name": "cpu"}}']),
        (
            "kind: local\ndevices: [{name: gpu0, memory: 1GB}, {nam: cpu, memory: 12}]\n",
            [
                "devices.0.name: expected cpu, cpu#1 or cuda:0, got 'gpu0'",
                "devices.1.name: missing; expected cpu, cpu#1 or cuda:0",
                "devices.1.memory: expected a size with its unit (500MB, 16GB), got 12",
                "devices.1.nam: unknown key; did you mean 'name'?",
            ],
        ),
        (
            "kind: local\ndevices: [{name: cpu, memory: 1GB}, {name: cpu, memory: 1GB}]\n",
            ["devices: cpu stands there twice; tell parts of one apart: cpu#1, cpu#2"],
        ),
        (
            "kind: slurm\ntime: soon\nat_once: true\n",
            [
                "time: 'soon' is no duration; write 90s, 30m or 8h",
                "at_once: expected a whole number from 1 to 10000, or null, got true",
            ],
        ),
        (
            "kind: ray\nstorage: nfs\n",
            ["storage: expected shared, copy, or a URL (s3://bucket/folder), got 'nfs'"],
        ),
        ("kind: slrum\n", [f"kind: {KIND}, got 'slrum'; did you mean 'slurm'?"]),
        ("kind: kubernetes\n", [f"kind: {KIND}, got 'kubernetes'"]),
        ("", [f"kind: missing; {KIND}"]),
    ],
)
def test_a_wrong_one_is_told_with_its_file_and_key_and_what_was_expected(
    tmp_path: Path, content: str, said: list[str]
) -> None:
    root = project(tmp_path, "lab", content)
    with pytest.raises(UsageError) as caught:
        load(root, "lab")
    assert sorted(caught.value.problems) == sorted(f"conf/executor/lab.yaml: {line}" for line in said)
    assert "conf/executor" in caught.value.hint


def test_a_short_one_has_the_defaults(tmp_path: Path) -> None:
    found = load(project(tmp_path, "lab", "kind: slurm\npartition: gpu\n"), "lab")
    assert found == SlurmSettings(kind="slurm", partition="gpu")


def test_a_misspelt_one_is_told_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'slurm'"):
        load(ROOT, "slrum")
    with pytest.raises(UsageError, match=r"'\.\./local' is none"):
        load(ROOT, "../local")


def test_an_unknown_one_is_told_once_what_there_is() -> None:
    with pytest.raises(UsageError) as caught:
        load(ROOT, "nonsense")
    assert caught.value.lines() == [
        "UsageError: --executor: 'nonsense' is none; conf/executor has local, modal, ray, slurm"
    ]
