"""Which label was said in place of which: a matrix as a picture, and the most frequent confusions in words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from evals.scored import ScoredPrediction
from evals.winner import deciding, taken
from reports.canvas import FULL, NARROW, SPOKEN, WIDE, Box, Chart, Size, drawing, plot_axes
from reports.svg import INK, to_svg
from reports.wording import clip, plural

MOST_LABELS = 100
"""With more labels the picture is left out; the list of confusions stays."""

LISTED = 15
BESIDE = 20
"""Up to so many labels two pictures stand side by side."""

_COUNTED = 12  # labels up to which each cell has its count in it
_NO_LABEL = "no label"


@dataclass(frozen=True)
class Confused:
    """One confusion: rows with the label ``target`` to which ``said`` was answered, of all that have the label."""

    target: str
    said: str
    count: int
    of: int


@dataclass(frozen=True)
class Confusion:
    """The confusions of one arm, the most frequent first; ``wrong`` is how many answers were confused in all."""

    arm: str
    wrong: int
    listed: tuple[Confused, ...]
    chart: Chart | None


def build_confusions(
    results: Mapping[str, Any], predictions: Mapping[str, Sequence[ScoredPrediction]]
) -> list[Confusion]:
    """Return the confusions of the arm to take, the best one and the trained one that decides; none without labels."""
    labels = results["task"]["labels"]
    if not labels:
        return []
    take, verdict = taken(results), results["verdict"]
    names = dict.fromkeys([None if take is None else take["name"], verdict["best_arm"], deciding(verdict)])
    named = [name for name in names if name is not None and predictions.get(name)]
    return [_confusion(name, predictions[name], labels, place) for place, name in enumerate(named)]


def _confusion(arm: str, rows: Sequence[ScoredPrediction], labels: Sequence[str], place: int) -> Confusion:
    answered = [row for row in rows if row.score is not None]
    known = set(labels)
    counts = Counter((row.target, _said(row, known)) for row in answered)
    of = Counter(row.target for row in answered)
    wrong = Counter({pair: count for pair, count in counts.items() if pair[0] != pair[1]})
    ranked = sorted(wrong.items(), key=lambda entry: (-entry[1], entry[0]))
    listed = [Confused(target, said, count, of[target]) for (target, said), count in ranked[:LISTED]]
    chart = _chart(arm, counts, of, labels, f"confusion-{place}") if len(labels) <= MOST_LABELS else None
    return Confusion(arm, wrong.total(), tuple(listed), chart)


def _said(row: ScoredPrediction, known: set[str]) -> str:
    if row.score is not None and row.score >= 1:
        return row.target
    return row.extracted if row.extracted in known and row.extracted is not None else _NO_LABEL


def _chart(
    arm: str, counts: Mapping[tuple[str, str], int], of: Mapping[str, int], labels: Sequence[str], prefix: str
) -> Chart | None:
    """Return the matrix: a row for each label, a column for each answer, darker the larger its share of the row."""
    order = sorted(labels, key=lambda label: (-of[label], label))
    columns = [*order, *([_NO_LABEL] if any(said == _NO_LABEL for _, said in counts) else [])]
    right = sum(count for (target, said), count in counts.items() if target == said)
    spoken = f"{plural(len(order), 'label')}; {right} of {sum(counts.values())} answers on the diagonal are right."

    def draw(size: Size) -> Markup:
        step = 26 if len(order) <= _COUNTED else 13 if size is NARROW else 16
        names = [f"{clip(label, size.longest)} {place}" for place, label in enumerate(order, 1)]
        text = size.text if len(order) <= _COUNTED else min(size.text, step - 4)
        left = round(max(map(len, names)) * text * 0.56) + 16
        box = Box(left, 26, 8, 8, size.width, 34 + step * len(order))
        with drawing(size.width, box.height) as figure:
            axes = plot_axes(figure, box)
            _frame(axes, names, columns, text)
            for (target, said), count in sorted(counts.items()):
                if target in of and target in order:
                    cell = (columns.index(said), order.index(target))
                    _cell(axes, cell, count, of[target], counted=len(columns) <= _COUNTED, text=size.text - 1)
            title = f"Answers of {clip(arm, SPOKEN)} by label"
            return to_svg(figure, f"{prefix}-{size.css_class}", title, spoken, f"{size.css_class} cells")

    return Chart(draw(WIDE if len(order) <= BESIDE else FULL), draw(NARROW))


def _frame(axes: Any, names: Sequence[str], columns: Sequence[str], text: float) -> None:  # noqa: ANN401
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), names, color=INK["text"], fontsize=text)
    every = 1 if len(columns) <= 20 else 5 if len(columns) <= 50 else 10
    places = [place for place in range(len(columns)) if place == 0 or (place + 1) % every == 0]
    numbers = ["–" if columns[place] == _NO_LABEL else str(place + 1) for place in places]
    axes.set_xticks(places, numbers, color=INK["quiet"], fontsize=text)
    axes.xaxis.tick_top()
    axes.tick_params(axis="x", pad=4)


def _cell(axes: Any, cell: tuple[int, int], count: int, of: int, *, counted: bool, text: float) -> None:  # noqa: ANN401
    from matplotlib.patches import Rectangle

    x, y = cell
    colour = INK["plain"] if x == y else INK["accent"]
    strength = 0.12 + 0.33 * count / of  # more, and the figure in it would be hard to read
    axes.add_patch(Rectangle((x - 0.47, y - 0.47), 0.94, 0.94, facecolor=colour, alpha=strength, linewidth=0))
    if counted:
        axes.text(x, y, str(count), ha="center", va="center", color=INK["text"], fontsize=text)
