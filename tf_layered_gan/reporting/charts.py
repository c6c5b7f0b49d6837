"""Charts as SVG: charts of lines over steps, and charts of points."""

import math
from collections.abc import Mapping, Sequence

from tf_layered_gan.reporting.markup import Markup, element, join

Points = Sequence[tuple[float, float]]

_WIDTH, _HEIGHT = 400, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 18, 8, 36  # margins in which the numbers of the axes are drawn
_TICKS = 4
_DOTTED = 12  # a line with this number of points or fewer shows its points as dots


def line_chart(
    title: str, series: Mapping[str, Points], x_label: str, *, y_range: tuple[float, float] | None = None
) -> Markup:
    """Draws lines and a legend. Each line has its own colour and dashes.

    Args:
        title: the chart's heading.
        series: dict from the name of each line to its points (x, y). All lines together must have at least one point.
            Points that are not finite are left out.
        x_label: the name of x.
        y_range: the least and the greatest value of the y axis; by default the least and the greatest y of the points.
    """
    series = {name: _finite(points) for name, points in series.items()}
    axes = _Axes([point for points in series.values() for point in points], y_range)
    lines = [_line(axes, points, i) for i, points in enumerate(series.values())]
    words = "; ".join(f"{name} from {_short(p[0][1])} to {_short(p[-1][1])}" for name, p in series.items() if p)
    legend = [
        element("li", _swatch(i), f"{name} ({_short(points[-1][1])} at the end)" if points else f"{name} (no value)")
        for i, (name, points) in enumerate(series.items())
    ]
    drawing = _drawing(f"{title}: {words}", axes.drawn(x_label), *lines)
    parts = (element("figcaption", title), drawing, element("ul", *legend, class_="legend"))
    return element("figure", *parts, class_="chart")


def point_chart(title: str, points: Points, x_label: str, y_label: str) -> Markup:
    """Draws points (x, y), both from 0 to 1."""
    axes = _Axes([], (0, 1), (0, 1))
    dots = [element("circle", cx=axes.x(x), cy=axes.y(y), r=3, class_="dot") for x, y in points]
    words = f"{title}: {len(points)} points, {y_label} against {x_label}"
    return element("figure", element("figcaption", title), _drawing(words, axes.drawn(x_label), *dots), class_="chart")


class _Axes:
    """Maps values to positions in the drawing."""

    def __init__(
        self,
        points: Points,
        y_range: tuple[float, float] | None,
        x_range: tuple[float, float] | None = None,
    ):
        self._x_range = x_range or _range([x for x, _ in points])
        self._y_range = y_range or _range([y for _, y in points])

    def x(self, value: float) -> float:
        low, high = self._x_range
        return round(_LEFT + (value - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(self, value: float) -> float:
        low, high = self._y_range
        share = min(1.0, max(0.0, (value - low) / (high - low)))
        return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM), 1)

    def drawn(self, x_label: str) -> Markup:
        """Draws grid lines, their numbers and the label of the x axis."""
        parts = []
        for value in _ticks(*self._y_range):
            y = self.y(value)
            parts.append(element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="grid"))
            parts.append(element("text", _short(value), x=_LEFT - 6, y=y + 4, text_anchor="end"))
        for value in _ticks(*self._x_range):
            place = {"x": self.x(value), "y": _HEIGHT - _BOTTOM + 16}
            parts.append(element("text", _short(value), **place, text_anchor="middle"))
        middle = (_LEFT + _WIDTH - _RIGHT) / 2
        return join([*parts, element("text", x_label, x=middle, y=_HEIGHT - 3, text_anchor="middle")])


def _line(axes: _Axes, points: Points, number: int) -> Markup:
    if len(points) == 1:
        x, y = points[0]
        return element("circle", cx=axes.x(x), cy=axes.y(y), r=4, class_=f"dot line{number % 6}")
    path = " ".join(f"{axes.x(x)},{axes.y(y)}" for x, y in points)
    few = points if len(points) <= _DOTTED else ()
    dots = [element("circle", cx=axes.x(x), cy=axes.y(y), r=3, class_=f"dot line{number % 6}") for x, y in few]
    return join([element("polyline", points=path, class_=f"line line{number % 6}"), *dots])


def _swatch(number: int) -> Markup:
    line = element("line", x1=0, x2=26, y1=5, y2=5, class_=f"line line{number % 6}")
    return element("svg", line, viewBox="0 0 26 10", class_="swatch", aria_hidden="true")


def _drawing(words: str, *parts: Markup) -> Markup:
    return element("svg", *parts, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", aria_label=words)


def _finite(points: Points) -> Points:
    return [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    around = abs(low) / 2 or 1.0  # if all values are equal, their range is empty, so the axis gets a range around them
    return (low, high) if high > low else (low - around, high + around)


def _ticks(low: float, high: float) -> list[float]:
    """Returns about four round numbers in a range."""
    rough = (high - low) / _TICKS
    size = 10.0 ** math.floor(math.log10(rough))
    step = size * next(factor for factor in (1, 2, 5, 10) if factor * size >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _short(value: float) -> str:
    """Returns a number with three digits, and k or M for thousands or millions."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"
