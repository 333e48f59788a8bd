"""A GPU that is there but cannot be used is never quietly replaced by the CPU."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ctexp.core import gpu
from ctexp.core.errors import PreflightError
from ctexp.training.kernel.device import choose_device, precision

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


@pytest.fixture
def broken_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose PCI bus shows a GPU that no driver answers for."""
    device = tmp_path / "sys/bus/pci/devices/0000:01:00.0"
    device.mkdir(parents=True)
    (device / "vendor").write_text("0x10de\n")
    (device / "class").write_text("0x030000\n")
    state = gpu.detect_gpus(tmp_path)
    assert state.present
    assert not state.gpus
    monkeypatch.setattr(gpu, "detect_gpus", lambda: replace(state))


@pytest.mark.usefixtures("broken_driver")
@pytest.mark.parametrize("accelerator", ["auto", "gpu"])
def test_a_broken_driver_is_refused_with_the_fix(accelerator: str) -> None:
    with pytest.raises(PreflightError, match="cannot be used") as caught:
        choose_device(accelerator)
    assert caught.value.exit_code == 4
    assert "trainer.accelerator=cpu" in caught.value.hint


@pytest.mark.usefixtures("broken_driver")
def test_the_cpu_is_used_when_it_was_said() -> None:
    assert choose_device("cpu").type == "cpu"


def test_without_a_gpu_auto_says_that_it_is_the_cpu(capsys: pytest.CaptureFixture[str]) -> None:
    assert choose_device("auto").type == "cpu"
    assert "computing on the CPU" in capsys.readouterr().err
    with pytest.raises(PreflightError, match="no NVIDIA GPU"):
        choose_device("gpu")


def test_auto_is_bf16_only_where_the_gpu_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A T4 has it emulated, which is slower than 32 bits, and torch says that it is supported."""

    def by_emulation(including_emulation: bool = True) -> bool:
        return including_emulation

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", by_emulation)
    assert precision("auto", torch.device("cuda", 0)) == "32-true"
    assert precision("bf16", torch.device("cuda", 0)) == "bf16-mixed"
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    assert precision("auto", torch.device("cuda", 0)) == "bf16-mixed"
    assert precision("auto", torch.device("cpu")) == "32-true"
