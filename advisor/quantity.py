"""Whether there are rows enough: to learn from, for the rarest label, in balance, and to judge on."""

from collections.abc import Mapping

from advisor.data_needs import LEAST_EXAMPLES, DataNeeds
from advisor.readiness_item import UNKNOWN, Amount, ReadinessItem, count_of, exactly, source
from advisor.scorecard import Source
from evals.errors import UsageError
from evals.power import gain_that_shows, in_points

EXAMPLES = {
    "few": Amount(0, 49, "fewer than 50"),
    "fifty": Amount(50, 200, "50 to 200"),
    "hundreds": Amount(200, 1_000, "200 to 1,000"),
    "thousands": Amount(1_000, 10_000, "1,000 to 10,000"),
    "more": Amount(10_001, None, "more than 10,000"),
}
RAREST = {
    "under_8": Amount(0, 7, "fewer than 8"),
    "under_100": Amount(8, 100, "8 to 100"),
    "enough": Amount(100, None, "100 or more"),
}
EVAL_SET = {
    "none": Amount(0, 0, "none"),
    "small": Amount(1, 99, "fewer than 100"),
    "enough": Amount(100, None, "100 or more"),
}
MOST_IMBALANCE = 10.0
"""Rows of the most frequent label for each of the rarest, at most, before accuracy misleads. Our judgement."""

CONNOR = Source(
    "Sample size for testing differences in proportions for the paired-sample design", 1987, "Biometrics 43, 207-211"
)


def examples_item(answers: Mapping[str, str], figures: Mapping[str, float], needs: DataNeeds) -> ReadinessItem:
    """Return whether there are examples enough to learn from."""
    rows = clean_rows(figures)
    have = EXAMPLES.get(answers.get("examples", "")) if rows is None else exactly(rows, "clean row")
    topic = "Examples to learn from"
    if answers.get("task") == "grouping":
        need = "inputs only: groups are found without answers"
        return ReadinessItem(topic, have.words if have else UNKNOWN, need, "Export the inputs.", True)
    sorting = answers.get("task") == "sorting"
    return ReadinessItem(
        topic,
        have.words if have else UNKNOWN,
        f"about {needs.examples:,} ({_noise(needs)}); a first try from {LEAST_EXAMPLES} on",
        "Begin with what records hold already, label the rest by hand, and label what the first run got wrong first. "
        f"If training on {LEAST_EXAMPLES} shows no gain at all, look at the task again before you label more.",
        have.reaches(needs.examples) if have else None,
        source("lawma" if sorting else "azure"),
    )


def rarest_item(answers: Mapping[str, str], figures: Mapping[str, float], needs: DataNeeds) -> ReadinessItem:
    """Return whether the rarest label has examples enough."""
    rows = count_of(figures, "rarest_label")
    have = RAREST.get(answers.get("rarest", "")) if rows is None else exactly(rows)
    return ReadinessItem(
        "Examples of the rarest label",
        have.words if have else UNKNOWN,
        f"at least {needs.per_label:,} ({_noise(needs)}); about 100 is comfortable (our judgement)",
        "Look for more of that label on purpose, join it with a neighbour, or leave it to people: "
        "few rows drawn at random won't hold it.",
        have.reaches(needs.per_label) if have else None,
        source("setfit"),
    )


def balance_item(figures: Mapping[str, float]) -> ReadinessItem:
    """Return whether one label outnumbers the others by too much."""
    ratio = figures.get("imbalance")
    if ratio is not None and not ratio >= 1:
        raise UsageError(f"imbalance should be at least 1, the most frequent label over the rarest; it is {ratio}")
    none_at_all = ratio == float("inf")
    words = "the rarest label has no row" if none_at_all else f"{ratio:,.1f} to 1" if ratio is not None else UNKNOWN
    return ReadinessItem(
        "Balance of the labels",
        words,
        f"at most {MOST_IMBALANCE:g} rows of the most frequent label for each of the rarest",
        "Beyond that, set `metric: macro_f1` in task.yaml, so that every label counts the same. Leave the eval rows "
        "in the mix that really comes in; only training rows may be evened out.",
        None if ratio is None else ratio <= MOST_IMBALANCE,
    )


def eval_item(
    answers: Mapping[str, str], figures: Mapping[str, float], needs: DataNeeds, minimum_gain: float
) -> ReadinessItem:
    """Return whether there are eval rows enough for the gain that matters."""
    rows = count_of(figures, "eval_rows")
    have = EVAL_SET.get(answers.get("eval_set", "")) if rows is None else None
    if rows is not None:
        have = exactly(max(0, rows - (count_of(figures, "overlap") or 0)))
    how = (
        f"The number holds if two approaches differ in {needs.discordant:.0%} of the rows "
        f"({'as measured' if 'discordant' in figures else 'our judgement; a first run tells'}), a real gain is to be "
        "seen in four of five tries, and the exact test is used. It tells the gain from none at all: for `worth_it` "
        "the whole interval must lie above the minimum gain, so a real gain near the minimum stays undecided. "
    )
    how += _shown(have, needs) + _split_off(figures)
    return ReadinessItem(
        "Eval rows",
        have.words if have else UNKNOWN,
        f"{needs.eval_rows:,} to see a gain of {in_points(minimum_gain)} ({_noise(needs)})",
        how + "Check their answers twice: a clean eval set needs fewer rows.",
        have.reaches(needs.eval_rows) if have else None,
        CONNOR,
    )


def clean_rows(figures: Mapping[str, float]) -> int | None:
    """Return the rows without copies; None when they weren't counted."""
    rows = count_of(figures, "rows")
    if rows is None:
        return None
    return max(0, rows - (count_of(figures, "exact_duplicates") or 0) - (count_of(figures, "near_duplicates") or 0))


def _shown(have: Amount | None, needs: DataNeeds) -> str:
    if have is None or have.low != have.high or have.low >= needs.eval_rows:
        return ""
    gain = gain_that_shows(have.low, needs.discordant, needs.noise)
    shown = "no gain at all" if gain is None else f"gains from {in_points(gain)} on"
    return f"What is there shows {shown}. "


def _split_off(figures: Mapping[str, float]) -> str:
    if "eval_rows" in figures:
        return ""
    rows = clean_rows(figures)
    here = "" if rows is None else f", here about {round(rows / 5):,}"
    return f"Without an eval file `tuneworthy run` keeps a fifth of the rows for it{here}. "


def _noise(needs: DataNeeds) -> str:
    return f"with {needs.noise:.0%} wrong answers{'' if needs.noise_known else ', a guess'}"
