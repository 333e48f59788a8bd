"""Which names timm has, without importing timm: read from a list that `scripts/update-timm-names` writes."""

from difflib import get_close_matches
from functools import cache
from pathlib import Path

from ctexp.core.names import did_you_mean


@cache
def architectures() -> dict[str, tuple[str, ...]]:
    """Each architecture and the tags of its published weights, the default one first."""
    lines = Path(__file__).with_name("timm_names.txt").read_text().splitlines()
    entries = [line.split() for line in lines if not line.startswith("#")]
    return {name: tuple(tags) for name, *tags in entries}


def is_known(name: str) -> bool:
    """Whether timm can build `resnet50`, or `resnet50.a1_in1k` with just those weights."""
    architecture, dot, tag = name.partition(".")
    known = architectures()
    return architecture in known and (not dot or tag in known[architecture])


def has_weights(name: str) -> bool:
    """Whether there are published weights for a known name."""
    return bool(architectures()[name.partition(".")[0]])


def nearest(name: str) -> str:
    """`did you mean 'resnet50'?`, or the tags of a known architecture; empty when nothing is near."""
    architecture, dot, tag = name.partition(".")
    tags = architectures().get(architecture)
    if dot and tags is not None:
        near = get_close_matches(tag, tags, n=1)
        return f"did you mean '{architecture}.{near[0]}'?" if near else f"its weights are {', '.join(tags)}"
    return did_you_mean(architecture, architectures())
