"""The report's pictures: scores and differences with their intervals, and loss curves.

Each picture is drawn twice, for wide and for narrow screens (the page shows one of them), since text in
one scaled drawing would be unreadable on a telephone. Everything that a picture shows stands in a table
too. A trained arm is a filled diamond, any other a hollow circle, so that colour is never needed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from reports.svg import INK, to_svg
from reports.wording import clip, number, percent, signed

_ROW = 28  # height of one arm, in pixels
_SPOKEN = 60  # longest name in what a screen reader says
_MOST_POINTS = 240  # of one loss curve


@dataclass(frozen=True)
class Chart:
    """One picture in its two widths."""

    wide: Markup
    narrow: Markup


@dataclass(frozen=True)
class Interval:
    """One line of an interval chart; figures are shares (0…1)."""

    name: str
    value: float
    low: float
    high: float
    trained: bool


@dataclass(frozen=True)
class _Size:
    """A drawing's measures in pixels: width, the margin for values, text size, the longest name in characters."""

    css_class: str
    width: int
    right: int
    text: float
    longest: int
    ticks: int


@dataclass(frozen=True)
class _Box:
    """The margins around the plot and the whole drawing's size, in pixels."""

    left: int
    top: int
    right: int
    bottom: int
    width: int
    height: int


_WIDE = _Size("wide", 760, 74, 13, 26, 6)
_NARROW = _Size("narrow", 320, 58, 12, 15, 3)


def scores_chart(rows: Sequence[Interval], prefix: str, metric: str) -> Chart | None:
    """Return the arms' scores with their intervals, or None when there is no row."""
    return _intervals_chart(rows, prefix, f"{metric}, with intervals", percent, None)


def differences_chart(rows: Sequence[Interval], prefix: str, reference: str, minimum_gain: float) -> Chart | None:
    """Return the arms' differences to ``reference`` in points, with lines at zero and at the minimum gain."""
    return _intervals_chart(rows, prefix, f"Difference to {clip(reference, _SPOKEN)} in points", signed, minimum_gain)


def _intervals_chart(
    rows: Sequence[Interval], prefix: str, title: str, write: Callable[[float], str], minimum_gain: float | None
) -> Chart | None:
    if not rows:
        return None
    spoken = "; ".join(
        f"{clip(row.name, _SPOKEN)} {write(row.value)} ({write(row.low)} to {write(row.high)})" for row in rows
    )

    def draw(size: _Size) -> Markup:
        top = 26 if minimum_gain is not None else 8
        height = top + _ROW * len(rows) + 30
        with _figure(size.width, height) as figure:
            names = [clip(row.name, size.longest) for row in rows]
            left = round(max(map(len, names)) * size.text * 0.56) + 20
            axes = _axes(figure, _Box(left, top, size.right, 30, size.width, height))
            axes.set_yticks(range(len(rows)), names, color=INK["text"], fontsize=size.text, ha="left")
            axes.tick_params(axis="y", pad=left)
            _limits(axes, rows, minimum_gain)
            _draw_rows(axes, rows, size, write)
            if minimum_gain is not None:
                _draw_gain_lines(axes, minimum_gain, size)
            _value_ticks(axes, size, lambda value: number(100 * value, _decimals(axes, size)))
            return to_svg(figure, f"{prefix}-{size.css_class}", title, spoken + ".", size.css_class)

    return Chart(draw(_WIDE), draw(_NARROW))


def _limits(axes: Any, rows: Sequence[Interval], minimum_gain: float | None) -> None:  # noqa: ANN401
    least, most = min(row.low for row in rows), max(row.high for row in rows)
    if minimum_gain is not None:
        least, most = min(least, 0.0), max(most, minimum_gain)
    pad = max(0.04 * (most - least), 0.005)
    axes.set_xlim(least - pad, most + pad)
    axes.set_ylim(len(rows) - 0.5, -0.5)


