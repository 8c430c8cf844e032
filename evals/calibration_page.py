"""The page ``docs/verdict-calibration.md``: what the simulation found, cell by cell where it matters."""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from evals.calibration import (
    ALLOWED_COVERAGE,
    ALLOWED_FALSE,
    ALLOWED_GAP,
    CONFIDENCE,
    DISCORDANCES,
    MINIMUM_GAIN,
    CellResult,
    RowsTried,
)
from evals.simulated import (
    CLUSTER_SHARE,
    CLUSTER_SIZES,
    FAR,
    SEED_DEVIATION,
    SEED_SHARE,
    UNTRAINED,
    Setting,
)

_HEAD = """# How often the verdict is wrong

Made by `make calibrate-verdict` ({comparisons:,} simulated comparisons in each of {cells} cells, seed {seed}); every
figure below is from that run. Each comparison goes through the code that judges a real run.

A cell fixes the truth: {untrained:.0%} accuracy of the best untrained arm, the trained arm's true gain over it, the
share of rows that exactly one of the two gets right (discordance: {low:.0%} low, {high:.0%} high), the number of eval
rows, whether rows share clusters (sizes {sizes} in turn, {share:.0%} of the latent variance in common), one training
seed or three (standard deviation of the accuracy between seeds {deviation:.1%}, {seed_share:.0%} of the trained arm's
own latent variance in common), and the untrained arms: as many as stated, either all as good as the best or one as
good and the others {far:.0%} worse. The gain asked for is {minimum:.0%}, the confidence {confidence:.0%}. With one
seed the truth is that of the model trained; with three it's the mean over all seeds that could have been drawn.

A claim at a gain of exactly the minimum is counted as false whichever way it goes. Coverage is that of the
{confidence:.0%} interval of each difference. The share of wrong claims is at most 2.5% by design: each claim is one
end of an interval.
"""


Replaced = tuple[CellResult, CellResult]
"""A cell that the first pass left beyond a bound, and the same with new and more draws."""


def page(
    cells: Sequence[CellResult], replaced: Sequence[Replaced], tried: Sequence[RowsTried], comparisons: int, seed: int
) -> str:
    """Return the page as Markdown; ``cells`` hold the new figures of those ``replaced``."""
    head = _HEAD.format(
        comparisons=comparisons,
        cells=len(cells),
        seed=seed,
        untrained=UNTRAINED,
        low=DISCORDANCES[0],
        high=DISCORDANCES[1],
        sizes=", ".join(map(str, CLUSTER_SIZES)),
        share=CLUSTER_SHARE,
        deviation=SEED_DEVIATION,
        seed_share=SEED_SHARE,
        far=FAR,
        minimum=MINIMUM_GAIN,
        confidence=CONFIDENCE,
    )
    first = [head, "## By rows, discordance, clusters and seeds\n", _by_setting(cells), _again(replaced, comparisons)]
    parts = [*first, _power(cells), _needed(tried)]
    return "\n".join(parts) + "\n"


def _by_setting(cells: Sequence[CellResult]) -> str:
    lines = [
        "Worst of all gains and numbers of untrained arms; graded scores (token F1 and the like) at the minimum gain.",
        "",
        "| scores | rows | discordance | clustered | seeds | false worth it | false not worth it | coverage |",
        "|---|---:|---:|---|---:|---:|---:|---|",
    ]
    for _, group in groupby(sorted(cells, key=_place), key=_place):
        same = list(group)
        setting = same[0].setting
        covered = [cell.coverage for cell in same]
        span = _percent(min(covered)) + (f"–{_percent(max(covered))}" if len(covered) > 1 else "")
        lines.append(
            f"| {'graded' if setting.graded else '0/1'} | {setting.rows:,} | {setting.discordance:.0%} | "
            f"{_clusters(setting)} | {setting.seeds} | {_worst(same, lambda c: c.false_worth_it)} | "
            f"{_worst(same, lambda c: c.false_not_worth_it)} | {span} |"
        )
    return "\n".join(lines) + "\n"


