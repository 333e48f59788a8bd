"""The list of timm's names, by which a name is refused without importing timm."""

import subprocess
import sys
from pathlib import Path

import pytest

from ctexp.config import timm_names

SCRIPT = Path(__file__).parents[2] / "scripts" / "update-timm-names"


def test_names_and_tags() -> None:
    assert timm_names.is_known("resnet50")
    assert timm_names.is_known("resnet50.a1_in1k")
    assert not timm_names.is_known("resnet50.a1")
    assert not timm_names.is_known("resnet50.")
    assert not timm_names.is_known("")
    assert not timm_names.is_known("#")
    assert timm_names.has_weights("resnet50")
    assert not timm_names.has_weights("test_vit4")


@pytest.mark.slow
def test_the_list_is_that_of_the_installed_timm() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
