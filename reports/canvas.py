"""What every picture of the report is drawn on.

Each picture is drawn twice, for a wide and for a narrow column (the page shows the one that fits), since text in
one scaled drawing would be unreadable on a telephone. Everything that a picture shows stands in a table too.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from reports.svg import INK

SPOKEN = 60
"""The longest name in what a screen reader says."""


@dataclass(frozen=True)
class Chart:
    """One picture in its two widths."""

    wide: Markup
    narrow: Markup


@dataclass(frozen=True)
class Size:
    """A drawing's measures in pixels: width, the margin for values, text size, the longest name in characters."""

    css_class: str
    width: int
    right: int
    text: float
    longest: int
    ticks: int


@dataclass(frozen=True)
class Box:
    """The margins around the plot and the whole drawing's size, in pixels."""

    left: int
    top: int
    right: int
    bottom: int
    width: int
    height: int


WIDE = Size("wide", 500, 66, 13, 20, 6)
"""Half of a wide screen's column: two pictures stand side by side there."""

FULL = Size("wide", 760, 74, 13, 26, 6)
"""For the few pictures that need a whole column."""

NARROW = Size("narrow", 320, 58, 12, 15, 4)


@contextmanager
def drawing(width: int, height: int) -> Iterator[Any]:
    """Give a figure of ``width`` × ``height`` pixels without any global state of matplotlib's touched for good."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    # names from data may hold dollar signs: they are text, not formulas
    with matplotlib.rc_context({"text.parse_math": False, "axes.unicode_minus": True}):
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        FigureCanvasSVG(figure)
        yield figure


def plot_axes(figure: Any, box: Box) -> Any:  # noqa: ANN401
    """Return bare axes inside the margins of ``box``."""
    width, height = box.width - box.left - box.right, box.height - box.top - box.bottom
    axes = figure.add_axes([box.left / box.width, box.bottom / box.height, width / box.width, height / box.height])
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.tick_params(length=0, pad=8)
    return axes


def value_ticks(axes: Any, size: Size, write: Callable[[float], str]) -> None:  # noqa: ANN401
    """Write the values of the lower axis by ``write``, with as many ticks as there's room for."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(size.ticks, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
    axes.tick_params(axis="x", labelcolor=INK["quiet"], labelsize=size.text - 1)
    axes.xaxis.grid(visible=True, color=INK["rule"], linewidth=1)


def height_ticks(axes: Any, size: Size, write: Callable[[float], str], most: int = 6) -> None:  # noqa: ANN401
    """Write the values of the left axis by ``write``, at ``most`` + 1 places at most."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
    axes.tick_params(axis="y", labelcolor=INK["quiet"], labelsize=size.text - 1)
    axes.yaxis.grid(visible=True, color=INK["rule"], linewidth=1)
