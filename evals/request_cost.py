"""What a request costs by each approach.

A request's cost: tokens read and written at their prices, where the unchanging prefix (instruction and worked
examples, which therefore stand first) is read from the cache for a share of the requests.
"""

from dataclasses import dataclass

Approach = str
"""What a request is answered by: an approach before a run, an arm after it."""


@dataclass(frozen=True)
class Rates:
    """Prices of a million tokens, and the share of requests that find their prefix in the cache."""

    input: float
    cached_input: float
    output: float
    cache_hit_rate: float


@dataclass(frozen=True)
class RequestCost:
    """One request by one approach: its tokens, of which ``prefix`` are the same each time, and its cost.

    ``cached_tokens`` are those of the input that a server counted as read from its cache, on average; None where none
    counted, and the share of requests that find their prefix there is assumed.
    """

    approach: Approach
    input_tokens: int
    prefix_tokens: int
    output_tokens: int
    cost: float
    cached_tokens: float | None = None


def request_cost(
    approach: Approach, prefix: int, rest: int, output: int, rates: Rates, besides: float = 0.0
) -> RequestCost:
    """Return the cost of a request that reads ``prefix`` and ``rest`` and writes ``output`` tokens.

    ``besides`` is what it costs outside of the model.
    """
    cached = rates.cache_hit_rate * prefix
    tokens = (prefix - cached + rest) * rates.input + cached * rates.cached_input + output * rates.output
    return RequestCost(approach, prefix + rest, prefix, output, tokens / 1e6 + besides)


def counted_cost(
    approach: Approach, prompt: float, prefix: int, cached: float, output: float, rates: Rates, besides: float = 0.0
) -> RequestCost:
    """Return the cost of a request whose ``cached`` tokens of the ``prompt`` a server counted; nothing is assumed."""
    tokens = (prompt - cached) * rates.input + cached * rates.cached_input + output * rates.output
    return RequestCost(approach, round(prompt), prefix, round(output), tokens / 1e6 + besides, cached)
