"""A prediction with its score, as one line of ``predictions.jsonl``."""

import dataclasses
import json
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated

from pydantic import Field, NonNegativeFloat, NonNegativeInt, TypeAdapter, ValidationError

from evals.errors import RunError
from evals.protocols import Retrieved
from evals.stored import first_problem

Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, slots=True)
class ScoredPrediction:
    """One arm's answer to one eval row, extracted and scored.

    ``answer`` is the part of ``raw`` that was read (None: all of it).
    ``extracted`` and ``score`` follow the task's extraction (lenient unless it says otherwise);
    ``score_lenient`` and ``score_strict`` hold both readings. ``metrics`` maps every metric that fits
    the answer kind to this row's value (0…1), for the reading that counts. With an ``error`` all scores
    are None: the row is counted as an error and never as a wrong answer. ``cut`` says that the answer was
    still going on at its limit. ``in_train`` says that it's word for word an answer of a training row; None
    where that would say nothing (see ``evals.learnt_answers``) and in older files. ``cached`` says that the answer
    was computed before this run, and ``ms`` measured then: it's no latency of this run. ``cached_tokens`` are those of
    ``prompt_tokens`` that a server counted as read from its own cache; None where no server counted.
    """

    id: str
    input: str
    targets: Annotated[tuple[str, ...], Field(min_length=1)]
    prompt: str
    raw: str
    extracted: str | None
    score: Share | None
    score_lenient: Share | None
    score_strict: Share | None
    metrics: dict[str, Share] = field(default_factory=dict)
    choice_by_mean: str | None = None
    prompt_tokens: NonNegativeInt = 0
    completion_tokens: NonNegativeInt = 0
    ms: NonNegativeFloat = 0.0
    retrieved: tuple[Retrieved, ...] = ()
    doc_id: str | None = None
    group: str | None = None
    error: str | None = None
    answer: str | None = None
    cut: bool = False
    in_train: bool | None = None
    cached: bool = False
    cached_tokens: NonNegativeInt | None = None

    @property
    def target(self) -> str:
        """The preferred answer."""
        return self.targets[0]

    def to_line(self) -> str:
        """Return the row as one line of JSON, without the line end."""
        record = {"id": self.id, "target": self.target} | dataclasses.asdict(self)
        text = json.dumps(record, ensure_ascii=False)
        return text.encode("utf-8", "replace").decode("utf-8")  # a model may write half a surrogate pair

    @classmethod
    def from_line(cls, line: str) -> "ScoredPrediction":
        """Read a line that ``to_line`` wrote. Raises ``RunError`` when it can't be read."""
        try:
            return _reader().validate_json(line, strict=True)
        except ValidationError as error:
            raise RunError(f"not a prediction line: {line[:80]!r} ({first_problem(error)})") from None


@cache
def _reader() -> TypeAdapter[ScoredPrediction]:
    return TypeAdapter(ScoredPrediction)
