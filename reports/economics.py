"""What the arms cost and whether training repays, in words and rows: all from ``results["economics"]``."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.sentences import Sentence
from reports.wording import count, percent, plural, rounded

DECISIONS = {
    "worth_it": "Gain proven and repaid within the horizon.",
    "not_repaid": "Gain proven, but not repaid within the horizon: whether it's worth its price is for you to say.",
    "gain_only": "Gain proven; whether it repays within the horizon is open.",
    "not_worth_it": "No gain of the size asked for; what follows is cost alone.",
    "undecided": "The gain is undecided; what follows is cost alone.",
}


@dataclass(frozen=True)
class CostRow:
    """An arm's line in the table of costs; figures in the currency of the prices."""

    name: str
    trained: bool
    score: float | None
    per_1000: float
    one_off: float
    per_month: float
    fixed: float
    efficient: bool


def cost_rows(results: Mapping[str, Any]) -> list[CostRow]:
    """Return the arms from the cheapest request to the dearest; ``efficient``: no other is as cheap and as good."""
    arms = {arm["name"]: arm for arm in results["arms"]}
    costs = results["economics"]["arms"]
    scored = {cost["name"]: (arms[cost["name"]]["score"] or {}).get("mean") for cost in costs}
    front = efficient([(cost["name"], cost["per_1000_requests"], scored[cost["name"]]) for cost in costs])
    rows = [
        CostRow(
            name=cost["name"],
            trained=arms[cost["name"]]["trained"],
            score=scored[cost["name"]],
            per_1000=cost["per_1000_requests"],
            one_off=cost["one_off"],
            per_month=cost["per_month"],
            fixed=cost["fixed"],
            efficient=cost["name"] in front,
        )
        for cost in costs
    ]
    return sorted(rows, key=lambda row: (row.per_1000, row.name))


def efficient(arms: Sequence[tuple[str, float, float | None]]) -> set[str]:
    """Return the names of the arms (name, cost, score) that no other beats in cost without losing in score."""
    front: set[str] = set()
    best = 0.0  # an arm that is never right is no bargain
    for name, _, score in sorted(arms, key=lambda arm: (arm[1], -(arm[2] or 0.0))):
        if score is not None and score > best:
            front.add(name)
            best = score
    return front


def payback_sentence(results: Mapping[str, Any]) -> Sentence:
    """Return when training has repaid what it costs more than the best arm without it, and against how many it does."""
    against_best = _against_best(results)
    others = _against_all(results["economics"])
    return Sentence(against_best.template + others, against_best.names)


def _against_all(told: Mapping[str, Any]) -> str:
    """Return against how many of the arms without training it repays, where there are several."""
    evens = told.get("break_even") or ()
    if told["payback"]["trained"] is None or len(evens) < 2:
        return ""
    volume = told["requests_per_month"]
    repaid = sum(even["status"] == "yes" if volume else even["requests"] is not None for even in evens)
    share = f"all {len(evens)}" if repaid == len(evens) else f"{repaid or 'none'} of the {len(evens)}"
    if volume:
        return f" Within that time it surely repays against {share} arms without training."
    return f" A request to it is cheaper than to {share} arms without training."


def _against_best(results: Mapping[str, Any]) -> Sentence:
    told, payback = results["economics"], results["economics"]["payback"]
    names = {"trained": str(payback["trained"]), "other": str(payback["against"])}
    names |= {"currency": told["currency"]}
    if payback.get("useless"):
        nothing = "no arm without training scores above zero, so there is nothing that training could be cheaper than"
        return Sentence(f"Whether training repays can't be said: {nothing}.")
    if payback["trained"] is None:
        return Sentence("Whether training repays can't be said: there is no pair of a trained and an untrained arm.")
    if payback["requests"] is None:
        costs = {arm["name"]: money(arm["per_1000_requests"]) for arm in told["arms"]}
        pair = f"{costs[payback['trained']]} against {costs[payback['against']]} {{currency}} per 1,000"
        never = f"a request to {{trained}} isn't cheaper than one to {{other}} ({pair})"
        return Sentence(f"By cost alone training never repays: {never}.", names)
    horizon, volume = told["horizon_months"], told["requests_per_month"]
    needed = (
        f"{rounded(payback['requests']['middle'])} requests ({_span(payback['requests'])}, if an input is off by half)"
    )
    if not volume:
        opening = f"Over {plural(horizon, 'month')} {{trained}} repays what it costs more than {{other}} by {needed}"
        return Sentence(f"{opening}; give `decision.requests_per_month` in the task to have it in months.", names)
    if payback["months"] is None:
        why = f"at {count(volume)} requests a month they save less than hosting and retraining cost"
        if payback["status"] == "unclear":
            opening = "By cost alone {trained} doesn't repay what it costs more than {other} at these figures"
            return Sentence(f"{opening}: {why}; with an input off by half it may.", names)
        return Sentence(f"By cost alone {{trained}} never repays what it costs more than {{other}}: {why}.", names)
    months = payback["months"]
    within = {
        "yes": f"within the {horizon} asked for",
        "no": f"later than the {horizon} asked for",
        "unclear": f"which may be within the {horizon} asked for or not",
    }[payback["status"]]
    opening = f"At {count(volume)} requests a month {{trained}} has repaid what it costs more than {{other}}"
    taken = rounded(months["middle"])
    return Sentence(f"{opening} in {taken} month{'' if taken == '1' else 's'} ({_span(months)}), {within}.", names)