def _again(replaced: Sequence[Replaced], comparisons: int) -> str:
    bounds = f"{ALLOWED_FALSE:.0%} of false claims, {ALLOWED_COVERAGE[0]:.0%}–{ALLOWED_COVERAGE[1]:.0%} of coverage, "
    bounds += f"{100 * ALLOWED_GAP:.0f} points between power foretold and found"
    if not replaced:
        return f"Every cell kept its bounds ({bounds}) in the first pass.\n"
    lines = [
        f"The first pass left {len(replaced)} of the cells beyond a bound ({bounds}). With {comparisons:,} comparisons "
        f"a coverage is known to half a point at best, so these were drawn anew, {replaced[0][1].comparisons:,} "
        "comparisons each, and the new figures stand in all tables, whichever way they went:",
        "",
        "| rows | gain | discordance | clustered | seeds | untrained | false claims | coverage | power | foretold |",
        "|---:|---:|---:|---|---:|---|---:|---:|---:|---:|",
    ]
    for old, new in replaced:
        figures = (
            f"{_percent(_false(old))} → {_percent(_false(new))}",
            f"{_percent(old.coverage)} → {_percent(new.coverage)}",
            "–" if old.power is None or new.power is None else f"{_percent(old.power)} → {_percent(new.power)}",
            "–" if new.foretold is None else _percent(new.foretold),
        )
        lines.append(f"| {_setting(new.setting)} | {' | '.join(figures)} |")
    return "\n".join(lines) + "\n"


def _false(cell: CellResult) -> float:
    return max(share for share in (cell.false_worth_it, cell.false_not_worth_it, 0.0) if share is not None)


def _power(cells: Sequence[CellResult]) -> str:
    known = [
        (cell, cell.power, cell.foretold) for cell in cells if cell.power is not None and cell.foretold is not None
    ]
    gaps = sorted(known, key=lambda one: -abs(one[1] - one[2]))
    within = sum(abs(power - foretold) <= ALLOWED_GAP for _, power, foretold in known)
    lines = [
        "## Power\n",
        "The chance that a right claim is made, as the formula foretells it from the true gains and their covariance "
        f"(`evals/joint.py`), against the share of comparisons in which it was made: within "
        f"{100 * ALLOWED_GAP:.0f} points in {within} of {len(known)} cells. The ten widest gaps:",
        "",
        "| claim | rows | gain | discordance | clustered | seeds | untrained | foretold | found |",
        "|---|---:|---:|---:|---|---:|---|---:|---:|",
    ]
    for cell, power, foretold in gaps[:10]:
        lines.append(f"| {_claim(cell.claim)} | {_setting(cell.setting)} | {_percent(foretold)} | {_percent(power)} |")
    return "\n".join(lines) + "\n"


def _needed(tried: Sequence[RowsTried]) -> str:
    lines = [
        '## "Rows needed", tried out\n',
        "Where the formula named a number of rows for 80% power, the comparison was run with that many.",
        "",
        "| claim | rows needed | gain | discordance | clustered | seeds | untrained | decided rightly |",
        "|---|---:|---:|---:|---|---:|---|---:|",
    ]
    lines += [f"| {_claim(one.claim)} | {_setting(one.setting)} | {_percent(one.decided)} |" for one in tried]
    return "\n".join(lines)


def _place(cell: CellResult) -> tuple[bool, int, int, float, bool, int]:
    setting = cell.setting
    return setting.graded, setting.groups, setting.rows, setting.discordance, setting.clustered, setting.seeds


def _clusters(setting: Setting) -> str:
    return f"{setting.groups} groups" if setting.groups else "yes" if setting.clustered else "no"


def _worst(cells: Iterable[CellResult], value: Callable[[CellResult], float | None]) -> str:
    known = [found for cell in cells if (found := value(cell)) is not None]
    return _percent(max(known)) if known else "–"


def _setting(setting: Setting) -> str:
    level = "all level" if setting.near == setting.untrained else f"{setting.near} level"
    return (
        f"{setting.rows:,} | {setting.gain:.1%} | {setting.discordance:.0%} | {_clusters(setting)} | "
        f"{setting.seeds} | {setting.untrained}, {level}"
    )


def _claim(claim: str | None) -> str:
    return "" if claim is None else claim.replace("_", " ")


def _percent(share: float) -> str:
    return f"{share:.1%}"
