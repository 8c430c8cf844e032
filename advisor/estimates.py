"""All estimates of a case in one tree: training, memory, labelling, requests, break-even, other routes.

Every value that they rest on is listed in ``assumptions`` with where it came from. Figures in money are in
``currency``; none of them decides anything alone: what is measured on the user's rows does.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from advisor.assumptions import Assumption, Facts, gather_facts
from advisor.memory_estimate import METHODS, Decoder, Memory, Method, TrainingSetup, estimate_memory
from advisor.other_routes import Route, from_scratch, preferences
from advisor.training_estimate import Machine, TrainingEstimate, Work, estimate_training, labelling_cost
from evals.prices import Prices
from evals.repayment import Repayment, Spending, Volume, repayment
from evals.request_cost import Rates, RequestCost, request_cost


@dataclass(frozen=True)
class MemoryOnCard:
    """The memory of one way of training, and whether the GPU of the prices holds it."""

    memory: Memory
    fits: bool


@dataclass(frozen=True)
class LabellingEstimate:
    """What is still to be labelled, to train on and to judge on, and what it costs."""

    examples_missing: int
    examples_cost: float
    eval_rows_missing: int
    eval_rows_cost: float
    """Needed by every approach alike, so it is no part of a break-even."""


@dataclass(frozen=True)
class Estimates:
    """What a case would cost; turns into JSON by ``dataclasses.asdict``."""

    date: str
    currency: str
    training: tuple[TrainingEstimate, ...]
    memory: tuple[MemoryOnCard, ...]
    """Each method without and with gradient checkpointing."""
    method: Method
    """The way of training that the break-even counts: LoRA where it fits the GPU, else QLoRA."""
    labelling: LabellingEstimate
    requests: tuple[RequestCost, ...]
    break_even: tuple[Repayment, ...]
    """Of tuning, and of tuning with passages, each against the cheapest approach that trains nothing."""
    routes: tuple[Route, ...]
    assumptions: tuple[Assumption, ...]
    notes: tuple[str, ...]


def estimate(answers: Mapping[str, str], prices: Prices, measured: Mapping[str, float] | None = None) -> Estimates:
    """Return the estimates of a case.

    ``answers`` maps keys of ``questions.yaml`` to options; an absent key is unknown. ``measured`` gives counts by
    the names of ``assumptions.MEASURABLE``, which go before answers and prices; another name is a ``ValueError``.
    """
    facts = gather_facts(answers, prices, measured or {})
    machine = Machine(prices.gpu.peak_tflops, prices.gpu.utilisation, prices.gpu.per_hour)
    training = _training(facts, prices, machine)
    memory = _memory(prices)
    method = _method(memory, prices)
    labelling = _labelling(facts, prices)
    requests = _requests(facts, prices)
    run = next(way for way in training if way.method == method)
    evens = _break_evens(answers, facts, prices, requests, run, labelling)
    return Estimates(
        date=prices.date,
        currency=prices.currency,
        training=training,
        memory=memory,
        method=method,
        labelling=labelling,
        requests=requests,
        break_even=evens,
        routes=_routes(answers, facts, prices, machine),
        assumptions=facts.assumptions,
        notes=_notes(answers, memory, method, prices),
    )


def _training(facts: Facts, prices: Prices, machine: Machine) -> tuple[TrainingEstimate, ...]:
    setup = prices.training
    work = Work(
        weights=prices.model.weights,
        examples=max(facts.examples, prices.labelling.examples_wanted),
        tokens_per_example=facts.tokens_per_example,
        epochs=setup.epochs,
        batch=setup.batch,
        checkpointing=setup.gradient_checkpointing,
    )
    return tuple(estimate_training(work, method, machine, setup.runs) for method in METHODS)


def _memory(prices: Prices) -> tuple[MemoryOnCard, ...]:
    setup, decoder = prices.training, Decoder(**prices.model.model_dump())
    every = (
        estimate_memory(
            decoder, method, TrainingSetup(setup.sequence, setup.micro_batch, checkpointing, setup.lora_rank)
        )
        for method in METHODS
        for checkpointing in (False, True)
    )
    return tuple(MemoryOnCard(memory, memory.total <= prices.gpu.memory_gib) for memory in every)


def _method(memory: tuple[MemoryOnCard, ...], prices: Prices) -> Method:
    checkpointing = prices.training.gradient_checkpointing
    fits = {way.memory.method for way in memory if way.fits and way.memory.checkpointing == checkpointing}
    return "lora" if "lora" in fits else "qlora"


def _labelling(facts: Facts, prices: Prices) -> LabellingEstimate:
    examples = max(0, prices.labelling.examples_wanted - facts.examples)
    rows = max(0, prices.labelling.eval_rows_wanted - facts.eval_rows)
    return LabellingEstimate(examples, _label(examples, prices), rows, _label(rows, prices))


def _label(count: float, prices: Prices) -> float:
    labelling = prices.labelling
    return labelling_cost(count, labelling.minutes_per_example, labelling.wage_per_hour, labelling.review_share)


def _requests(facts: Facts, prices: Prices) -> tuple[RequestCost, ...]:
    """Return the cost of a request by each approach; instruction and shots come first, so that they are cached."""
    hosted, tuned = Rates(**prices.hosted.model_dump()), Rates(**prices.tuned.model_dump())
    instruction, shots = prices.tokens.instruction, prices.tokens.shots
    question, answer = facts.question, facts.answer
    found, search = question + facts.passages, prices.running.retrieval_per_request
    return (
        request_cost("prompt", instruction + shots, question, answer, hosted),
        request_cost("rag", instruction, found, answer, hosted, search),
        request_cost("tune", instruction, question, answer, tuned),
        request_cost("rag_tune", instruction, found, answer, tuned, search),
        RequestCost("classic", question, 0, 0, prices.running.classic_per_request),
    )


def _break_evens(
    answers: Mapping[str, str],
    facts: Facts,
    prices: Prices,
    requests: tuple[RequestCost, ...],
    run: TrainingEstimate,
    labelling: LabellingEstimate,
) -> tuple[Repayment, ...]:
    by_approach = {request.approach: request.cost for request in requests}
    running = prices.running
    index = {"rag": running.index_per_month, "rag_tune": running.index_per_month}
    used = max(facts.examples, prices.labelling.examples_wanted)
    again = run.cost_per_run + _label(running.relabel_share * used, prices)
    monthly = running.tuned_per_month + running.retrains_per_year / 12 * again
    cheapest = min(_able(answers), key=lambda name: by_approach[name])
    untrained = Spending(cheapest, by_approach[cheapest], 0.0, index.get(cheapest, 0.0))
    volume = Volume(facts.requests_per_month, running.horizon_months)
    return tuple(
        repayment(
            Spending(name, by_approach[name], labelling.examples_cost + run.cost, monthly + index.get(name, 0.0)),
            untrained,
            volume,
        )
        for name in ("tune", "rag_tune")
    )


def _able(answers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the untrained approaches that can do the task: without documents no retrieval, and some need it."""
    if answers.get("corpus") == "none" or answers.get("knowledge") == "none":
        return ("prompt",)
    if answers.get("oracle") == "only_with" or answers.get("task") == "documents":
        return ("rag",)
    return ("prompt", "rag")


