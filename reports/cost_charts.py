"""The report's pictures of money: cost against quality, and cumulative cost by requests with the break-even.

A trained arm is a filled diamond or a solid line, any other a hollow circle or a dashed line, so that colour is never
needed; efficient arms carry a ring, and every arm its name. Everything shown stands in the table of costs too.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from reports.canvas import NARROW, SPOKEN, WIDE, Box, Chart, Size, drawing, height_ticks, plot_axes, value_ticks
from reports.economics import CostRow, money
from reports.name_places import Mark, name_places, text_width
from reports.svg import INK, to_svg
from reports.wording import clip, number, percent, rounded

_HEIGHT = 290
_MAGNITUDES = 20.0
"""From this ratio of the dearest request to the cheapest on, costs are drawn by their magnitude: the cheap arms would
otherwise stand on top of each other. Our choice."""
_STEPS = 2
ASSUMED_REQUESTS = 100_000.0
"""How far the picture of costs goes where no volume is given and nothing breaks even. Our choice, told beside it."""
_LONGEST = 16  # characters of a currency
_LABEL_GAP = 15  # pixels between two names at the right edge


def quality_chart(rows: Sequence[CostRow], prefix: str, currency: str) -> Chart | None:
    """Return score against the cost of 1,000 requests, one mark per arm; None with fewer than two scored arms."""
    scored = [row for row in rows if row.score is not None]
    if len(scored) < _STEPS:
        return None
    marks = {row.name: " (efficient)" if row.efficient else "" for row in scored}
    spoken = "; ".join(
        f"{clip(row.name, SPOKEN)}{marks[row.name]} {percent(row.score)} at {money(row.per_1000)}" for row in scored
    )

    def draw(size: Size) -> Markup:
        with drawing(size.width, _HEIGHT) as figure:
            box = Box(46, 14, 16, 50, size.width, _HEIGHT)
            axes = plot_axes(figure, box)
            value_ticks(axes, size, money)
            scaled = _scatter(axes, scored)
            height_ticks(axes, size, lambda value: f"{number(100 * value)}%")
            _name_marks(axes, scored, size, box)
            unit = clip(currency, _LONGEST)
            label = f"{unit} per 1,000 requests{', each step ×10' if scaled else ''}"
            axes.set_xlabel(label, color=INK["quiet"], fontsize=size.text - 1)
            title = "Score against the cost of 1,000 requests"
            return to_svg(figure, f"{prefix}-{size.css_class}", title, spoken + ".", size.css_class)

    return Chart(draw(WIDE), draw(NARROW))


def cumulative_chart(rows: Sequence[CostRow], prefix: str, economics: Mapping[str, Any]) -> Chart | None:
    """Return what each arm has cost after so many requests over the horizon, with the band of the break-even.

    None without a trained and an untrained arm.
    """
    if not (any(row.trained for row in rows) and any(not row.trained for row in rows)):
        return None
    band = economics["payback"]["requests"]
    volume = (economics["requests_per_month"] or 0) * economics["horizon_months"]
    last = max(volume, 1.6 * band["middle"] if band else 0.0) or ASSUMED_REQUESTS
    spoken = "; ".join(f"{clip(row.name, SPOKEN)} from {money(row.fixed)} to {money(_cost(row, last))}" for row in rows)

    def draw(size: Size) -> Markup:
        with drawing(size.width, _HEIGHT) as figure:
            longest = max(len(clip(row.name, size.longest)) for row in rows)
            right = round(text_width("n" * longest, size.text - 1)) + 12
            axes = plot_axes(figure, Box(56, 24 if band else 14, right, 50, size.width, _HEIGHT))
            axes.set_xlim(0, last)
            if band:
                _draw_band(axes, band, last, size)
            for row in rows:
                form, colour = ("-", INK["accent"]) if row.trained else ((0, (5, 3)), INK["plain"])
                ends = [row.fixed, _cost(row, last)]
                axes.plot([0, last], ends, linestyle=form, color=colour, linewidth=1.8)
            axes.set_ylim(bottom=0)
            _end_labels(axes, rows, last, size)
            unit, named = _requests_unit(last)
            value_ticks(axes, size, lambda value: rounded(value / unit))
            height_ticks(axes, size, money)
            months = _months(economics["horizon_months"])
            axes.set_xlabel(f"{named}requests in {months}", color=INK["quiet"], fontsize=size.text - 1)
            title = f"Cumulative cost by requests, in {clip(economics['currency'], _LONGEST)}"
            return to_svg(figure, f"{prefix}-{size.css_class}", title, spoken + ".", size.css_class)

    return Chart(draw(WIDE), draw(NARROW))


def cumulative_note(economics: Mapping[str, Any]) -> str:
    """Return the end of the picture's caption: what the band is, or that the range of requests is assumed."""
    payback = economics["payback"]
    if payback["requests"]:
        pair = f"{clip(payback['trained'], SPOKEN)} against {clip(payback['against'], SPOKEN)}"
        return f"; the shaded band is the break-even of {pair}, with an input off by half."
    if not economics["requests_per_month"]:
        return f"; {ASSUMED_REQUESTS:,.0f} requests are assumed (decision.requests_per_month in the task sets them)."
    return "."


def _cost(row: CostRow, requests: float) -> float:
    """Return what an arm has cost after so many requests."""
    return row.fixed + row.per_1000 * requests / 1000


