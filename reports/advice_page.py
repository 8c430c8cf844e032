"""``advice.html`` from the content of ``advice.json``: what to do, why, and what would change it, on one page.

It's made as the report is: everything inlined, nothing fetched, no script, every text from outside escaped.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import UndefinedError
from markupsafe import Markup

from evals.advice_file import check_advice
from evals.errors import UsageError
from evals.files import write_text
from reports import advice_view as view
from reports.advice_estimates import build_estimates
from reports.advice_wording import NOT_READY, approach_name, coded, command, rough
from reports.page import environment, source

FILE = "advice.html"

MISSING = {
    "plan": "There is no plan: this advice was written without one. `tuneworthy advise` made anew adds it.",
    "estimates": "Nothing was estimated: this advice was made without prices. `tuneworthy advise --prices FILE` adds "
    "what training, requests and labelling would cost.",
    "readiness": "Nothing was checked: this advice was made without looking at data. `tuneworthy advise --data ROWS` "
    "adds what is there and what is still needed.",
    "measured": "No answer was measured: this advice was made without looking at data. `tuneworthy advise --data ROWS` "
    "counts what can be counted.",
}
"""Why a part isn't there, and the command that adds it."""

BADGES = {
    "leads": ("worth_it", "One option leads"),
    "open": ("undecided", "No clear lead"),
    NOT_READY: ("undecided", "Not ready yet"),
}
"""The look of the badge and what it says, by how the recommendation stands."""


def advice_page(advice: Mapping[str, Any]) -> str:
    """Return the page as one HTML document; equal advice gives equal pages.

    Raises ``UsageError`` for advice of another schema or with a part missing or of the wrong kind.
    """
    check_advice(advice)
    template = environment().get_template("advice.html.j2")
    try:
        return template.render(
            advice=advice,
            recommendation=advice["recommendation"],
            ready=advice["recommendation"]["approach"] != NOT_READY,
            meanwhile=approach_name(advice["recommendation"]["meanwhile"], advice["options"]),
            badge=BADGES[view.standing(advice)],
            headline=view.headline(advice),
            tiles=view.tiles(advice),
            options=view.options_of(advice),
            flips=view.flips_of(advice),
            deciding=view.unknowns_of(advice, deciding=True),
            others=view.unknowns_of(advice, deciding=False),
            estimates=build_estimates(advice.get("estimates")),
            plan=view.plan_of(advice),
            readiness=advice.get("readiness"),
            missing=MISSING,
            block_effect=view.block_effect,
            figures_of=view.figures_of,
            likeness_of=view.likeness_of,
            option_text=view.option_text,
            name_of=lambda approach: approach_name(approach, advice["options"]),
            places={key: f"answer-{place}" for place, key in enumerate(advice["answers"], 1)},
            coded=coded,
            command=command,
            rough=rough,
            style=Markup(source("report.css")),
            more_style=Markup(source("advice.css")),
        )
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError, UndefinedError) as error:
        cause = " ".join(str(error).split())
        raise UsageError(f"the advice can't be shown ({type(error).__name__}: {cause})") from error


def write_advice(folder: Path, advice: Mapping[str, Any]) -> Path:
    """Write ``advice.html`` into ``folder`` and return its path. Raises ``UsageError`` and ``OSError``."""
    path = folder / FILE
    write_text(path, advice_page(advice))
    return path