def _draw_rows(axes: Any, rows: Sequence[Interval], size: _Size, write: Callable[[float], str]) -> None:  # noqa: ANN401
    for place, row in enumerate(rows):
        colour = INK["accent"] if row.trained else INK["plain"]
        axes.plot([row.low, row.high], [place, place], color=colour, linewidth=2.2, solid_capstyle="butt")
        for end in (row.low, row.high):
            axes.plot([end, end], [place - 0.14, place + 0.14], color=colour, linewidth=1.6)
        fill = colour if row.trained else INK["ground"]
        mark = "D" if row.trained else "o"
        axes.plot(
            [row.value], [place], mark, color=colour, markersize=8, markerfacecolor=fill, markeredgewidth=1.8, zorder=5
        )
        right = axes.get_xlim()[1]
        axes.annotate(
            write(row.value),
            (right, place),
            xytext=(size.right - 2, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            color=INK["text"],
            fontsize=size.text,
        )


def _draw_gain_lines(axes: Any, minimum_gain: float, size: _Size) -> None:  # noqa: ANN401
    axes.axvline(0, color=INK["quiet"], linewidth=1.2, zorder=0)
    axes.axvline(minimum_gain, color=INK["accent"], linewidth=1.2, linestyle=(0, (3, 3)), zorder=0)
    low, high = axes.get_xlim()
    aligned = "right" if minimum_gain > (low + high) / 2 else "left"
    axes.annotate(
        f"asked for: {signed(minimum_gain)}",
        (minimum_gain, 1),
        xycoords=("data", "axes fraction"),
        xytext=(4 if aligned == "left" else -4, 6),
        textcoords="offset points",
        ha=aligned,
        color=INK["quiet"],
        fontsize=size.text - 1,
    )


def loss_chart(fits: Sequence[Mapping[str, Any]], prefix: str, arm: str) -> Chart | None:
    """Return training (thin line) and validation loss (diamonds) by step, one pair of lines per seed.

    ``fits`` are the arm's fit reports; None when none of them has two points to draw.
    """
    curves = [(fit, list(fit["losses"])) for fit in fits if len(fit["losses"]) > 1]
    if not curves:
        return None

    def draw(size: _Size) -> Markup:
        height, top, bottom = 230, 10, 46
        with _figure(size.width, height) as figure:
            axes = _axes(figure, _Box(40, top, 14, bottom, size.width, height))
            for fit, points in curves:
                _draw_loss(axes, fit, points)
            axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
            axes.tick_params(axis="y", labelcolor=INK["quiet"], labelsize=size.text - 1, length=0)
            axes.set_xlabel("optimiser step", color=INK["quiet"], fontsize=size.text - 1)
            axes.yaxis.grid(visible=True, color=INK["rule"], linewidth=1)
            _value_ticks(axes, size, number)
            said = f"{len(curves)} seed(s); {sum(len(points) for _, points in curves)} points; the table has them."
            title = f"Loss of {clip(arm, _SPOKEN)} by optimiser step"
            return to_svg(figure, f"{prefix}-{size.css_class}", title, said, size.css_class)

    return Chart(draw(_WIDE), draw(_NARROW))


def _draw_loss(axes: Any, fit: Mapping[str, Any], points: list[Mapping[str, Any]]) -> None:  # noqa: ANN401
    train = thin([point for point in points if point["train"] is not None], _MOST_POINTS)
    checked = thin([point for point in points if point["validation"] is not None], _MOST_POINTS)
    axes.plot([p["step"] for p in train], [p["train"] for p in train], color=INK["plain"], linewidth=1.4)
    axes.plot([p["step"] for p in checked], [p["validation"] for p in checked], "D-", color=INK["accent"], markersize=5)
    if fit["best_step"] is not None:
        axes.axvline(fit["best_step"], color=INK["quiet"], linewidth=1, linestyle=(0, (3, 3)), zorder=0)


def thin(points: Sequence[Mapping[str, Any]], most: int) -> list[Mapping[str, Any]]:
    """Return at most ``most`` (two or more) of the points, evenly spaced, with the first and the last."""
    if len(points) <= most:
        return list(points)
    return [points[round(index * (len(points) - 1) / (most - 1))] for index in range(most)]


@contextmanager
def _figure(width: int, height: int) -> Iterator[Any]:
    """Give a figure of ``width`` × ``height`` pixels without any global state of matplotlib's touched for good."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    # names from data may hold dollar signs: they are text, not formulas
    with matplotlib.rc_context({"text.parse_math": False, "axes.unicode_minus": True}):
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        FigureCanvasSVG(figure)
        yield figure


def _axes(figure: Any, box: _Box) -> Any:  # noqa: ANN401
    width, height = box.width - box.left - box.right, box.height - box.top - box.bottom
    axes = figure.add_axes([box.left / box.width, box.bottom / box.height, width / box.width, height / box.height])
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.tick_params(length=0, pad=8)
    return axes


def _decimals(axes: Any, size: _Size) -> int:  # noqa: ANN401
    """Return the decimals that ticks in percent or points need: none, unless the axis is very short."""
    low, high = axes.get_xlim()
    return 0 if 100 * (high - low) >= 2 * size.ticks else 1


def _value_ticks(axes: Any, size: _Size, write: Callable[[float], str]) -> None:  # noqa: ANN401
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(size.ticks, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
    axes.tick_params(axis="x", labelcolor=INK["quiet"], labelsize=size.text - 1)
    axes.xaxis.grid(visible=True, color=INK["rule"], linewidth=1)
