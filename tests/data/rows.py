"""Catalog rows for tests that have no catalog."""

from dataclasses import replace
from typing import Any

from ctexp.core.files import sha256_bytes
from ctexp.data.catalog import ImageRow


def row(image_id: str, content: bytes = b"pixels", **changes: Any) -> ImageRow:
    """A row of a small training image of a normal, in a group of its content, with `changes` to it."""
    sha256 = sha256_bytes(content)
    plain = ImageRow(
        image_id=image_id,
        path=image_id,
        split="train",
        class_name="normal",
        group=sha256[:16],
        excluded=False,
        bytes=len(content),
        sha256=sha256,
        width=4,
        height=3,
        mode="L",
        window="",
        pixels=sha256,
        mean=100.0,
        std=20.0,
    )
    return replace(plain, **changes)
