"""What a run says that stopped at its limit on costs: what is spent and answered, what the rest takes, how to go on."""

import math
from pathlib import Path

from evals.errors import SpendingError, TuneworthyError
from evals.prices import Prices
from evals.rest_cost import rest_cost


def told_of_stop(error: SpendingError, folder: Path, prices: Prices) -> str:
    """Return the whole message for a run in ``folder`` that ``error`` stopped."""
    rest, limit = "", "MORE"
    try:
        found = rest_cost(folder, prices)
    except TuneworthyError:
        found = None  # the stop itself is what must be told
    if found is not None:
        total = found.answered + found.left
        rest = f"; {found.answered:,} of {total:,} rows that endpoints answer are there"
        if found.cost is None:
            rest += ", and nothing tells yet what the others would cost"
            limit = _enough(error.spent + error.next_cost) if error.next_cost else limit
        else:
            rest += f", and what is left would cost about {found.cost:.2g} {prices.currency} more, by the rows so far"
            limit = _enough(error.spent + found.cost + error.next_cost)
    return f"{error}{rest}. Answers are kept. Go on with: tuneworthy run --resume {folder} --max-cost {limit}"


def _enough(amount: float) -> str:
    """Return ``amount`` with two digits that count, rounded up."""
    if amount <= 0:
        return "MORE"
    digits = 1 - math.floor(math.log10(amount))
    step = 10.0**-digits
    return f"{math.ceil(amount / step) * step:.{max(0, digits)}f}"
