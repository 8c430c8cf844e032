"""The report's pictures of scores and differences, with their intervals.

A trained arm is a filled diamond, any other a hollow circle, so that colour is never needed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from reports.canvas import NARROW, SPOKEN, WIDE, Box, Chart, Size, drawing, plot_axes, value_ticks
from reports.svg import INK, to_svg
from reports.wording import clip, number, percent, signed

_ROW = 28  # height of one arm, in pixels
_TOP = 26  # the same in both pictures, so that rows stand side by side


@dataclass(frozen=True)
class Interval:
    """One line of an interval chart; figures are shares (0…1)."""

    name: str
    value: float
    low: float
    high: float
    trained: bool


def scores_chart(rows: Sequence[Interval], prefix: str, metric: str) -> Chart | None:
    """Return the arms' scores with their intervals, or None when there is no row."""
    return _intervals_chart(rows, prefix, f"{metric}, with intervals", percent, None)


def differences_chart(rows: Sequence[Interval], prefix: str, reference: str, minimum_gain: float) -> Chart | None:
    """Return the arms' differences to ``reference`` in points, with lines at zero and at the minimum gain."""
    return _intervals_chart(rows, prefix, f"Difference to {clip(reference, SPOKEN)} in points", signed, minimum_gain)


def _intervals_chart(
    rows: Sequence[Interval], prefix: str, title: str, write: Callable[[float], str], minimum_gain: float | None
) -> Chart | None:
    if not rows:
        return None
    spoken = "; ".join(
        f"{clip(row.name, SPOKEN)} {write(row.value)} ({write(row.low)} to {write(row.high)})" for row in rows
    )

    def draw(size: Size) -> Markup:
        height = _TOP + _ROW * len(rows) + 30
        with drawing(size.width, height) as figure:
            names = [clip(row.name, size.longest) for row in rows]
            left = round(max(map(len, names)) * size.text * 0.56) + 20
            axes = plot_axes(figure, Box(left, _TOP, size.right, 30, size.width, height))
            axes.set_yticks(range(len(rows)), names, color=INK["text"], fontsize=size.text, ha="left")
            axes.tick_params(axis="y", pad=left)
            _limits(axes, rows, minimum_gain)
            _draw_rows(axes, rows, size, write)
            if minimum_gain is not None:
                _draw_gain_lines(axes, minimum_gain, size)
            value_ticks(axes, size, lambda value: number(100 * value, _decimals(axes, size)))
            return to_svg(figure, f"{prefix}-{size.css_class}", title, spoken + ".", size.css_class)

    return Chart(draw(WIDE), draw(NARROW))


def _limits(axes: Any, rows: Sequence[Interval], minimum_gain: float | None) -> None:  # noqa: ANN401
    least, most = min(row.low for row in rows), max(row.high for row in rows)
    if minimum_gain is not None:
        least, most = min(least, 0.0), max(most, minimum_gain)
    pad = max(0.04 * (most - least), 0.005)
    axes.set_xlim(least - pad, most + pad)
    axes.set_ylim(len(rows) - 0.5, -0.5)


def _draw_rows(axes: Any, rows: Sequence[Interval], size: Size, write: Callable[[float], str]) -> None:  # noqa: ANN401
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


def _draw_gain_lines(axes: Any, minimum_gain: float, size: Size) -> None:  # noqa: ANN401
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


def _decimals(axes: Any, size: Size) -> int:  # noqa: ANN401
    """Return the decimals that ticks in percent or points need: none, unless the axis is very short."""
    low, high = axes.get_xlim()
    return 0 if 100 * (high - low) >= 2 * size.ticks else 1
