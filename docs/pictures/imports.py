"""The rooms of ctexp and what they import, drawn from the code as it is.

`.venv/bin/python -m docs.pictures.imports` replaces `imports.svg` beside this file. Floors are those that
`pyproject.toml` holds imports to. An arrow leads from a room to one that it imports. It is left out where
others lead there already (the transitive reduction), and wider where it stands for ten imports, or a hundred.
"""

import tomllib
from collections import Counter
from pathlib import Path

import grimp
import networkx

ROOT = Path(__file__).parents[2]
PICTURE = Path(__file__).with_name("imports.svg")

_WIDTH = 1000
_BOX = (118, 40)
_FLOOR = 92
_ASIDE = {
    "queue": 100,
    "planning": 200,
    "sweeps": -200,
    "executors": 150,
    "training": -50,
    "trackers": 100,
    "evaluation": -100,
}
"""How far rooms stand beside the even places of their floor, so that arrows pass between boxes."""


def floors() -> list[list[str]]:
    """Rooms that may not import each other, highest first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return [[room.strip() for room in floor.split("|")] for floor in contracts[0]["layers"]]


def imports() -> Counter[tuple[str, str]]:
    """How many modules of one room each room's modules import, by the pair of rooms."""
    graph = grimp.build_graph("ctexp", exclude_type_checking_imports=True, cache_dir=None)
    pairs = (
        (importer.split(".")[1], imported.split(".")[1])
        for importer in graph.modules - {"ctexp"}
        for imported in graph.find_modules_directly_imported_by(importer) - {"ctexp"}
    )
    return Counter(pair for pair in pairs if pair[0] != pair[1])


def drawn() -> str:
    """The picture."""
    counts, storeys = imports(), floors()
    places = _places(storeys)
    shortest = networkx.transitive_reduction(networkx.DiGraph(list(counts)))
    arrows = [_arrow(places[a], places[b], counts[a, b]) for a, b in sorted(shortest.edges)]
    boxes = [_box(room, place) for room, place in places.items()]
    height = _FLOOR * len(storeys) + 12
    return _FRAME.format(width=_WIDTH, height=height, drawn="\n".join(arrows + boxes))


def _places(storeys: list[list[str]]) -> dict[str, tuple[float, float]]:
    """The middle of each room's box."""
    return {
        room: (
            (column + 0.5) * _WIDTH / len(rooms) + _ASIDE.get(room, 0),
            (floor + 0.5) * _FLOOR + 6,
        )
        for floor, rooms in enumerate(storeys)
        for column, room in enumerate(rooms)
    }


def _box(room: str, place: tuple[float, float]) -> str:
    (x, y), (wide, high) = place, _BOX
    return (
        f'<rect x="{x - wide / 2:.0f}" y="{y - high / 2:.0f}" width="{wide}" height="{high}" rx="6"/>'
        f'<text x="{x:.0f}" y="{y + 5:.0f}">{room}</text>'
    )


def _arrow(start: tuple[float, float], end: tuple[float, float], count: int) -> str:
    """From the lower edge of one box to the upper edge of another, bent where it passes floors."""
    x0, y0, x1, y1 = start[0], start[1] + _BOX[1] / 2, end[0], end[1] - _BOX[1] / 2
    bend = max(30.0, (y1 - y0) / 2)
    width = 0.4 + 0.9 * len(str(count))
    return (
        f'<path class="arrow" d="M{x0:.0f} {y0:.0f} C{x0:.0f} {y0 + bend:.0f} {x1:.0f} {y1 - bend:.0f} '
        f'{x1:.0f} {y1 - 5:.0f}" stroke-width="{width:.1f}" marker-end="url(#head)"/>'
    )


_FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">
<style>
svg {{ background: #ffffff; }}
rect {{ fill: #eef3f8; stroke: #44688c; }}
.arrow {{ fill: none; stroke: #7a8ea3; }}
text {{ font: 15px sans-serif; fill: #1d2b3a; text-anchor: middle; }}
</style>
<marker id="head" viewBox="0 0 8 8" refX="3" refY="4" markerUnits="userSpaceOnUse" markerWidth="9"
 markerHeight="9" orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#7a8ea3"/></marker>
{drawn}
</svg>
"""

if __name__ == "__main__":
    PICTURE.write_text(drawn())
