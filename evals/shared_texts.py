"""Predictions of many rows in little memory: what rows and arms have in common is kept once."""

from evals.scored import ScoredPrediction

_TEXTS = ("id", "raw", "extracted", "answer", "doc_id", "group")
_NUMBERS = ("score", "score_lenient", "score_strict")


class SharedTexts:
    """Replaces ids, inputs, targets, answers, scores and metrics of rows by those of an earlier row that are equal.

    A run of many arms reads the same ids, inputs and targets once per arm; labels and scores recur in every row.
    """

    def __init__(self) -> None:
        """Start with nothing kept."""
        self._texts: dict[str | None, str | None] = {}
        self._numbers: dict[float | None, float | None] = {}
        self._targets: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._metrics: dict[tuple[tuple[str, float], ...], dict[str, float]] = {}

    def slim(self, row: ScoredPrediction, *, prompt: bool = False, text: bool = False) -> ScoredPrediction:
        """Share the parts of ``row``, which must be the caller's own, and return it.

        Its prompt and its input are left out unless they're asked for.
        """
        put, share = object.__setattr__, self._texts.setdefault  # a copy of each of a million rows would take as long
        for name in _TEXTS:
            value = getattr(row, name)
            put(row, name, share(value, value))
        for name in _NUMBERS:
            number = getattr(row, name)
            put(row, name, self._numbers.setdefault(number, number))
        put(row, "targets", self._targets.setdefault(row.targets, row.targets))
        put(row, "metrics", self._metrics.setdefault(tuple(row.metrics.items()), row.metrics))
        put(row, "input", share(row.input, row.input) if text else "")
        if not prompt:
            put(row, "prompt", "")
        return row
