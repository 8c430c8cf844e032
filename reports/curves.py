"""The report's pictures of a training: its losses by step, and beneath them the score of its answers.

A loss can fall while the answers stay wrong, so both are shown, one above the other over the same steps.
Training and validation differ by their marks, so that colour is never needed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from reports.canvas import NARROW, SPOKEN, WIDE, Box, Chart, Size, drawing, plot_axes, value_ticks
from reports.svg import INK, to_svg
from reports.wording import clip, loss, number, percent, upperfirst

Point = Mapping[str, Any]
Fit = Mapping[str, Any]

_MOST_POINTS = 240  # of one curve
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 14, 10, 46  # margins in pixels
_MAGNITUDES = 20.0
"""From this ratio of the highest loss to the lowest on, losses are drawn by magnitude: on an even scale all that
happens after the first steps would lie on the floor. Our choice."""


def loss_chart(fits: Sequence[Fit], prefix: str, arm: str) -> Chart | None:
    """Return training (thin line) and validation loss (diamonds) by step, one pair of lines per seed.

    ``fits`` are the arm's fit reports; None when none of them has two points to draw.
    """
    curves = [fit for fit in fits if len(fit["losses"]) > 1]
    if not curves:
        return None
    spoken = " ".join(_spoken_loss(fit, many=len(curves) > 1) for fit in curves)

    def draw(size: Size) -> Markup:
        with drawing(size.width, 230) as figure:
            axes = _step_axes(figure, size, 230, _last_step(fits))
            for fit in curves:
                train, checked = with_value(fit["losses"], "train"), with_value(fit["losses"], "validation")
                _line(axes, train, "train", "-", "plain", 1.4)
                _line(axes, checked, "validation", "D-", "accent", 1.6)
                _mark_kept(axes, fit)
            if by_magnitude(curves):
                _magnitudes(axes, size)
            else:
                axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
            title = f"Loss of {clip(arm, SPOKEN)} by optimiser step"
            return to_svg(figure, f"{prefix}-{size.css_class}", title, spoken, size.css_class)

    return Chart(draw(WIDE), draw(NARROW))


def score_chart(fits: Sequence[Fit], prefix: str, arm: str, metric: str) -> Chart | None:
    """Return the score on the validation rows (diamonds, 0 to 100%) by step, one line per seed.

    ``metric`` is the metric's name in words. None when no fit has two scores to draw.
    """
    curves = [fit for fit in fits if len(with_value(fit["losses"], "score")) > 1]
    if not curves:
        return None
    spoken = " ".join(_spoken_score(fit, many=len(curves) > 1) for fit in curves)

    def draw(size: Size) -> Markup:
        from matplotlib.ticker import FuncFormatter

        with drawing(size.width, 230) as figure:
            axes = _step_axes(figure, size, 230, _last_step(fits))
            for fit in curves:
                _line(axes, with_value(fit["losses"], "score"), "score", "D-", "accent", 1.6)
                _mark_kept(axes, fit)
            axes.set_ylim(-0.04, 1.04)
            axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{number(100 * value)}%"))
            title = f"{upperfirst(metric)} of {clip(arm, SPOKEN)} on validation rows by optimiser step"
            return to_svg(figure, f"{prefix}-{size.css_class}", title, spoken, size.css_class)

    return Chart(draw(WIDE), draw(NARROW))


def with_value(points: Sequence[Point], name: str) -> list[Point]:
    """Return the points that have a value of that name; files of older versions lack some."""
    return [point for point in points if point.get(name) is not None]


def thin(points: Sequence[Point], most: int) -> list[Point]:
    """Return at most ``most`` (two or more) of the points, evenly spaced, with the first and the last."""
    if len(points) <= most:
        return list(points)
    return [points[round(index * (len(points) - 1) / (most - 1))] for index in range(most)]


def by_magnitude(fits: Sequence[Fit]) -> bool:
    """Tell whether a picture of these losses has a scale on which each tenfold takes the same room."""
    losses = [
        point[name] for fit in fits for name in ("train", "validation") for point in with_value(fit["losses"], name)
    ]
    return bool(losses) and min(losses) > 0 and max(losses) >= _MAGNITUDES * min(losses)


def _magnitudes(axes: Any, size: Size) -> None:  # noqa: ANN401
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    steps = (1.0, 2.0, 5.0) if high < 200 * low else (1.0, 3.0) if high < 20_000 * low else (1.0,)
    axes.yaxis.set_major_locator(LogLocator(subs=steps, numticks=12))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.tick_params(axis="y", labelcolor=INK["quiet"], labelsize=size.text - 1)
    axes.yaxis.grid(visible=True, color=INK["rule"], linewidth=1)


def _last_step(fits: Sequence[Fit]) -> int:
    return max(int(point["step"]) for fit in fits for point in fit["losses"])


def _step_axes(figure: Any, size: Size, height: int, last: int) -> Any:  # noqa: ANN401
    """Return axes whose steps stand at the same places in every picture of an arm."""
    axes = plot_axes(figure, Box(_LEFT, _TOP, _RIGHT, _BOTTOM, size.width, height))
    pad = max(0.02 * last, 0.05)
    axes.set_xlim(-pad, last + pad)
    axes.set_xlabel("optimiser step", color=INK["quiet"], fontsize=size.text - 1)
    axes.tick_params(axis="y", labelcolor=INK["quiet"], labelsize=size.text - 1)
    axes.yaxis.grid(visible=True, color=INK["rule"], linewidth=1)
    value_ticks(axes, size, number)
    return axes


def _line(axes: Any, points: Sequence[Point], name: str, form: str, ink: str, width: float) -> None:  # noqa: ANN401
    kept = thin(points, _MOST_POINTS)
    steps, values = [point["step"] for point in kept], [point[name] for point in kept]
    axes.plot(steps, values, form, color=INK[ink], linewidth=width, markersize=5)


def _mark_kept(axes: Any, fit: Fit) -> None:  # noqa: ANN401
    if fit["best_step"] is not None:
        axes.axvline(fit["best_step"], color=INK["quiet"], linewidth=1, linestyle=(0, (3, 3)), zorder=0)


def _spoken_loss(fit: Fit, *, many: bool) -> str:
    parts = []
    for name, words in (("train", "training loss"), ("validation", "validation loss")):
        if points := with_value(fit["losses"], name):
            first, last = points[0], points[-1]
            parts.append(
                f"{words} from {loss(first[name])} at step {number(first['step'])} "
                f"to {loss(last[name])} at step {number(last['step'])}"
            )
    if (points := with_value(fit["losses"], "validation")) and len(points) > 1:
        least = min(points, key=lambda point: float(point["validation"]))
        parts.append(f"lowest {loss(least['validation'])} at step {number(least['step'])}")
    return _sentence(fit, parts, many=many)


def _spoken_score(fit: Fit, *, many: bool) -> str:
    points = with_value(fit["losses"], "score")
    first, last = points[0], points[-1]
    most = max(points, key=lambda point: float(point["score"]))
    parts = [
        f"{percent(first['score'])} at step {number(first['step'])}",
        f"{percent(last['score'])} at step {number(last['step'])}",
        f"highest {percent(most['score'])} at step {number(most['step'])}",
    ]
    return _sentence(fit, parts, many=many)


def _sentence(fit: Fit, parts: Sequence[str], *, many: bool) -> str:
    return upperfirst((f"seed {fit['seed']}: " if many else "") + ", ".join(parts) + ".")
