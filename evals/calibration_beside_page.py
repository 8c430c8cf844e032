"""What stands at the end of ``docs/verdict-calibration.md``: two training seeds, and macro-F1's intervals."""

from collections.abc import Sequence

from evals.calibration import CellResult
from evals.calibration_labels import MIXES, MOST_COMPARISONS, TUNED, UNTRAINED, LabelCell, true_macro_f1


def beside(two_seeds: Sequence[CellResult], labels: Sequence[LabelCell]) -> str:
    """Return both sections as Markdown."""
    return f"\n{_two_seeds(two_seeds)}\n{_labels(labels)}"


def _two_seeds(cells: Sequence[CellResult]) -> str:
    lines = [
        "## Two training seeds\n",
        "Not among the cells above, and not in the command's last line: two seeds hardly tell what the seed adds, and "
        "Student's quantile with one degree of freedom makes up for it. Gains at the minimum, two untrained arms, both "
        "level. Take one seed, or three and more.",
        "",
        "| rows | discordance | clustered | false worth it | false not worth it | coverage |",
        "|---:|---:|---|---:|---:|---:|",
    ]
    for cell in cells:
        one = cell.setting
        lines.append(
            f"| {one.rows:,} | {one.discordance:.0%} | {'yes' if one.clustered else 'no'} | "
            f"{_percent(cell.false_worth_it)} | {_percent(cell.false_not_worth_it)} | {_percent(cell.coverage)} |"
        )
    return "\n".join(lines) + "\n"


def _labels(cells: Sequence[LabelCell]) -> str:
    mixes = "; ".join(f"{name}: {', '.join(f'{share:.0%}' for share in mix)}" for name, mix in MIXES.items())
    right = [", ".join(f"{share:.0%}" for share in arm) for arm in (TUNED, UNTRAINED)]
    lines = [
        "## Macro-F1\n",
        f"Four labels ({mixes} of the rows), which the tuned arm names rightly in {right[0]} of their rows, the "
        f"untrained one in {right[1]}. The truth is macro-F1 over all rows that could be drawn; coverage is that of "
        f"the bootstrap's 95% intervals, over {MOST_COMPARISONS:,} comparisons a cell at most.",
        "",
        "| rows | labels | true score | true gain | coverage of the score | coverage of the gain |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    for cell in cells:
        mix = MIXES[cell.setting.mix]
        score = true_macro_f1(mix, TUNED)
        gain = score - true_macro_f1(mix, UNTRAINED)
        lines.append(
            f"| {cell.setting.rows:,} | {cell.setting.mix} | {_percent(score)} | {_percent(gain)} | "
            f"{_percent(cell.score)} | {_percent(cell.gain)} |"
        )
    return "\n".join(lines) + "\n"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"
