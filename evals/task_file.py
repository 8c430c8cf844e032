"""What a ``task.yaml`` may say: the pydantic models, their defaults and their JSON Schema.

Every key has a default but ``instruction`` and ``data.train``; an unknown key is an error.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, StringConstraints

from evals.errors import UsageError
from evals.model_ref import Alias, ModelRef, called

AnswerKind = Literal["label", "text", "json", "number"]
Metric = Literal[
    "accuracy", "macro_f1", "exact_match", "token_f1", "rouge_l", "numeric", "json_exact", "json_f1", "json_valid"
]

METRICS: dict[str, tuple[Metric, ...]] = {
    "label": ("accuracy", "macro_f1"),
    "text": ("token_f1", "exact_match", "rouge_l"),
    "json": ("json_exact", "json_f1", "json_valid"),
    "number": ("numeric", "exact_match"),
}
"""The metrics that fit each answer kind; the first is the default."""

_METRICS_TOLD = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in METRICS.items())

Filled = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
"""Text that says something; space around it doesn't count."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Columns(_Section):
    """Which columns of the data files hold what; columns that are absent are allowed but for input and target."""

    id: str = Field("id", description="Row id; rows without one are numbered.")
    input: str = Field("input", description="What the model is given.")
    target: str = Field("target", description="The answer.")
    targets: str = Field("targets", description="All accepted answers (a list); may replace target.")
    doc_id: str = Field("doc_id", description="Id of the document that holds the answer, for recall@k.")
    group: str = Field("group", description="Rows that share a group are not independent.")


class Data(_Section):
    """The rows to learn from and the rows to judge on."""

    train: Filled = Field(description="Training rows: .csv .tsv .json .jsonl .parquet, also .gz.")
    eval: Filled | None = Field(None, description="Eval rows; without it a stratified part of train is split off.")
    eval_share: float = Field(0.2, gt=0, lt=1, description="Share of train that is split off when eval is not given.")
    split_seed: int = Field(0, ge=0, description="Seed of that split.")
    columns: Columns = Field(default_factory=Columns)


class DocumentColumns(_Section):
    """Which columns of a documents file hold what."""

    id: str = "id"
    title: str = "title"
    text: str = "text"


class Documents(_Section):
    """The corpus that retrieval searches."""

    path: Filled = Field(description="A .jsonl or .csv file of rows, or a folder of .txt .md .html .pdf files.")
    columns: DocumentColumns = Field(default_factory=DocumentColumns)


class FewShot(_Section):
    """Settings of the few-shot arms."""

    k: int = Field(8, ge=1, description="Examples in the prompt, at most; fewer when the context is short.")
    try_k: list[PositiveInt] | None = Field(
        None, min_length=1, description="Choose k among these, on a part of train held out for it."
    )


class Rag(_Section):
    """Settings of the retrieval arms."""

    k: int = Field(4, ge=1, description="Passages in the prompt, at most.")
    try_k: list[PositiveInt] | None = Field(
        None, min_length=1, description="Choose k among these, on a part of train held out for it."
    )
    chunk_tokens: int = Field(120, ge=8, description="Size of a passage in the model's tokens.")
    try_chunk_tokens: list[Annotated[int, Field(ge=8)]] | None = Field(
        None, min_length=1, description="Choose the size among these, on a part of train held out for it."
    )
    overlap_tokens: int = Field(20, ge=0, description="Tokens that neighbouring passages share, at least.")
    shots: int = Field(0, ge=0, description="Worked examples before the passages.")


class Tune(_Section):
    """Settings of the arms that train."""

    epochs: float | None = Field(
        None, gt=0, description="Passes over the training rows, at most; default: 3, for `scratch` 10."
    )
    learning_rate: float | None = Field(None, gt=0, description="Peak rate; default: chosen by method and model size.")
    batch_size: int = Field(16, ge=1, description="Rows per optimiser step.")
    rank: int = Field(16, ge=1, description="Rank of the LoRA matrices.")
    alpha: int = Field(32, ge=1, description="LoRA scaling numerator.")
    dropout: float = Field(0.0, ge=0, lt=1, description="LoRA dropout.")
    validation_share: float = Field(0.1, gt=0, lt=0.5, description="Share of train kept to choose the best checkpoint.")
    max_train_tokens: int | None = Field(
        None, ge=1, description="Stop after this many tokens; default: 300,000 on a CPU, no limit on a GPU."
    )


