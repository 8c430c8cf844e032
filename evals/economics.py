"""What the arms of a run cost to make and to use, and whether training repays.

Tokens, seconds and rows are those that the run measured; prices are the user's, or the example's that ships. The
cost of labelling counts for arms that learn from rows (``tune`` and ``classic``), at what it would cost to label
as many again: the rows are there now, but the next task, and every retraining, pays. The eval rows are needed by
every arm alike and are left out.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evals.arm_cells import ArmCells
from evals.arm_name import arm_alias
from evals.figure import average, figure
from evals.fit_report import FitReport
from evals.prices import Prices
from evals.protocols import TUNED_WITH_PASSAGES
from evals.repayment import Repayment, Spending, Volume, repayment
from evals.request_cost import Rates, RequestCost, counted_cost, request_cost
from evals.verdict import Verdict

LEARNING = ("tune", "classic")
SECONDS_PER_HOUR = 3600


@dataclass(frozen=True)
class ArmEconomics:
    """One arm: ``request`` is the cost of one, ``one_off`` before the first, ``per_month`` whatever the volume."""

    name: str
    family: str
    request: RequestCost
    labelling: float
    training: float
    per_month: float

    @property
    def one_off(self) -> float:
        """What is spent before the first request."""
        return self.labelling + self.training

    @property
    def spending(self) -> Spending:
        """What it costs once, a month and a request."""
        return Spending(self.name, self.request.cost, self.one_off, self.per_month)

    def fixed(self, months: float) -> float:
        """Return what is spent over ``months`` whatever the volume."""
        return self.one_off + months * self.per_month


def arm_economics(arm: ArmCells, prices: Prices, *, on_gpu: bool, endpoint: bool = False) -> ArmEconomics:
    """Return what ``arm`` costs at ``prices``; ``on_gpu`` says which machine's hour counts.

    ``endpoint`` says that its model is a server's, whose tokens are paid whatever machine waits for them.
    """
    running, hour = prices.running, (prices.gpu if on_gpu else prices.cpu).per_hour
    fits = [cell.fit for cell in arm.cells if cell.fit is not None]
    learns = arm.family in LEARNING
    rows = max(map(_labelled, fits), default=0) if learns else 0
    work = prices.labelling
    labelling = rows * work.minutes_per_example / 60 * work.wage_per_hour * (1 + work.review_share)
    training = (average(fit.seconds for fit in fits) or 0.0) / SECONDS_PER_HOUR * hour
    per_month = running.retrains_per_year / 12 * (training + running.relabel_share * labelling) if learns else 0.0
    per_month += running.tuned_per_month if arm.family == "tune" else 0.0
    per_month += running.index_per_month if _retrieves(arm) else 0.0
    return ArmEconomics(
        arm.name, arm.family, _request(arm, prices, hour, endpoint=endpoint), labelling, training, per_month
    )


def _retrieves(arm: ArmCells) -> bool:
    """Tell whether the arm needs an index and a search for each request."""
    return arm.family == "rag" or arm.name in TUNED_WITH_PASSAGES


def _labelled(fit: FitReport) -> int:
    """Return the rows that had to be labelled: those learnt from, and those that chose the checkpoint."""
    return fit.train_rows + (fit.plan.validation_rows if fit.plan is not None else 0)


def _request(arm: ArmCells, prices: Prices, hour: float, *, endpoint: bool) -> RequestCost:
    """Return the cost of one request, by its tokens or by its seconds."""
    rows = list(arm.all_rows())
    prompt = average(row.prompt_tokens for row in rows) or 0.0
    output = average(row.completion_tokens for row in rows) or 0.0
    prefix = prompt * arm.shared_prefix
    extra = prices.running.retrieval_per_request if _retrieves(arm) else 0.0
    if arm.family == "classic":
        return RequestCost(arm.name, round(prompt), 0, round(output), prices.running.classic_per_request)
    if prices.priced_by == "machine" and not endpoint:
        # What an earlier run's answers took stands in only where this run computed none; the report says so.
        timed = [row for row in rows if not row.cached] or rows
        seconds = (average(row.ms for row in timed) or 0.0) / 1000
        return RequestCost(
            arm.name, round(prompt), round(prefix), round(output), seconds / SECONDS_PER_HOUR * hour + extra
        )
    rates = Rates(**prices.of_model(arm_alias(arm.name), arm.family, endpoint=endpoint).model_dump())
    if (share := _counted_share(arm)) is not None:
        return counted_cost(arm.name, prompt, round(prefix), share * prompt, output, rates, extra)
    return request_cost(arm.name, round(prefix), round(prompt - prefix), round(output), rates, extra)


def _counted_share(arm: ArmCells) -> float | None:
    """Return the share of its prompts' tokens that a server counted as read from its cache; None where none counted."""
    counted = [row for row in arm.all_rows() if row.cached_tokens is not None]
    read = sum(row.prompt_tokens for row in counted)
    return sum(row.cached_tokens or 0 for row in counted) / read if read else None


