"""How the score moves with training rows, shots and passages (``results["curve"]``): sentences, rows and pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from reports.canvas import NARROW, SPOKEN, WIDE, Box, Chart, Size, drawing, plot_axes
from reports.sentences import Sentence
from reports.svg import INK, to_svg
from reports.wording import clip, count, difference_range, number, percent, points, score_range, signed

AXES = {"labels": "training rows", "shots": "worked examples in the prompt", "passages": "passages in the prompt"}
_HEIGHT = 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 18, 12, 50


@dataclass(frozen=True)
class ScoreCurve:
    """One arm on one axis, as the page shows it; ``rows`` are (value, score, interval, remark)."""

    arm: str
    axis: str
    sentence: Sentence
    rows: tuple[tuple[str, str, str, str], ...]
    chart: Chart | None
    fitted: bool


def score_curves(results: Mapping[str, Any]) -> list[ScoreCurve]:
    """Return the curves of a run; none when it wasn't asked for any."""
    return [_curve(entry, place) for place, entry in enumerate(results["curve"] or ())]


def curve_sentence(entry: Mapping[str, Any]) -> Sentence:
    """Say what an entry of ``results["curve"]`` tells."""
    names = {"arm": entry["arm"]}
    if entry["axis"] != "labels":
        return _number_sentence(entry, names)
    if entry["reason"] is not None:
        return Sentence(f"What more training rows would bring {{arm}} can't be told: {entry['reason']}.", names)
    doubled, four = entry["doubling"], entry["fourfold"]
    told = f"Twice the {count(entry['own'])} training rows are expected to bring {{arm}} {_gain(doubled)}"
    return Sentence(f"{told}, four times as many {_gain(four)}.", names)


def _gain(span: Mapping[str, float]) -> str:
    return f"{points(span['middle'])} ({100 * span['low']:.1f} to {100 * span['high']:.1f})"


def _number_sentence(entry: Mapping[str, Any], names: Mapping[str, str]) -> Sentence:
    what = AXES[entry["axis"]]
    if entry["best"] is None:
        return Sentence(f"Too few numbers of {what} were completed to compare {{arm}} by them.", names)
    if entry["against_own"] is None:
        return Sentence(f"{{arm}} scores best with the {count(entry['own'])} {what} that the run used.", names)
    gap = entry["against_own"]
    if gap["difference"] == 0:
        return Sentence(
            f"No number of {what} does better for {{arm}} than the {count(entry['own'])} of the run.", names
        )
    one = what.replace("examples", "example").replace("passages", "passage") if entry["best"] == 1 else what
    opening = f"{{arm}} scores best with {count(entry['best'])} {one}"
    pair = f"{signed(gap['difference'])} points ({difference_range(gap['low'], gap['high'])})"
    surely = ", which flatters it, as the best of several" if gap["low"] > 0 else ", which may be chance"
    told = f"{opening}: {pair} against the {count(entry['own'])} that the run used{surely}"
    key = "few_shot.try_k" if entry["axis"] == "shots" else "rag.try_k"
    return Sentence(
        f"{told}. To choose one, set `{key}` in the task: it's then chosen on a part of the training rows.", names
    )


def _curve(entry: Mapping[str, Any], place: int) -> ScoreCurve:
    rows = []
    for point in entry["points"]:
        score = point["score"]
        remark = {"done": "", "cut": "the context holds fewer"}.get(point["status"], str(point["status"]))
        if point["value"] == entry["own"]:
            remark = "the run's own"
        figures = ("", "") if score is None else (percent(score["mean"]), score_range(score["low"], score["high"]))
        rows.append((count(point["value"]), *figures, remark))
    for drawn in entry.get("fit", ()):
        if drawn["rows"] > entry["own"]:
            figures = (percent(drawn["middle"]), score_range(drawn["low"], drawn["high"]))
            rows.append((count(drawn["rows"]), *figures, "expected"))
    chart = _chart(entry, f"curve-{place}")
    return ScoreCurve(
        entry["arm"], AXES[entry["axis"]], curve_sentence(entry), tuple(rows), chart, bool(entry.get("fit"))
    )


def _chart(entry: Mapping[str, Any], prefix: str) -> Chart | None:
    scored = [point for point in entry["points"] if point["score"] is not None]
    if len(scored) < 2:
        return None
    spoken = "; ".join(f"{count(point['value'])}: {percent(point['score']['mean'])}" for point in scored) + "."
    fit = entry.get("fit") or []
    shown = sorted({*(point["value"] for point in scored), *(point["rows"] for point in fit[-1:])})

    def draw(size: Size) -> Markup:
        with drawing(size.width, _HEIGHT) as figure:
            axes = plot_axes(figure, Box(_LEFT, _TOP, _RIGHT, _BOTTOM, size.width, _HEIGHT))
            _draw_fit(axes, fit, entry["own"])
            _draw_points(axes, scored)
            _finish(axes, shown, AXES[entry["axis"]], size)
            title = f"Score of {clip(entry['arm'], SPOKEN)} by {AXES[entry['axis']]}"
            return to_svg(figure, f"{prefix}-{size.css_class}", title, spoken, size.css_class)

    return Chart(draw(WIDE), draw(NARROW))


def _draw_points(axes: Any, scored: Sequence[Mapping[str, Any]]) -> None:  # noqa: ANN401
    for point in scored:
        x, score = _place(point["value"]), point["score"]
        axes.plot([x, x], [score["low"], score["high"]], color=INK["plain"], linewidth=2)
        axes.plot([x], [score["mean"]], "D", color=INK["accent"], markersize=7, zorder=5)


def _draw_fit(axes: Any, fit: Sequence[Mapping[str, float]], own: int) -> None:  # noqa: ANN401
    if not fit:
        return
    places = [_place(point["rows"]) for point in fit]
    lows, highs = [point["low"] for point in fit], [point["high"] for point in fit]
    axes.fill_between(places, lows, highs, color=INK["band"], linewidth=0, zorder=0)
    seen, beyond = ([p for p in fit if p["rows"] <= own], [p for p in fit if p["rows"] >= own])
    for part, form in ((seen, "-"), (beyond, (0, (4, 3)))):
        line = [_place(point["rows"]) for point in part], [point["middle"] for point in part]
        axes.plot(*line, linestyle=form, color=INK["accent"], linewidth=1.6)


def _finish(axes: Any, shown: Sequence[int], what: str, size: Size) -> None:  # noqa: ANN401
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_xticks([_place(value) for value in shown], [count(value) for value in shown])
    axes.tick_params(axis="x", labelcolor=INK["quiet"], labelsize=size.text - 1)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{number(100 * value)}%"))
    axes.tick_params(axis="y", labelcolor=INK["quiet"], labelsize=size.text - 1)
    axes.yaxis.grid(visible=True, color=INK["rule"], linewidth=1)
    axes.set_xlabel(f"{what}, each step doubles", color=INK["quiet"], fontsize=size.text - 1)


def _place(value: float) -> float:
    """Return where a number stands on an axis of doublings; 0 stands one doubling below 1."""
    import math

    return math.log2(value) if value >= 1 else -1.0