def _span(band: Mapping[str, float | None]) -> str:
    high = band["high"]
    return f"{rounded(band['low'] or 0.0)} to {'never' if high is None else rounded(high)}"


def prices_sentence(results: Mapping[str, Any]) -> str:
    """Say where the prices came from."""
    told = results["economics"]
    basis = "by tokens" if told["priced_by"] == "tokens" else f"by the {told['machine']}'s seconds{_of_then(results)}"
    if told["example"]:
        return (
            f"Prices are an example ({told['date']}, {told['currency']}), not a provider's; "
            f"requests are priced {basis}. Put in your own: tuneworthy report RUN --prices FILE."
        )
    own = sum(one["origin"] == "prices file" for one in told["assumptions"])
    total = len(told["assumptions"])
    whose = f"{own} of {total} prices are yours ({told['date']}, {told['currency']}), the others an example's"
    return f"{whose}; requests are priced {basis}."


def cache_sentence(results: Mapping[str, Any]) -> Sentence | None:
    """Say of which arms a server counted the tokens it read from its cache, and how many; None where none did."""
    arms = [arm for arm in results["economics"]["arms"] if arm.get("cached_tokens") is not None]
    if not arms:
        return None
    places = [f"arm{number}" for number in range(len(arms))]
    shares = sorted(arm["cached_tokens"] / max(1, arm["input_tokens"]) for arm in arms)
    low, high = (percent(min(1.0, share)) for share in (shares[0], shares[-1]))
    listed = ", ".join(f"{{{place}}}" for place in places)
    told = f"{low} of the tokens read" if low == high else f"{low} to {high} of the tokens read"
    return Sentence(
        f"Of {listed} the server counted {told} as found in its cache; so they are priced, not by `cache_hit_rate`.",
        {place: str(arm["name"]) for place, arm in zip(places, arms, strict=True)},
    )


def _of_then(results: Mapping[str, Any]) -> str:
    """Add whose seconds they are where an arm's answers are all an earlier run's (``evals.economics``)."""
    costs = [arm.get("cost") or {} for arm in results.get("arms", ())]
    all_kept = any(cost.get("cached_rows") and cost.get("latency_ms_p50") is None for cost in costs)
    return ", those of the earlier run where all of an arm's answers come from the cache" if all_kept else ""


def money(value: float) -> str:
    """Return a price with the digits that matter: ``0.0021``, ``0.60``, ``1.25``, ``38.40``, ``340``, ``3,600``."""
    if value == 0:
        return "0"
    if value < 0:
        return f"−{money(-value)}".replace("−< ", "> −")
    if value < 0.0001:
        return "< 0.0001"
    if value < 1:
        return f"{value:.{1 - math.floor(math.log10(value))}f}"
    return f"{value:,.2f}" if value < 99.995 else f"{value:,.0f}"


def amount(value: float) -> str:
    """Return a sum that is paid, to the cent at most: ``0``, ``< 0.01``, ``0.35``, ``50.00``, ``1,152``."""
    if value < 0:
        return f"−{amount(-value)}".replace("−< ", "> −")
    if 0 < value < 0.01:
        return "< 0.01"
    return f"{value:.2f}" if 0 < value < 1 else money(value)
