import io

from rich.console import Console

from advisor.progress_lines import EVERY_S, LineWatcher


def watched():
    """Return a watcher, the clock that it looks at, and what it has written."""
    clock = [0.0]
    out = io.StringIO()
    return LineWatcher(Console(file=out, width=40), lambda: clock[0]), clock, lambda: out.getvalue().splitlines()


def test_a_cell_that_ends_is_one_line_with_its_place_outcome_and_seconds():
    watcher, clock, lines = watched()
    watcher.cell_started("few_shot", 2, 7)
    clock[0] = 12.4
    watcher.progressed("few_shot", "answering", 64, 160)
    watcher.cell_finished("few_shot", "88.8%, 1 errors")
    assert lines() == ["note: few_shot (2 of 7): 88.8%, 1 errors, 12 s"]


def test_a_long_cell_is_told_once_a_minute():
    watcher, clock, lines = watched()
    watcher.cell_started("qlora", 7, 7)
    for second in range(int(EVERY_S * 2.5)):
        clock[0] = float(second)
        watcher.progressed("qlora", "training", second, 1500)
    assert lines() == ["note: qlora (7 of 7): training, 60 of 1,500", "note: qlora (7 of 7): training, 120 of 1,500"]


def test_a_cause_stays_on_one_line_and_is_no_markup():
    watcher, _, lines = watched()
    watcher.cell_started("rag", 1, 1)
    watcher.cell_failed("rag", "[bold]passages[/bold] that are longer than what the model holds")
    assert lines() == ["note: rag (1 of 1) failed: [bold]passages[/bold] that are longer than what the model holds"]