def _draw_band(axes: Any, band: Mapping[str, float | None], last: float, size: Size) -> None:  # noqa: ANN401
    middle = band["middle"] or 0.0
    axes.axvspan(band["low"], min(band["high"] or last, last), color=INK["band"], zorder=0, linewidth=0)
    axes.axvline(middle, color=INK["quiet"], linewidth=1.2, linestyle=(0, (3, 3)), zorder=1)
    axes.annotate(
        f"break-even {rounded(middle)}",
        (middle, 1),
        xycoords=("data", "axes fraction"),
        xytext=(0, 7),
        textcoords="offset points",
        ha="center",
        color=INK["quiet"],
        fontsize=size.text - 1,
    )


def _requests_unit(last: float) -> tuple[float, str]:
    """Return what the ticks of requests are divided by, and its name before "requests"."""
    return (1e6, "million ") if last >= 2e6 else (1.0, "")


def _months(months: float) -> str:
    return f"{months:g} month{'' if months == 1 else 's'}"


def _scatter(axes: Any, rows: Sequence[CostRow]) -> bool:  # noqa: ANN401
    """Draw the marks and the front; return whether costs are drawn by magnitude."""
    front = _front(rows)
    if len(front) > 1:
        costs, scores_there = zip(*front, strict=True)
        axes.step(costs, scores_there, where="post", color=INK["quiet"], linewidth=1.2, linestyle=(0, (2, 3)), zorder=1)
    for row in rows:
        colour = INK["accent"] if row.trained else INK["plain"]
        mark, fill = ("D", colour) if row.trained else ("o", INK["ground"])
        spot = ([row.per_1000], [row.score])
        if row.efficient:
            axes.plot(*spot, "o", color=INK["quiet"], markersize=17, markerfacecolor="none", markeredgewidth=1.2)
        axes.plot(*spot, mark, color=colour, markersize=8, markerfacecolor=fill, markeredgewidth=1.8, zorder=5)
    scores = [row.score or 0.0 for row in rows]
    pad = max(0.1 * (max(scores) - min(scores)), 0.02)
    axes.set_ylim(min(scores) - pad, max(scores) + pad)
    return _cost_axis(axes, [row.per_1000 for row in rows])


def _front(rows: Sequence[CostRow]) -> list[tuple[float, float]]:
    """Return cost and score of the efficient arms, the cheapest first."""
    return sorted((row.per_1000, row.score or 0.0) for row in rows if row.efficient)


def _front_boxes(axes: Any, rows: Sequence[CostRow]) -> list[tuple[float, float, float, float]]:  # noqa: ANN401
    """Return the room of the dotted line, a box for each stretch of it, in pixels."""
    spots = [[float(one) for one in axes.transData.transform(spot)] for spot in _front(rows)]
    boxes = []
    for (x, y), (next_x, next_y) in pairwise(spots):
        boxes += [(x, y - 1, next_x, y + 1), (next_x - 1, min(y, next_y), next_x + 1, max(y, next_y))]
    return boxes


def _cost_axis(axes: Any, costs: Sequence[float]) -> bool:  # noqa: ANN401
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    least, most = min(costs), max(costs) or 1.0
    if least <= 0 or most < _MAGNITUDES * least:
        axes.set_xlim(-0.06 * most, 1.08 * most)
        return False
    axes.set_xscale("log")
    reach = (most / least) ** 0.08
    axes.set_xlim(least / reach, most * reach)
    axes.xaxis.set_major_locator(LogLocator(numticks=8))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    return True


def _name_marks(axes: Any, rows: Sequence[CostRow], size: Size, box: Box) -> None:  # noqa: ANN401
    """Write every arm's name beside its mark, with a thin line where it had to move away."""
    from matplotlib.lines import Line2D

    spots = [axes.transData.transform((row.per_1000, row.score or 0.0)) for row in rows]
    marks = [Mark(clip(row.name, size.longest), float(x), float(y)) for row, (x, y) in zip(rows, spots, strict=True)]
    room = (float(box.left), float(box.bottom), box.width - 2.0, box.height - 2.0)
    text = size.text - 1
    for place in name_places(marks, text, room, _front_boxes(axes, rows)):
        if place.led:
            end = place.end_towards_mark(text_width(place.mark.name, text))
            line = Line2D([place.mark.x, end[0]], [place.mark.y, end[1]], color=INK["quiet"], linewidth=0.8, zorder=2)
            line.set_transform(None)
            axes.add_line(line)
        _write(axes, place.mark.name, (place.x, place.y), size)


def _end_labels(axes: Any, rows: Sequence[CostRow], last: float, size: Size) -> None:  # noqa: ANN401
    """Write each arm's name at the right end of its line, moved apart where lines end close together."""
    ends = sorted(
        ((axes.transData.transform((last, _cost(row, last))), row) for row in rows),
        key=lambda end: float(end[0][1]),
    )
    lowest = -float("inf")
    for (x, y), row in ends:
        lowest = max(float(y), lowest + _LABEL_GAP)
        _write(axes, clip(row.name, size.longest), (float(x) + 6, lowest), size)


def _write(axes: Any, text: str, pixels: tuple[float, float], size: Size) -> None:  # noqa: ANN401
    axes.annotate(
        text,
        pixels,
        xycoords="figure pixels",
        va="center",
        color=INK["text"],
        fontsize=size.text - 1,
        annotation_clip=False,
    )
