"""What the estimates assume, each with its unit and where it came from; and the answers turned into numbers."""

from collections.abc import Mapping
from dataclasses import dataclass

from advisor.memory_estimate import LOGIT_BYTES, NF4_DOUBLE_BITS, RUNTIME_GIB
from advisor.other_routes import FEWEST_PAIRS, GOOD_PAIRS, TOKENS_PER_WEIGHT
from advisor.training_estimate import QLORA_SLOWDOWN
from evals.prices import Origin, Prices
from evals.repayment import UNCERTAINTY

EXAMPLES_BY_ANSWER = {"few": 25, "fifty": 100, "hundreds": 450, "thousands": 3000, "more": 20_000}
"""Examples by the answer to ``examples``. Our judgement: the geometric middle of each range, rounded."""
EVAL_ROWS_BY_ANSWER = {"none": 0, "small": 50}
"""Rows to judge on by the answer to ``eval_set``; `enough` is as many as wanted."""

UNITS = {
    "hosted.input": "per million tokens",
    "hosted.cached_input": "per million tokens",
    "hosted.output": "per million tokens",
    "hosted.cache_hit_rate": "share of requests",
    "tuned.input": "per million tokens",
    "tuned.cached_input": "per million tokens",
    "tuned.output": "per million tokens",
    "tuned.cache_hit_rate": "share of requests",
    "running.tuned_per_month": "per month",
    "running.index_per_month": "per month",
    "running.retrieval_per_request": "per request",
    "running.classic_per_request": "per request",
    "running.retrains_per_year": "trainings a year",
    "running.relabel_share": "share of the examples",
    "running.horizon_months": "months",
    "labelling.minutes_per_example": "minutes",
    "labelling.wage_per_hour": "per hour",
    "labelling.review_share": "share of the labelling",
    "labelling.examples_wanted": "examples",
    "labelling.eval_rows_wanted": "rows",
    "training.epochs": "passes",
    "training.batch": "examples",
    "training.micro_batch": "examples",
    "training.sequence": "tokens",
    "training.gradient_checkpointing": "",
    "training.lora_rank": "",
    "training.runs": "trainings",
    "gpu.per_hour": "per hour",
    "gpu.peak_tflops": "TFLOP/s",
    "gpu.utilisation": "share of the peak",
    "gpu.memory_gib": "GiB",
    "model.weights": "weights",
    "model.layers": "layers",
    "model.hidden": "",
    "model.intermediate": "",
    "model.vocabulary": "tokens",
    "model.key_value": "",
    "model.gated": "",
    "model.tied": "",
    "tokens.question": "tokens",
    "tokens.instruction": "tokens",
    "tokens.shots": "tokens",
    "tokens.passages": "tokens",
    "tokens.answer": "tokens",
}
"""The unit of each key of the prices; one in money begins with `per` and is in the file's currency."""

MONEY = ("hosted", "tuned", "running", "labelling", "gpu")

MEASURABLE = {
    "examples": "examples",
    "eval_rows": "rows",
    "tokens_per_example": "tokens",
    "question_tokens": "tokens",
    "answer_tokens": "tokens",
    "passage_tokens": "tokens",
    "requests_per_month": "requests",
    "preference_pairs": "pairs",
}
"""What may be measured instead of assumed, with its unit."""


@dataclass(frozen=True)
class Assumption:
    """One value that an estimate rests on, its unit, and where it came from."""

    name: str
    value: float | bool
    unit: str
    origin: Origin


BUILT_IN = (
    Assumption("quantised_bits", NF4_DOUBLE_BITS, "bits a weight", "built in"),
    Assumption("logit_bytes", LOGIT_BYTES, "bytes a logit", "built in"),
    Assumption("runtime", RUNTIME_GIB, "GiB", "built in"),
    Assumption("qlora_slowdown", QLORA_SLOWDOWN, "times LoRA's time", "built in"),
    Assumption("uncertainty", UNCERTAINTY, "share of each uncertain input", "built in"),
    Assumption("tokens_per_weight", TOKENS_PER_WEIGHT, "tokens a weight", "built in"),
    Assumption("fewest_pairs", FEWEST_PAIRS, "preference pairs", "built in"),
    Assumption("good_pairs", GOOD_PAIRS, "preference pairs", "built in"),
)
"""Constants of the code that no prices file changes; each has its source where it is defined."""


@dataclass(frozen=True)
class Facts:
    """The numbers that differ from case to case, and the assumptions that gave them."""

    examples: int
    """Examples at hand."""
    eval_rows: int
    tokens_per_example: float
    """Tokens of one example as it is trained on."""
    question: int
    answer: int
    passages: int
    requests_per_month: float
    preference_pairs: float | None
    assumptions: tuple[Assumption, ...]


def gather_facts(answers: Mapping[str, str], prices: Prices, measured: Mapping[str, float]) -> Facts:
    """Return the case's numbers: measured, else by the answer, else as the prices say.

    Raises ``ValueError`` where ``measured`` holds a name that isn't in ``MEASURABLE``.
    """
    strangers = sorted(set(measured) - set(MEASURABLE))
    if strangers:
        raise ValueError(f"nothing measured is called {strangers[0]!r}; there are {', '.join(MEASURABLE)}")
    found: dict[str, Assumption] = {}

    def take(name: str, by_answer: float | None, key: str, fallback: float) -> float:
        origin: Origin
        if name in measured:
            value, origin = float(measured[name]), "measured"
        elif by_answer is not None:
            value, origin = by_answer, "answer"
        else:
            value, origin = fallback, prices.origin(key) if key else "unknown"
        found[name] = Assumption(name, value, MEASURABLE[name], origin)
        return value

    tokens, labelling = prices.tokens, prices.labelling
    question = take("question_tokens", None, "tokens.question", tokens.question)
    answer = take("answer_tokens", None, "tokens.answer", tokens.answer)
    passages = take("passage_tokens", None, "tokens.passages", tokens.passages)
    read = question + answer + tokens.instruction
    each = take("tokens_per_example", None, "tokens.question", read)
    volume = answers.get("volume")
    by_volume = getattr(prices.requests_per_month, volume) if volume in ("low", "middle", "high") else None
    requests = take("requests_per_month", by_volume, "requests_per_month.middle", prices.requests_per_month.middle)
    examples = take("examples", EXAMPLES_BY_ANSWER.get(answers.get("examples", "")), "", 0)
    rows_by_answer = EVAL_ROWS_BY_ANSWER | {"enough": labelling.eval_rows_wanted}
    rows = take("eval_rows", rows_by_answer.get(answers.get("eval_set", "")), "", 0)
    return Facts(
        examples=int(examples),
        eval_rows=int(rows),
        tokens_per_example=each,
        question=round(question),
        answer=round(answer),
        passages=round(passages),
        requests_per_month=requests,
        preference_pairs=measured.get("preference_pairs"),
        assumptions=(*found.values(), *_priced(prices), *BUILT_IN),
    )


def _priced(prices: Prices) -> tuple[Assumption, ...]:
    """Return every value of the prices but those that ``gather_facts`` lists by a name of their own."""
    own = {"tokens.question", "tokens.answer", "tokens.passages"}
    data = prices.model_dump()
    return tuple(
        Assumption(key, data[section][name], _unit(key, prices.currency), prices.origin(key))
        for key in UNITS
        if key not in own
        for section, name in [key.split(".")]
    )


def _unit(key: str, currency: str) -> str:
    unit = UNITS[key]
    return f"{currency} {unit}" if unit.startswith("per ") and key.split(".")[0] in MONEY else unit
