"""What the headline says of money: how its answer opens, and the clause on when training repays what it costs more.

Gain and repayment are two questions. Where both answers point the same way the opening is a plain yes or no; where
they don't, the opening names both, so that no sentence begins with a yes and ends with a never.
"""

from collections.abc import Mapping
from typing import Any

from reports.wording import OUTCOMES, rounded, shown

OPENINGS = {
    "worth_it": "Yes, training is worth it",
    "not_worth_it": "No, training is not worth it",
    "undecided": "Undecided",
}
"""The answers where money doesn't speak against them."""

AT_A_PRICE = "Yes, if better answers are worth their price"
IN_DOUBT = "Yes for the gain, while it's open whether it repays in time"
SAVES_ONLY = "No, not for better answers, though it would save money"

LATE = ("no", "never")


def opening(outcome: str, economics: Mapping[str, Any], *, worse: bool) -> str:
    """Return how the headline opens; ``worse``: training is proven to score less."""
    payback = economics["payback"]
    status, requests = payback["status"], payback["requests"]
    if outcome == "worth_it" and status in LATE:
        return AT_A_PRICE
    if outcome == "worth_it" and status == "unclear":
        return IN_DOUBT
    at_once = requests is not None and requests["high"] == 0
    if outcome == "not_worth_it" and not worse and (status == "yes" or at_once):
        return SAVES_ONLY
    return OPENINGS[outcome]


def badge(results: Mapping[str, Any]) -> str:
    """Return the verdict in two or three words; an outcome that isn't known stands as it is."""
    outcome = results["verdict"]["outcome"]
    told = OUTCOMES.get(outcome, shown(str(outcome)))
    return f"{told}, at a price" if results["economics"]["decision"] == "not_repaid" else told


def repays(economics: Mapping[str, Any], trained: str, untrained: str, outcome: str) -> str:
    """Return when ``trained`` repays what it costs more than ``untrained``, as a main clause; empty if it isn't known.

    With a volume given, requests and months are those of that volume; otherwise requests over the horizon.
    """
    payback = economics["payback"]
    if (payback["trained"], payback["against"]) != (trained, untrained):
        return ""
    prices = "at example prices it" if economics["example"] else "by cost alone it"
    proven = outcome == "worth_it"
    repay, cost = ("repays", "costs") if proven else ("would repay", "would cost")
    volume, horizon = economics["requests_per_month"], economics["horizon_months"]
    if payback["status"] == "never" or payback["requests"] is None:
        return f"{prices} {'never repays' if proven else 'would never repay'} its cost"
    if volume and payback["status"] == "unclear" and payback["months"] is None:
        return f"{prices} {repay} its cost only with an input off by half"
    band, per_month = (payback["months"], volume) if volume and payback["months"] else (payback["requests"], None)
    if band["middle"] == 0:
        return f"{prices} {cost} less from the first request on"
    if per_month is None:
        return f"{prices} {repay} its cost with about {rounded(band['middle'])} requests or more in {_months(horizon)}"
    after = f"after about {rounded(band['middle'] * per_month)} requests ({_months(band['middle'])})"
    if payback["status"] == "no":
        return f"{prices} {repay} its cost only {after}, later than the {_months(horizon)} asked for"
    if payback["status"] == "unclear":
        latest = "never" if band["high"] is None else _months(band["high"])
        span = f"anything from {_months(band['low'])} to {latest} is possible"
        return f"{prices} {repay} its cost {after}, but {span}: within the {_months(horizon)} asked for or not"
    return f"{prices} {repay} its cost {after}, within the {_months(horizon)} asked for"


def _months(months: float) -> str:
    told = rounded(months)
    return f"{told} month" if told == "1" else f"{told} months"