def _assumptions(
    arms: Sequence[ArmCells], costs: Mapping[str, ArmEconomics], prices: Prices, endpoints: Collection[str]
) -> list[dict[str, str | float]]:
    """Return what the costs rest on, but for shares of cached requests that a server's counts took the place of."""
    counted: set[str] = set()
    assumed: set[str] = set()
    for arm in arms:
        section = prices.section_of(arm_alias(arm.name), arm.family, endpoint=arm.name in endpoints)
        known = costs[arm.name].request.cached_tokens is not None
        if arm.family != "classic":
            (counted if known else assumed).add(f"{section}.cache_hit_rate")
    return [one for one in prices.used() if one["key"] not in counted - assumed]


def economics(
    arms: Sequence[ArmCells],
    prices: Prices,
    volume: Volume,
    verdict: Verdict,
    *,
    on_gpu: bool,
    endpoints: Collection[str] = (),
) -> dict[str, Any]:
    """Return the section ``economics`` of ``results.json``; ``endpoints`` are the arms whose model is a server's.

    The trained arm that decides is set against every untrained one; the best of these says whether it repays.
    """
    trained = verdict.gain.trained if verdict.gain is not None else verdict.best_trained
    outcome, best = verdict.outcome, verdict.best_untrained
    costs = {arm.name: arm_economics(arm, prices, on_gpu=on_gpu, endpoint=arm.name in endpoints) for arm in arms}
    untrained = [cost for cost in costs.values() if cost.family != "tune"]
    evens = (
        [repayment(costs[trained].spending, other.spending, volume) for other in untrained]
        if trained in costs and trained
        else []
    )
    useful = {arm.name for arm in arms if any(row.score for row in arm.all_rows())}
    decisive = next((even for even in evens if even.against == best and best in useful), None)
    return {
        "date": prices.date,
        "currency": prices.currency,
        "example": not prices.given,
        "priced_by": prices.priced_by,
        "machine": "GPU" if on_gpu else "CPU",
        "requests_per_month": volume.per_month,
        "horizon_months": volume.months,
        "arms": [_entry(cost, volume) for cost in costs.values()],
        "break_even": [asdict(even) for even in evens],
        "payback": _payback(decisive) | {"useless": bool(evens) and best is not None and best not in useful},
        "decision": _decision(outcome, _payback(decisive)["status"]),
        "assumptions": _assumptions(arms, costs, prices, endpoints),
    }


def _decision(outcome: str, repaid: str) -> str:
    """Return both halves in one word: ``worth_it`` only where the gain is proven and repaid.

    ``not_repaid``: proven, but not repaid within the horizon. ``gain_only``: proven, and whether it repays isn't known.
    """
    if outcome != "worth_it":
        return outcome
    return {"yes": "worth_it", "no": "not_repaid", "never": "not_repaid"}.get(repaid, "gain_only")


def _entry(cost: ArmEconomics, volume: Volume) -> dict[str, Any]:
    return {
        "name": cost.name,
        "per_1000_requests": figure(1000 * cost.request.cost),
        "input_tokens": cost.request.input_tokens,
        "prefix_tokens": cost.request.prefix_tokens,
        "output_tokens": cost.request.output_tokens,
        "cached_tokens": figure(cost.request.cached_tokens),
        "labelling": figure(cost.labelling),
        "training": figure(cost.training),
        "one_off": figure(cost.one_off),
        "per_month": figure(cost.per_month),
        "fixed": figure(cost.fixed(volume.months)),
    }


def _payback(even: Repayment | None) -> dict[str, Any]:
    """Return whether the trained arm repays within the horizon: ``yes``, ``no``, ``never``, ``unclear``, ``unknown``.

    ``unclear``: the band of the uncertain inputs holds both answers. ``unknown``: no volume was given, or there is
    no pair of arms (``useless``: none without training scores above zero). ``never``: a request saves nothing, or
    less than hosting and retraining cost at that volume.
    """
    if even is None:
        return {"status": "unknown", "trained": None, "against": None, "requests": None, "months": None}
    told = asdict(even)
    return {key: told[key] for key in ("status", "trained", "against", "requests", "months")}
