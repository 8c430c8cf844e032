"""The report's pictures of money: cost against quality, and cumulative cost by requests with the break-even.

A trained arm is a filled diamond or a solid line, any other a hollow circle or a dashed line, so that colour is never
needed; efficient arms carry a ring. Everything shown stands in the table of costs too.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from reports.canvas import NARROW, SPOKEN, WIDE, Box, Chart, Size, drawing, plot_axes, value_ticks
from reports.economics import CostRow, money
from reports.svg import INK, to_svg
from reports.wording import clip, percent, rounded

_HEIGHT = 300
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
            axes = plot_axes(figure, Box(56, 14, 90 if size is NARROW else 150, 50, size.width, _HEIGHT))
            _scatter(axes, scored, size)
            value_ticks(axes, size, money)
            _percent_axis(axes, size)
            unit = clip(currency, _LONGEST)
            axes.set_xlabel(f"{unit} per 1,000 requests", color=INK["quiet"], fontsize=size.text - 1)
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
            axes = plot_axes(figure, Box(64, 14, 96 if size is NARROW else 150, 50, size.width, _HEIGHT))
            axes.set_xlim(0, last)
            if band:
                axes.axvspan(band["low"], min(band["high"] or last, last), color=INK["rule"], zorder=0, linewidth=0)
                axes.axvline(band["middle"], color=INK["quiet"], linewidth=1.2, linestyle=(0, (3, 3)), zorder=1)
            for row in rows:
                form, colour = ("-", INK["accent"]) if row.trained else ((0, (5, 3)), INK["plain"])
                ends = [row.fixed, _cost(row, last)]
                axes.plot([0, last], ends, linestyle=form, color=colour, linewidth=1.8)
            axes.set_ylim(bottom=0)
            _end_labels(axes, rows, last, size)
            value_ticks(axes, size, rounded)
            _money_axis(axes, size)
            axes.set_xlabel("requests over the horizon", color=INK["quiet"], fontsize=size.text - 1)
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


def _scatter(axes: Any, rows: Sequence[CostRow], size: Size) -> None:  # noqa: ANN401
    front = sorted((row.per_1000, row.score or 0.0) for row in rows if row.efficient)
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
    most, scores = max(row.per_1000 for row in rows), [row.score or 0.0 for row in rows]
    axes.set_xlim(-0.04 * (most or 1), 1.06 * (most or 1))
    pad = max(0.08 * (max(scores) - min(scores)), 0.02)
    axes.set_ylim(min(scores) - pad, max(scores) + pad)
    for row in rows:
        if row.efficient:
            x, y = axes.transData.transform((row.per_1000, row.score))
            _write(axes, clip(row.name, size.longest), (x + 14, y), size)


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


def _percent_axis(axes: Any, size: Size) -> None:  # noqa: ANN401
    _axis(axes, size, percent)


def _money_axis(axes: Any, size: Size) -> None:  # noqa: ANN401
    _axis(axes, size, money)


def _axis(axes: Any, size: Size, write: Any) -> None:  # noqa: ANN401
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
    axes.tick_params(axis="y", labelcolor=INK["quiet"], labelsize=size.text - 1)
    axes.yaxis.grid(visible=True, color=INK["rule"], linewidth=1)