def _routes(answers: Mapping[str, str], facts: Facts, prices: Prices, machine: Machine) -> tuple[Route, ...]:
    weights, special = prices.model.weights, answers.get("special")
    at_hand = facts.examples * facts.tokens_per_example
    pair = facts.tokens_per_example * 2  # the input is read once with each answer
    return (
        from_scratch(weights, at_hand, machine, prices.currency, special),
        preferences(
            weights,
            pair,
            _label(1, prices),
            machine,
            prices.currency,
            special,
            facts.preference_pairs,
            prices.training.gradient_checkpointing,
        ),
    )


def _notes(
    answers: Mapping[str, str], memory: tuple[MemoryOnCard, ...], method: Method, prices: Prices
) -> tuple[str, ...]:
    notes = []
    if answers.get("privacy") == "own":
        notes.append(
            "The data may go to your own machines only: put what their tokens cost you under `hosted` in your prices."
        )
    checkpointing = prices.training.gradient_checkpointing
    if not any(way.fits for way in memory if way.memory.method == method and way.memory.checkpointing == checkpointing):
        notes.append(
            f"Neither LoRA nor QLoRA fits a GPU of {prices.gpu.memory_gib:g} GiB as set: take a larger one, a smaller "
            "model, shorter examples or gradient checkpointing."
        )
    return tuple(notes)
