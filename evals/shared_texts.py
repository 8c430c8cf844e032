"""Predictions of many rows in little memory: what rows and arms have in common is kept once."""

import dataclasses
from typing import TypeVar

from evals.scored import ScoredPrediction

T = TypeVar("T")


class SharedTexts:
    """Gives rows back with ids, inputs, targets, answers and metrics that are equal to an earlier row's replaced by it.

    A run of many arms reads the same ids, inputs and targets once per arm; labels and scores recur in every row.
    """

    def __init__(self) -> None:
        """Start with nothing kept."""
        self._kept: dict[object, object] = {}
        self._metrics: dict[tuple[tuple[str, float], ...], dict[str, float]] = {}

    def slim(self, row: ScoredPrediction, *, prompt: bool = False, text: bool = False) -> ScoredPrediction:
        """Return ``row`` with shared parts; its prompt and its input are left out unless they're asked for."""
        metrics = {name: self._one(value) for name, value in row.metrics.items()}
        return dataclasses.replace(
            row,
            id=self._one(row.id),
            input=self._one(row.input) if text else "",
            targets=self._one(row.targets),
            prompt=row.prompt if prompt else "",
            raw=self._one(row.raw),
            extracted=self._one(row.extracted),
            answer=self._one(row.answer),
            score=self._one(row.score),
            score_lenient=self._one(row.score_lenient),
            score_strict=self._one(row.score_strict),
            metrics=self._metrics.setdefault(tuple(metrics.items()), metrics),
            doc_id=self._one(row.doc_id),
            group=self._one(row.group),
        )

    def _one(self, value: T) -> T:
        """Return the first value that was equal to this one, and of its type."""
        return self._kept.setdefault((type(value), value), value)  # type: ignore[return-value]
