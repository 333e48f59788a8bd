"""One lock a GPU, for all projects of a person."""

from pathlib import Path

import pytest

from ctexp.core.device_lock import device_lock
from ctexp.core.errors import Busy


def test_a_gpu_has_one_holder_by_whichever_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    there = device_lock("1234")  # torch leaves the prefix away
    with device_lock("GPU-1234"), device_lock("GPU-5678"), pytest.raises(Busy, match="GPU 1234 is in use by"):
        there.acquire()
    with device_lock("1234"):
        pass
    assert (tmp_path / "ctexp" / "locks" / "gpu-1234.lock").is_file()


@pytest.mark.parametrize("said", ["", "relative/cache"])
def test_without_a_cache_folder_it_lies_at_home(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", said)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert device_lock("GPU-1").path == tmp_path / ".cache" / "ctexp" / "locks" / "gpu-1.lock"
