"""The prices, sizes and habits that the estimates rest on: the shipped example, and a user's own over it.

``prices.yaml`` beside this module is an example; a user's file may hold only the keys that differ from it.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from evals.schema_check import check_model
from evals.task_yaml import LocatedYaml, read_yaml

EXAMPLE = Path(__file__).with_name("prices.yaml")

Origin = Literal["example prices", "prices file", "answer", "measured", "built in", "unknown"]
"""Where an assumption's value came from: ``built in`` is a constant of the code, with its source beside it there;
``unknown`` is what nobody said and the estimate took for none."""

Amount = Annotated[float, Field(ge=0)]
"""Money or a rate: nothing or more."""
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Tokens = Annotated[int, Field(ge=0)]
Above = Annotated[float, Field(gt=0)]


_UNUSED = {"horizon_months", "examples_wanted", "eval_rows_wanted", "peak_tflops", "utilisation", "memory_gib"}
"""Keys for estimates before a run; what a run measured or its task says takes their place."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class TokenPrices(_Section):
    """What a model's tokens cost, per million."""

    input: Amount = Field(description="Price of a million tokens read.")
    cached_input: Amount = Field(description="Price of a million tokens read from the cache.")
    output: Amount = Field(description="Price of a million tokens written.")
    cache_hit_rate: Share = Field(description="Share of requests whose prefix is cached.")


class Running(_Section):
    """What runs whether or not a request comes, and what a request costs outside of any model."""

    tuned_per_month: Amount = Field(description="Hosting of the tuned model per month.")
    index_per_month: Amount = Field(description="Hosting of the index per month.")
    retrieval_per_request: Amount = Field(description="Searching the passages, per request.")
    classic_per_request: Amount = Field(description="Classic machine learning, per request.")
    retrains_per_year: Amount = Field(description="Trainings a year after the first.")
    relabel_share: Share = Field(description="Share of the examples labelled anew for each retraining.")
    horizon_months: Count = Field(description="Months in which training should pay for itself.")


class RequestsPerMonth(_Section):
    """Requests a month by the answer to ``volume``."""

    low: Count = Field(description="Requests a month for the answer `low`.")
    middle: Count = Field(description="Requests a month for the answer `middle`, and where there is none.")
    high: Count = Field(description="Requests a month for the answer `high`.")


class TokenCounts(_Section):
    """Tokens of the parts of a request."""

    question: Tokens = Field(description="Tokens of the input itself.")
    instruction: Tokens = Field(description="Tokens of the instruction.")
    shots: Tokens = Field(description="Tokens of all worked examples in the prompt.")
    passages: Tokens = Field(description="Tokens of all passages in the prompt.")
    answer: Tokens = Field(description="Tokens of the answer.")


class Labelling(_Section):
    """What an example costs to write."""

    minutes_per_example: Amount = Field(description="Minutes of work per example.")
    wage_per_hour: Amount = Field(description="Cost of an hour of that work.")
    review_share: Amount = Field(description="Work of reviewing, as a share of the labelling.")
    examples_wanted: Count = Field(description="Examples to train on.")
    eval_rows_wanted: Count = Field(description="Rows to judge on.")


class Training(_Section):
    """How training goes."""

    epochs: Above = Field(description="Passes over the examples.")
    batch: Count = Field(description="Examples per optimiser step.")
    micro_batch: Count = Field(description="Examples at once on the GPU.")
    sequence: Count = Field(description="Longest example in tokens.")
    gradient_checkpointing: bool = Field(description="Whether activations are computed twice to save memory.")
    lora_rank: Count = Field(description="Rank of the LoRA matrices.")
    runs: Count = Field(description="Trainings to budget for.")


class Gpu(_Section):
    """The GPU that trains."""

    per_hour: Amount = Field(description="Price of an hour.")
    peak_tflops: Above = Field(description="Peak of dense 16-bit arithmetic in TFLOP/s.")
    utilisation: Annotated[float, Field(gt=0, le=1)] = Field(description="Share of the peak reached (MFU).")
    memory_gib: Above = Field(description="Memory in GiB.")


class Cpu(_Section):
    """The machine without a GPU that trains and answers, where the run had none."""

    per_hour: Amount = Field(description="Price of an hour.")


class Model(_Section):
    """The shape of the model that would be tuned."""

    weights: Above = Field(description="Weights in all.")
    layers: Count = Field(description="Layers.")
    hidden: Count = Field(description="Width of a layer.")
    intermediate: Count = Field(description="Width of a feed-forward layer.")
    vocabulary: Count = Field(description="Tokens in the vocabulary.")
    key_value: Count = Field(description="Width of the keys: key-value heads times the size of a head.")
    gated: bool = Field(description="Whether feed-forward layers have a gate.")
    tied: bool = Field(description="Whether embedding and head are one matrix.")


