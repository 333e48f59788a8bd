"""Pages for people: one HTML file each, with its pictures in it, where no text can become markup."""

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Template


def template(folder: Path, filters: Mapping[str, Any], *others: Path) -> "Template":
    """The template `page.html` of a folder, whose parts lie beside it.

    Args:
        folder: where it lies.
        filters: functions that it may call on a value, by name.
        others: where parts lie that it shares with other pages.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([folder, *others]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters
    return environment.get_template("page.html")


def jpeg(content: bytes) -> str:
    """A picture as an address that holds it."""
    return f"data:image/jpeg;base64,{b64encode(content).decode()}"
