"""After how many requests and months training has paid for itself, before a run and after it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

UNCERTAINTY = 0.5
"""Each uncertain input may be off by half. Our judgement, shown beside every figure that it moves."""

Status = Literal["yes", "no", "never", "unclear", "unknown"]


@dataclass(frozen=True)
class Spending:
    """What an approach or an arm costs: ``per_request``, ``once`` before the first, ``per_month`` at any volume."""

    name: str
    per_request: float
    once: float
    per_month: float


@dataclass(frozen=True)
class Volume:
    """How much is asked: requests a month (None: not known) over the months in which training should pay."""

    per_month: float | None
    months: int


@dataclass(frozen=True)
class Band:
    """A figure, and the lowest and highest that it becomes when one uncertain input is off by half."""

    low: float
    middle: float
    high: float | None


@dataclass(frozen=True)
class Repayment:
    """When ``trained`` has repaid what it costs more than ``against``.

    ``requests`` over the whole horizon are those that pay for all that it costs more in that time, hosting and
    retraining too; None when a request to it saves nothing. ``months`` are those after which savings at the given
    volume, less what it costs more each month, have repaid what it costs more once; None without a volume, and when
    they never do. The band is that of one input off by half (what it costs once, the saving, the volume); ``high`` is
    None where it then never repays.
    """

    trained: str
    against: str
    saving_per_request: float
    once: float
    per_month: float
    requests: Band | None
    months: Band | None
    status: Status
    """Whether it repays within the horizon; ``unclear``: the band holds both, ``unknown``: no volume was given.

    It's unclear, too, where it never repays at the figures given (``months`` is None), but with an input off by half.
    """


def repayment(trained: Spending, other: Spending, volume: Volume) -> Repayment:
    """Return when ``trained`` has repaid what it costs more than ``other``."""
    saving = other.per_request - trained.per_request
    once, monthly = trained.once - other.once, trained.per_month - other.per_month

    def over_horizon(once: float, saving: float) -> float:
        return max(0.0, once + volume.months * monthly) / saving if saving > 0 else math.inf

    def in_months(once: float, saving: float, requests: float) -> float:
        net = requests * saving - monthly
        return math.inf if net <= 0 else max(0.0, once) / net

    half, more = 1 - UNCERTAINTY, 1 + UNCERTAINTY
    moves = [
        (once, saving),
        *((once * by, saving) for by in (half, more)),
        *((once, saving * by) for by in (half, more)),
    ]
    requests = _band([over_horizon(*move) for move in moves])
    months, soonest = None, math.inf
    if volume.per_month:
        at = float(volume.per_month)
        tried = [(*move, at) for move in moves] + [(once, saving, at * by) for by in (half, more)]
        after = [in_months(*move) for move in tried]
        months, soonest = _band(after), min(after)
    status = _status(requests, months, soonest, volume)
    return Repayment(trained.name, other.name, saving, once, monthly, requests, months, status)


def _band(values: Sequence[float]) -> Band | None:
    """Return the first value with the least and the largest of all; None when it's infinite itself."""
    middle, highest = values[0], max(values)
    return None if math.isinf(middle) else Band(min(values), middle, None if math.isinf(highest) else highest)


def _status(requests: Band | None, months: Band | None, soonest: float, volume: Volume) -> Status:
    if requests is None:
        return "never"
    if not volume.per_month:
        return "unknown"
    if months is None:
        return "unclear" if soonest <= volume.months else "never"
    if months.high is not None and months.high <= volume.months:
        return "yes"
    return "no" if months.low > volume.months else "unclear"
