"""One drawing: shapes in pixels of a 360-wide sheet, which is a phone's width, and what it shows in words.

Colours stand in the page's style sheet by class, so that a drawing says what a shape is, not how it looks.
"""

from collections.abc import Sequence
from math import cos, pi, sin

from markupsafe import Markup, escape

WIDTH = 360
"""Of every drawing; the page scales it, and letters of 11 stay readable at a phone's width."""

Point = tuple[float, float]


class Drawing:
    """Shapes in the order they are drawn.

    Args:
        title: what it is, a few words.
        description: what it shows, for those who do not see it.
        height: in the same unit as `WIDTH`.
    """

    def __init__(self, title: str, description: str, height: float) -> None:
        self.title = title
        self.description = description
        self.height = height
        self._shapes: list[Markup] = []

    def add(self, shape: Markup) -> None:
        """A shape that a script will look for."""
        self._shapes.append(shape)

    def line(self, a: Point, b: Point, kind: str) -> None:
        """A straight line of a class of the style sheet."""
        self._shapes.append(
            Markup('<line x1="{}" y1="{}" x2="{}" y2="{}" class="{}"/>').format(
                *(number(value) for value in (*a, *b)), kind
            )
        )

    def path(self, points: Sequence[Point], kind: str) -> None:
        """A line through points; one point alone is a dot by the style's round ends."""
        if points:
            steps = "L".join(f"{number(x)} {number(y)}" for x, y in points)
            tail = "h0" if len(points) == 1 else ""
            self._shapes.append(Markup('<path d="M{}{}" class="{}"/>').format(steps, tail, kind))

    def rect(self, at: Point, width: float, height: float, kind: str) -> None:
        """A filled rectangle by its upper left corner."""
        self._shapes.append(
            Markup('<rect x="{}" y="{}" width="{}" height="{}" class="{}"/>').format(
                *(number(value) for value in (*at, width, height)), kind
            )
        )

    def mark(self, at: Point, sign: int, kind: str) -> None:
        """One of five signs that differ in shape, so that colour is never the only difference."""
        x, y = at
        r = 3.6
        outlines = (
            [(x + r * c, y + r * s) for c, s in _CIRCLE],
            [(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)],
            [(x, y - r * 1.2), (x + r * 1.1, y + r), (x - r * 1.1, y + r)],
            [(x, y - r * 1.3), (x + r * 1.3, y), (x, y + r * 1.3), (x - r * 1.3, y)],
            [(x - r * 1.1, y - r), (x + r * 1.1, y - r), (x, y + r * 1.2)],
        )
        corners = "L".join(f"{number(a)} {number(b)}" for a, b in outlines[sign % len(outlines)])
        self._shapes.append(Markup('<path d="M{}Z" class="{}"/>').format(corners, kind))

    def text(self, at: Point, words: str, kind: str = "", anchor: str = "start") -> None:
        """Words that begin, end or are centred at a point of their base line."""
        self._shapes.append(
            Markup('<text x="{}" y="{}" text-anchor="{}" class="{}">{}</text>').format(
                number(at[0]), number(at[1]), anchor, kind, words
            )
        )

    def svg(self) -> Markup:
        """The whole element."""
        return Markup(
            '<svg viewBox="0 0 {} {}" role="img" aria-label="{}"><title>{}</title><desc>{}</desc>{}</svg>'
        ).format(
            WIDTH,
            number(self.height),
            f"{self.title}. {self.description}",
            self.title,
            self.description,
            Markup("").join(self._shapes),
        )


def number(value: float) -> str:
    """A coordinate to a tenth of a pixel, which no eye tells from all digits."""
    return escape(f"{value:.1f}".removesuffix(".0"))


_CIRCLE = tuple((round(cos(step * pi / 6), 2), round(sin(step * pi / 6), 2)) for step in range(12))