class Generate(_Section):
    """Limits of answers and of errors."""

    max_new_tokens: int | None = Field(None, ge=1, description="Default: from the lengths of the training answers.")
    max_new_tokens_cap: int = Field(256, ge=1, description="The default never exceeds this.")
    max_error_share: float = Field(0.05, ge=0, le=1, description="An arm fails when more of its rows fail.")


class Decision(_Section):
    """When training counts as worth it."""

    minimum_gain: float = Field(0.02, ge=0, le=1, description="Smallest gain that would justify training.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Confidence of every interval.")
    requests_per_month: int | None = Field(
        None, ge=0, description="Expected volume: decides whether training repays within the horizon."
    )
    horizon_months: int = Field(
        12,
        ge=1,
        description="Months in which training should pay for itself.",
    )


class Gates(_Section):
    """The largest shares of eval rows that may leak, each by its kind; a run in which more do isn't begun."""

    exact_duplicates: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Eval rows whose input is a training row's; without it any stops a run.",
    )
    near_duplicates: float | None = Field(None, ge=0, le=1, description="Eval rows that nearly repeat a training row.")
    within_eval: float | None = Field(None, ge=0, le=1, description="Eval rows that repeat another eval row.")
    answers_in_documents: float | None = Field(
        None, ge=0, le=1, description="Eval rows whose question and answer stand in one document, word for word."
    )


class TaskFile(_Section):
    """A task: what is asked, on which data, with which model, and what would count as success."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=80)] | None = Field(
        None, description="Default: the folder's name."
    )
    instruction: Filled = Field(description="What the model is told to do.")
    instructions: list[Filled] | None = Field(
        None, description="Other wordings; prompted arms choose among all on a part of train held out for it."
    )
    answer: AnswerKind = Field("text", description="The kind of answer.")
    labels: list[Filled] | None = Field(None, description="The labels; default: those of the training rows.")
    metric: Metric | None = Field(
        None, description=f"By the kind of answer, the first being the default: {_METRICS_TOLD}."
    )
    tolerance: float = Field(1e-6, ge=0, description="Relative (and, near zero, absolute) tolerance of `numeric`.")
    extraction: Literal["lenient", "strict"] = Field(
        "lenient", description="Which reading of an answer is scored; the other is reported beside it."
    )
    data: Data
    documents: Documents | None = None
    model: ModelRef = Field(
        "builtin", description="Hub name, local folder, `builtin`, or a section with endpoint and name."
    )
    models: dict[Alias, ModelRef] = Field(
        default_factory=dict, description="Further models by names of your own, for arms as few_shot@NAME."
    )
    embedder: Filled = Field("builtin", description="sentence-transformers name, folder, or `builtin` (TF-IDF + SVD).")
    arms: list[Filled] | None = Field(
        None, min_length=1, description="Arms to run; default: the default set that fits the task."
    )
    seeds: int = Field(1, ge=1, le=100, description="Seeds for the arms that depend on chance.")
    few_shot: FewShot = Field(default_factory=FewShot)
    rag: Rag = Field(default_factory=Rag)
    tune: Tune = Field(default_factory=Tune)
    generate: Generate = Field(default_factory=Generate)
    decision: Decision = Field(default_factory=Decision)
    gates: Gates = Field(default_factory=Gates)
    forgetting: Filled | None = Field(
        None, description="General questions that tuned models are asked too: builtin, off, or a file of rows."
    )

    @property
    def local_model(self) -> str:
        """The model where it must be one on this machine. Raises ``UsageError`` for an endpoint."""
        if not isinstance(self.model, str):
            raise UsageError(
                f"{called(self.model)} is an endpoint: its weights are elsewhere and can't be trained here"
            )
        return self.model
