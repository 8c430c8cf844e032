"""How often retrieval finds the right document among its first k: a line for each arm that retrieves.

Arms differ by their marks and dashes, so that colour is never needed; the table beside the picture has every figure.
"""

from markupsafe import Markup

from reports.canvas import NARROW, SPOKEN, WIDE, Box, Chart, Size, drawing, plot_axes
from reports.measures import Retrieval
from reports.svg import INK, to_svg
from reports.wording import clip, number, percent

_FORMS = ("o-", "D--", "s:", "^-.")
_HEIGHT = 210


def recall_chart(retrieval: Retrieval | None, prefix: str) -> Chart | None:
    """Return recall@k (0 to 100%) by k, or None where nothing was measured at two values of k."""
    if retrieval is None or len(retrieval.ks) < 2:
        return None
    spoken = "; ".join(
        f"{clip(name, SPOKEN)} "
        + ", ".join(f"{percent(recall)} at {k}" for k, recall in zip(retrieval.ks, found, strict=True))
        for name, _, found in retrieval.rows
    )

    def draw(size: Size) -> Markup:
        from matplotlib.ticker import FuncFormatter

        legend = 22 * len(retrieval.rows) if len(retrieval.rows) > 1 else 0
        height = _HEIGHT + legend
        with drawing(size.width, height) as figure:
            axes = plot_axes(figure, Box(46, 10 + legend, 14, 46, size.width, height))
            for (name, _, found), form in zip(retrieval.rows, _FORMS * len(retrieval.rows), strict=False):
                known = [(k, recall) for k, recall in zip(retrieval.ks, found, strict=True) if recall is not None]
                style = {"color": INK["accent"], "linewidth": 1.6, "markersize": 6, "label": clip(name, size.longest)}
                axes.plot([k for k, _ in known], [recall for _, recall in known], form, **style)
            if legend:
                where = {"loc": "lower left", "bbox_to_anchor": (-0.02, 1.0), "frameon": False}
                axes.legend(**where, fontsize=size.text - 1, labelcolor=INK["text"], handlelength=3.5)
            axes.set_ylim(-0.04, 1.04)
            axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{number(100 * value)}%"))
            axes.tick_params(axis="y", labelcolor=INK["quiet"], labelsize=size.text - 1)
            axes.yaxis.grid(visible=True, color=INK["rule"], linewidth=1)
            axes.set_xlabel("documents found, k", color=INK["quiet"], fontsize=size.text - 1)
            axes.set_xticks(retrieval.ks, [str(k) for k in retrieval.ks])
            axes.tick_params(axis="x", labelcolor=INK["quiet"], labelsize=size.text - 1)
            return to_svg(figure, f"{prefix}-{size.css_class}", "Recall by k", f"{spoken}.", size.css_class)

    return Chart(draw(WIDE), draw(NARROW))
