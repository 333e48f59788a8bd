"""Nested mappings by dotted key, as overrides name their values."""

from collections.abc import Mapping
from typing import Any


def flattened(document: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"data": {"fold": 1}}` as `{"data.fold": 1}`, in the same order; an empty mapping leaves no key."""
    flat: dict[str, Any] = {}
    for key, value in document.items():
        flat |= flattened(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """`{"data.fold": 1}` as `{"data": {"fold": 1}}`: what `flattened` took apart."""
    document: dict[str, Any] = {}
    for key, value in flat.items():
        *groups, last = key.split(".")
        place = document
        for group in groups:
            place = place.setdefault(group, {})
        place[last] = value
    return document
