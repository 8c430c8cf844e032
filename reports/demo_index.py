"""``index.html`` of a demo: one page that links the reports of its tasks and sets their verdicts side by side.

It's made as the report is: everything inlined, nothing fetched, every text from the data escaped; it has no
script at all, and its Content-Security-Policy allows none.
"""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from jinja2 import UndefinedError
from markupsafe import Markup

from evals.errors import RunError
from evals.files import write_text
from reports.demo_outcome import DemoOutcome, demo_headline
from reports.page import environment, source
from reports.repays import badge
from reports.sentences import advice, headline, other_level
from reports.wording import FAMILIES, plural

FILE = "index.html"


def render_index(outcomes: Sequence[DemoOutcome]) -> str:
    """Return the demo's page as one HTML document. Raises ``RunError`` when the results of a task are damaged."""
    return render_outcomes(outcomes, f"Demo of {plural(len(outcomes), 'task')}")


def render_outcomes(outcomes: Sequence[DemoOutcome], title: str, *, each: bool = True) -> str:
    """Return the page as one HTML document; a run's report is linked as ``NAME/report.html``.

    ``each`` gives every outcome a section of its own below the table. Raises ``RunError`` for damaged results.
    """
    template = environment().get_template("index.html.j2")
    try:
        return template.render(
            outcomes=outcomes,
            title=title,
            each=each,
            headline=demo_headline(outcomes),
            verdict_of=headline,
            advice=advice,
            other_level=other_level,
            link=lambda name: quote(name, safe="" if each else "/", errors="replace") + "/report.html",
            badge=badge,
            FAMILIES=FAMILIES,
            style=Markup(source("report.css")),
            more_style=Markup(source("index.css")),
        )
    except (KeyError, TypeError, AttributeError, UndefinedError) as error:
        raise RunError(f"the results of a task can't be shown ({type(error).__name__}: {error})") from error


def write_index(folder: Path, outcomes: Sequence[DemoOutcome]) -> Path:
    """Write ``index.html`` into the demo's folder and return its path. Raises ``RunError`` and ``OSError``."""
    path = folder / FILE
    write_text(path, render_index(outcomes))
    return path
