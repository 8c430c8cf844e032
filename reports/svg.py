"""A matplotlib figure as SVG that stands inside a page: themed by the page's CSS, safe, and with its own ids.

Figures are drawn in the placeholder colours of ``INK``; here they become CSS custom properties, so that
one drawing serves the light and the dark theme. matplotlib's style sheet and metadata, which would
reach out into the whole page, are left out.
"""

import io
import re
import warnings
from typing import Any
from xml.etree import ElementTree

from markupsafe import Markup

_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"

INK = {
    "text": "#010101",
    "quiet": "#020202",
    "rule": "#030303",
    "accent": "#040404",
    "plain": "#050505",
    "ground": "#060606",
    "band": "#070707",
}
"""Placeholder colours, by what they stand for; each becomes ``var(--chart-<name>)``."""

_COLOURS = {colour: f"var(--chart-{name})" for name, colour in INK.items()}
_COLOUR = re.compile("|".join(_COLOURS))
_FAMILY = re.compile(r"font-family: [^;]*;? ?")
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_REFERENCE = re.compile(r"url\(#([^)]*)\)")


def to_svg(figure: Any, prefix: str, title: str, description: str, css_class: str) -> Markup:  # noqa: ANN401
    """Return ``figure`` (a matplotlib ``Figure``) as an ``<svg role="img">`` element.

    ``prefix`` begins every id in it and must be unique in the page; the output depends on the figure
    and the arguments alone. ``title`` and ``description`` are what a screen reader says.
    """
    import matplotlib

    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none"}), warnings.catch_warnings():
        # the reader's own fonts draw the text: glyphs that matplotlib's font lacks don't matter
        warnings.filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    root = ElementTree.fromstring(_without_doctype(buffer.getvalue()))
    names = {node.get("id", ""): f"{prefix}-{number}" for number, node in enumerate(_with_ids(root))}
    for parent in root.iter():
        for child in list(parent):
            if child.tag in (f"{_SVG}style", f"{_SVG}metadata"):
                parent.remove(child)
    for node in root.iter():
        _clean(node, names)
    _flatten(root)
    box = root.get("viewBox", "").split()
    inner = "".join(ElementTree.tostring(child, encoding="unicode") for child in root)
    head = Markup(
        '<svg class="chart {}" role="img" aria-labelledby="{}-title {}-desc" viewBox="{}" width="{}" height="{}">'
    )
    texts = Markup('<title id="{}-title">{}</title><desc id="{}-desc">{}</desc>')
    opening = head.format(css_class, prefix, prefix, " ".join(box), *box[2:])
    return opening + texts.format(prefix, title, prefix, description) + Markup(inner + "</svg>")


def _without_doctype(text: str) -> str:
    return text[text.index("<svg") :]


def _with_ids(root: ElementTree.Element) -> list[ElementTree.Element]:
    return [node for node in root.iter() if node.get("id")]


def _clean(node: ElementTree.Element, names: dict[str, str]) -> None:
    """Make one element fit for the page: plain tag, ids of this chart, the page's colours and font."""
    node.tag = node.tag.removeprefix(_SVG)
    node.tail = None
    if node.tag != "text":
        node.text = None
    attributes = dict(node.attrib)
    node.attrib.clear()
    for key, value in attributes.items():
        if key == "id":
            if node.tag != "g":  # groups are named by matplotlib, but nothing refers to them
                node.set("id", names[value])
        elif key == _HREF:
            node.set("href", f"#{names[value[1:]]}")
        elif key == "style":
            node.set("style", _COLOUR.sub(lambda match: _COLOURS[match.group()], _short(_FAMILY.sub("", value))))
        else:
            found = _REFERENCE.sub(lambda match: f"url(#{names[match.group(1)]})", re.sub(r"\s+", " ", value))
            node.set(key, found if "url(" in found else _short(found))
    if node.tag == "text" and "fill" not in node.get("style", ""):
        node.set("style", f"{node.get('style', '')}; fill: {_COLOURS[INK['text']]}")


def _flatten(node: ElementTree.Element) -> None:
    """Take away what shows nothing: groups that only group, shapes without colour, empty definitions."""
    for child in list(node):
        _flatten(child)
        place = list(node).index(child)
        bare = child.tag in ("g", "defs") and not child.attrib and (child.tag == "g" or not len(child))
        unseen = child.tag == "path" and child.get("style") == "fill: none"
        if bare or unseen:
            node.remove(child)
            node[place:place] = list(child) if bare else []


def _short(text: str) -> str:
    """Write coordinates to a hundredth of a pixel: six decimals would be a third of the page."""
    return _LONG_NUMBER.sub(lambda match: f"{float(match.group()):.2f}".rstrip("0").rstrip("."), text)
