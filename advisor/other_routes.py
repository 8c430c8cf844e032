"""Whether training from scratch, or on preferences, is worth considering: the figures for and against.

Sources: Hoffmann et al. (arXiv 2203.15556) for about 20 tokens a weight; Ouyang et al. (arXiv 2203.02155) for the
three stages of RLHF; Rafailov et al. (arXiv 2305.18290) for DPO. The number of pairs is our judgement.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from advisor.training_estimate import CHECKPOINTING_FLOPS, FLOPS, Machine

TOKENS_PER_WEIGHT = 20
"""Training tokens a weight at which a model makes the most of its arithmetic (arXiv 2203.15556, rounded)."""
FEWEST_PAIRS, GOOD_PAIRS = 500, 1000
"""Preference pairs below which DPO isn't worth starting, and from which it tends to show. Our judgement."""


@dataclass(frozen=True)
class Route:
    """A route besides prompting, retrieval and fine-tuning; ``sentences`` say why with the ``figures`` in them."""

    name: Literal["from_scratch", "preferences"]
    consider: bool
    sentences: tuple[str, ...]
    figures: Mapping[str, float]
    sources: tuple[str, ...]


def from_scratch(weights: float, tokens_at_hand: float, machine: Machine, currency: str, special: str | None) -> Route:
    """Return what training a model of ``weights`` from nothing would take, against the tokens that are at hand.

    ``special`` is the answer to that question: only a rare language or a new kind of input (``language``) leaves
    a reason for it, and only where the tokens suffice.
    """
    needed = TOKENS_PER_WEIGHT * weights
    hours = machine.hours(FLOPS["full"] * weights * needed)
    largest = tokens_at_hand / TOKENS_PER_WEIGHT
    enough = tokens_at_hand >= needed
    sentences = [
        f"A model of {_short(weights)} weights wants about {_short(needed)} tokens to learn from "
        f"({TOKENS_PER_WEIGHT} a weight); your examples hold about {_short(tokens_at_hand)}"
        + (", which suffice." if enough else f", {_two_digits(100 * tokens_at_hand / needed)}% of that."),
        f"One training would take about {_short(hours)} GPU-hours ({_short(hours * machine.per_hour)} {currency}), "
        "and the first is seldom the last.",
        f"Your tokens alone would feed a model of {_short(largest)} weights.",
    ]
    if special != "language":
        sentences.append("Models that already know the language are there to start from, so nothing is gained by it.")
    elif not enough:
        sentences.append("For a rare language or a new input, go on training an existing model on raw text instead.")
    else:
        sentences.append("A language or input that no model knows, and the tokens for it, are a reason to look closer.")
    return Route(
        name="from_scratch",
        consider=enough and special == "language",
        sentences=tuple(sentences),
        figures={
            "tokens_needed": needed,
            "tokens_at_hand": tokens_at_hand,
            "gpu_hours": hours,
            "cost": hours * machine.per_hour,
            "largest_model": largest,
        },
        sources=("arXiv 2203.15556",),
    )


def preferences(
    weights: float,
    tokens_per_pair: float,
    cost_per_pair: float,
    machine: Machine,
    currency: str,
    special: str | None,
    pairs: float | None,
    checkpointing: bool = False,
) -> Route:
    """Return what training on preferences would take, and whether what is at hand suffices.

    ``pairs`` are the preference pairs at hand, None where unknown; ``tokens_per_pair`` counts both answers.
    DPO trains an adapter here and runs the frozen model besides, forward only: 2 FLOPs more a weight and token.
    """
    each = FLOPS["lora"] + 2 + (CHECKPOINTING_FLOPS if checkpointing else 0)
    hours = machine.hours(each * weights * tokens_per_pair * GOOD_PAIRS)
    pays = special == "preferences" and (pairs is None or pairs >= FEWEST_PAIRS)
    sentences = [
        f"DPO needs pairs of a better and a worse answer: at least {FEWEST_PAIRS}, better {GOOD_PAIRS:,}; writing "
        f"{GOOD_PAIRS:,} costs about {_short(cost_per_pair * GOOD_PAIRS)} {currency}, and one pass over them "
        f"about {_short(hours)} GPU-hours ({_short(hours * machine.per_hour)} {currency}).",
        "RLHF has three stages (tuning on demonstrations, a reward model from comparisons, reinforcement learning "
        "against it) and keeps up to four models at once; DPO reaches the second and third in one training.",
    ]
    if special != "preferences":
        sentences.append("Where right answers exist, they teach more directly than preferences do: tune on them first.")
    elif pairs is None:
        sentences.append(f"You have preferences and no right answers: count the pairs; from {FEWEST_PAIRS} DPO may do.")
    elif pairs < FEWEST_PAIRS:
        sentences.append(f"You have about {pairs:,.0f}, fewer than {FEWEST_PAIRS}: collect more before any training.")
    else:
        sentences.append(f"You have about {pairs:,.0f} and no right answers: DPO is worth trying, RLHF isn't yet.")
    return Route(
        name="preferences",
        consider=pays,
        sentences=tuple(sentences),
        figures={
            "fewest_pairs": FEWEST_PAIRS,
            "good_pairs": GOOD_PAIRS,
            "labelling_cost": cost_per_pair * GOOD_PAIRS,
            "gpu_hours": hours,
            "cost": hours * machine.per_hour,
        },
        sources=("arXiv 2203.02155", "arXiv 2305.18290"),
    )


def _short(value: float) -> str:
    """Return a figure to two digits, as people say it."""
    for size, word in ((1e12, " trillion"), (1e9, " billion"), (1e6, " million")):
        if value >= size * 0.995:
            return f"{_two_digits(value / size)}{word}"
    return _two_digits(value)


def _two_digits(value: float) -> str:
    if value <= 0:
        return "0"
    places = 1 - math.floor(math.log10(value))
    rounded = round(value, places)
    return f"{rounded:,.0f}" if places <= 0 else f"{rounded:,.{min(places, 6)}f}".rstrip("0").rstrip(".")
