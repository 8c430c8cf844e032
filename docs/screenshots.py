"""Take the README's pictures of the demo's reports: ``make screenshots``, or ``python docs/screenshots.py FOLDER``.

FOLDER is a demo's (``runs/demo-TIME``); without it the newest one is taken. Needs Chromium.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

DOCS = Path(__file__).parent
NAMES = ("policy-qa", "ticket-coding", "order-format")
WIDTH, HEIGHT = 1280, 900


def main() -> None:
    """Write ``docs/report-NAME.png`` for each example task."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not installed (Debian: apt-get install chromium)")
    given = [Path(argument) for argument in sys.argv[1:]]
    folders = given or sorted(Path("runs").glob("demo-*"))
    if not folders:
        sys.exit("there is no runs/demo-TIME: run `tuneworthy demo` first")
    pages = {name: folders[-1] / name / "report.html" for name in NAMES}
    missing = [str(page) for page in pages.values() if not page.exists()]
    if missing:
        sys.exit(f"not there: {', '.join(missing)}; `tuneworthy demo` makes them")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--headless", "--no-sandbox", "--disable-gpu"])
        for name, page in pages.items():
            tab = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
            tab.goto(page.resolve().as_uri())
            tab.screenshot(path=DOCS / f"report-{name}.png")
            tab.close()
        browser.close()


if __name__ == "__main__":
    main()