class Prices(_Section):
    """Everything that the estimates assume; amounts in ``currency``."""

    date: str = Field(description="When these prices held.")
    currency: str = Field(min_length=1, max_length=16, description="Currency of every amount.")
    hosted: TokenPrices
    tuned: TokenPrices
    models: dict[str, TokenPrices] = Field(
        default_factory=dict, description="Prices of models by their names in the task's `models:`, where they differ."
    )
    running: Running
    requests_per_month: RequestsPerMonth
    tokens: TokenCounts
    labelling: Labelling
    training: Training
    gpu: Gpu
    cpu: Cpu
    priced_by: Literal["tokens", "machine"] = Field(
        description="What a measured request costs: its tokens at their prices, or its seconds at the machine's."
    )
    model: Model
    _given: frozenset[str] = PrivateAttr(default=frozenset())
    _needed: frozenset[str] = PrivateAttr(default=frozenset())
    _text: str = PrivateAttr(default="")

    def wanting(self, *, examples: int, eval_rows: int) -> "Prices":
        """Return the same with the rows that a task takes, unless the user's file says how many are wanted."""
        needed = {"examples_wanted": examples, "eval_rows_wanted": eval_rows}
        own = {key: count for key, count in needed.items() if f"labelling.{key}" not in self._given}
        made = self.model_copy(update={"labelling": self.labelling.model_copy(update=own)})
        made._needed = frozenset(f"labelling.{key}" for key in own)
        return made

    @property
    def given(self) -> bool:
        """Whether a user's file stands over the example."""
        return bool(self._given)

    @property
    def text(self) -> str:
        """The user's file as it was read: it may be a pipe, which can't be read again."""
        return self._text

    def of_model(self, alias: str | None, family: str, *, endpoint: bool = True) -> TokenPrices:
        """Return what tokens cost an arm of ``family`` on the model that the task calls ``alias``.

        A model of ``models:`` that is no endpoint runs where a tuned one would, whether it's tuned or not. The task's
        own ``model:`` stands for a hosted one in arms that train nothing.
        """
        section = self.section_of(alias, family, endpoint=endpoint)
        return {"tuned": self.tuned, "hosted": self.hosted}.get(section) or self.models[str(alias)]

    def section_of(self, alias: str | None, family: str, *, endpoint: bool = True) -> str:
        """Return the section that ``of_model`` takes its prices from: ``hosted``, ``tuned``, ``models.big``."""
        if alias is not None and alias in self.models:
            return f"models.{alias}"
        own = family == "tune" or (alias is not None and not endpoint)
        return "tuned" if own else "hosted"

    def used(self) -> list[dict[str, str | float]]:
        """Return what the costs of a run rest on: each key that counts, its value and where that came from."""
        flat: list[tuple[str, str | float]] = [("priced_by", self.priced_by)]
        for section in ("hosted", "tuned", "running", "labelling", "gpu", "cpu"):
            values = getattr(self, section).model_dump()
            flat += [(f"{section}.{key}", value) for key, value in values.items() if key not in _UNUSED]
        for alias, own in self.models.items():
            flat += [(f"models.{alias}.{key}", value) for key, value in own.model_dump().items()]
        return [{"key": key, "value": value, "origin": self.origin(key)} for key, value in flat]

    def origin(self, key: str) -> Origin:
        """Return where the value of a dotted key, as ``gpu.per_hour``, came from."""
        if key in self._needed:
            return "answer"
        return "prices file" if key in self._given else "example prices"


def load_prices(path: Path | None = None) -> Prices:
    """Return the example prices, with the values of the user's file at ``path`` over them.

    Raises ``TaskError`` with one line per problem: file, line, key, what is expected.
    """
    example = read_yaml(EXAMPLE)
    if path is None:
        return check_model(Prices, EXAMPLE, example)
    own = read_yaml(path, "prices file", if_empty="give at least one key, as in `gpu: {per_hour: 1.80}`")
    merged = LocatedYaml(_over(example.data, own.data), own.lines)
    prices = check_model(Prices, path, merged)
    prices._text = own.text
    prices._given = frozenset(".".join(map(str, where)) for where in own.lines)
    return prices


def _over(below: dict[str, object], above: dict[str, object]) -> dict[str, object]:
    """Return ``below`` with the values of ``above``, section by section."""
    merged = dict(below)
    for key, value in above.items():
        under = below.get(key)
        merged[key] = _over(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged
