"""Prove the verdict by simulation: ``make calibrate-verdict``, or ``python -m evals.calibrate_verdict``.

Runs every cell of ``evals.calibration`` on all processors, writes the table ``docs/verdict-calibration.md``, and
ends with one line of the worst cell of each kind.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from evals.calibration import (
    MINIMUM_GAIN,
    CellResult,
    RowsTried,
    all_settings,
    run_cell,
    try_rows_needed,
    two_seed_settings,
)
from evals.calibration_beside_page import beside
from evals.calibration_labels import LabelCell, label_settings, run_label_cell
from evals.calibration_page import Replaced, page
from evals.files import write_text
from evals.simulated import Setting

PAGE = Path(__file__).parents[1] / "docs" / "verdict-calibration.md"
COMPARISONS = 2500
AGAIN = 8
"""How many times as many comparisons a cell gets that the first pass left beyond a bound."""


def main() -> None:
    """Run the simulation."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--comparisons", type=int, default=COMPARISONS, help="simulated comparisons per cell")
    parser.add_argument("--seed", type=int, default=0, help="seed of all draws")
    parser.add_argument("--page", type=Path, default=PAGE, help="where the table goes")
    given = parser.parse_args()
    if given.comparisons < 1:
        parser.error("--comparisons must be at least 1")
    cells, tried = simulate(given.comparisons, given.seed)
    cells, replaced = look_again(cells, given.comparisons * AGAIN, given.seed + 1)
    apart = beside(*simulate_beside(given.comparisons, given.seed))
    write_text(given.page, page(cells, replaced, tried, given.comparisons, given.seed) + apart)
    sys.stdout.write(last_line(cells) + "\n")


def simulate(comparisons: int, seed: int) -> tuple[list[CellResult], list[RowsTried]]:
    """Return every cell, and what became of the rows that were said to be needed."""
    settings = all_settings()
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        cells = []
        for cell in pool.map(partial(run_cell, comparisons=comparisons, seed=seed), settings):
            cells.append(cell)
            _show(f"cell {len(cells)} of {len(settings)}")
        tried = list(pool.map(partial(try_rows_needed, comparisons=comparisons, seed=seed), undecided_settings()))
    _show("")
    return cells, [one for one in tried if one is not None]


def look_again(cells: list[CellResult], comparisons: int, seed: int) -> tuple[list[CellResult], list[Replaced]]:
    """Draw the cells anew that are beyond a bound, and let the new figures stand, whichever way they go.

    Among hundreds of cells the widest of the first pass is beyond a bound by chance; new draws, and more of them,
    tell that from a formula that is wrong. Returns all cells, and those that were replaced with their new figures.
    """
    beyond = [cell for cell in cells if not cell.within]
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        fresh = pool.map(partial(run_cell, comparisons=comparisons, seed=seed), [cell.setting for cell in beyond])
        replaced = list(zip(beyond, fresh, strict=True))
    anew = {cell.setting: found for cell, found in replaced}
    return [anew.get(cell.setting, cell) for cell in cells], replaced


def simulate_beside(comparisons: int, seed: int) -> tuple[list[CellResult], list[LabelCell]]:
    """Return what stands apart from the cells: two training seeds, and macro-F1."""
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        two = list(pool.map(partial(run_cell, comparisons=comparisons, seed=seed), two_seed_settings()))
        labels = list(pool.map(partial(run_label_cell, comparisons=comparisons, seed=seed), label_settings()))
    return two, labels


def undecided_settings() -> Iterator[Setting]:
    """Yield the settings whose needed rows are tried out: 200 rows, no gain or one above the minimum."""
    for setting in all_settings():
        special = setting.graded or setting.groups
        decided = abs(setting.gain - MINIMUM_GAIN) > MINIMUM_GAIN / 2 + 1e-9
        if setting.rows == 200 and decided and not special:
            yield replace(setting)


def last_line(cells: list[CellResult]) -> str:
    """Return the worst cell of each kind, in one line."""
    worth = max(cell.false_worth_it for cell in cells if cell.false_worth_it is not None)
    not_worth = max(cell.false_not_worth_it for cell in cells if cell.false_not_worth_it is not None)
    covered = [cell.coverage for cell in cells]
    return (
        f"false_worth_it={worth:.3f} false_not_worth_it={not_worth:.3f} "
        f"coverage_min={min(covered):.3f} coverage_max={max(covered):.3f} cells={len(cells)}"
    )


def _show(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()


if __name__ == "__main__":
    main()
