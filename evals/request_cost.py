"""What a request costs by each approach, and after how many requests training has paid for itself.

A request's cost: tokens read and written at their prices, where the unchanging prefix (instruction and worked
examples, which therefore stand first) is read from the cache for a share of the requests.
"""

from dataclasses import dataclass

Approach = str
"""What a request is answered by: an approach before a run, an arm after it."""

UNCERTAINTY = 0.5
"""Each uncertain input may be off by half. Our judgement, shown beside every figure that it moves."""


@dataclass(frozen=True)
class Rates:
    """Prices of a million tokens, and the share of requests that find their prefix in the cache."""

    input: float
    cached_input: float
    output: float
    cache_hit_rate: float


@dataclass(frozen=True)
class RequestCost:
    """One request by one approach: its tokens, of which ``prefix`` are the same each time, and its cost."""

    approach: Approach
    input_tokens: int
    prefix_tokens: int
    output_tokens: int
    cost: float


@dataclass(frozen=True)
class Range:
    """A figure, and the lowest and highest that it becomes when one uncertain input is off by half."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class BreakEven:
    """When ``approach`` has repaid its fixed cost; ``requests`` and ``months`` are None where it never does."""

    approach: Approach
    against: Approach
    fixed_cost: float
    """What ``approach`` costs more before the first request and over the horizon, whatever the volume."""
    saving_per_request: float
    requests: Range | None
    months: Range | None
    within_horizon: bool | None
    """Whether months are at most the horizon; None where the band holds both answers."""


def request_cost(
    approach: Approach, prefix: int, rest: int, output: int, rates: Rates, besides: float = 0.0
) -> RequestCost:
    """Return the cost of a request that reads ``prefix`` and ``rest`` and writes ``output`` tokens.

    ``besides`` is what it costs outside of the model.
    """
    cached = rates.cache_hit_rate * prefix
    tokens = (prefix - cached + rest) * rates.input + cached * rates.cached_input + output * rates.output
    return RequestCost(approach, prefix + rest, prefix, output, tokens / 1e6 + besides)


def break_even(
    trained: RequestCost, untrained: RequestCost, fixed_cost: float, per_month: float, horizon_months: int
) -> BreakEven:
    """Return after how many requests, and months at ``per_month``, ``trained`` is the cheaper one.

    The band moves one uncertain input at a time by half: the fixed cost, the saving per request, the volume.
    A ``fixed_cost`` of nothing or less is repaid at once, if a request costs less.
    """
    saving = untrained.cost - trained.cost
    requests = months = within = None
    if saving > 0:
        needed = max(0.0, fixed_cost) / saving
        requests = _band(needed)
        months = _band(needed / per_month)
        within = None if months.low <= horizon_months < months.high else months.high <= horizon_months
    else:
        within = False
    return BreakEven(trained.approach, untrained.approach, fixed_cost, saving, requests, months, within)


def _band(middle: float) -> Range:
    """Return the widest that one input off by half makes of ``fixed / saving``, with or without ``/ volume``.

    Half the fixed cost halves it, half the saving or the volume doubles it; one and a half times any moves it less.
    """
    return Range(middle * (1 - UNCERTAINTY), middle, middle / (1 - UNCERTAINTY))
