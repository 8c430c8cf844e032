"""The clause of the headline that says when training repays what it costs more."""

from collections.abc import Mapping
from typing import Any

from reports.wording import rounded


def repays(economics: Mapping[str, Any], trained: str, untrained: str, outcome: str) -> str:
    """Return when ``trained`` repays what it costs more than ``untrained``, as a clause; empty where it isn't known.

    With a volume given, requests and months are those of that volume; otherwise requests over the horizon.
    """
    payback = economics["payback"]
    if (payback["trained"], payback["against"]) != (trained, untrained):
        return ""
    prices = "at example prices " if economics["example"] else ""
    proven = outcome == "worth_it"
    would = "" if proven else "would "
    repaid = "repays" if proven else "repay"
    volume, horizon = economics["requests_per_month"], economics["horizon_months"]
    if payback["status"] == "never" or payback["requests"] is None:
        return f"{'but' if proven else 'and'} {prices}{would}never {repaid} its cost"
    if volume and payback["months"] is not None:
        months = payback["months"]["middle"]
        if months == 0:
            return f"and {prices}{would}cost{'s' if proven else ''} less from the first request"
        when = f"about {rounded(months * volume)} requests ({_months(months)})"
        late = payback["status"] == "no"
        by = f", later than the {_months(horizon)} asked for" if late else ""
        if payback["status"] == "unclear":
            high = payback["months"]["high"]
            span = f"{rounded(payback['months']['low'])} to {'never' if high is None else rounded(high)}"
            by = f", which may be {span}, within the {_months(horizon)} asked for or not"
        return f"{'but' if late and proven else 'and'} {prices}{would}{repaid} its cost after {when}{by}"
    if volume and payback["status"] == "unclear":
        return f"{'but' if proven else 'and'} {prices}{would}{repaid} its cost only with an input off by half"
    needed = payback["requests"]["middle"]
    if needed == 0:
        return f"and {prices}{would}cost{'s' if proven else ''} less from the first request"
    least = f"with about {rounded(needed)} requests or more within {_months(horizon)}"
    return f"and {prices}{would}{repaid} its cost {least}"


def _months(months: float) -> str:
    told = rounded(months)
    return f"{told} month" if told == "1" else f"{told} months"
