"""Who is right where: the trained arm against each other, errors that arms share, and the rows that training changed.

Right is a full score; a partly right answer isn't. Rows that either arm answered with an error are left out of a pair.
Answers are those of each arm's first seed, as in the table of examples.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evals.scored import ScoredPrediction
from evals.winner import deciding
from reports.wording import clip

SHOWN_ROWS = 5
_LONGEST = 300


@dataclass(frozen=True)
class Pair:
    """Rows by who is right: both arms, the trained one only, the other only, neither."""

    other: str
    both: int
    trained_only: int
    other_only: int
    neither: int


@dataclass(frozen=True)
class Shared:
    """An arm's wrong answers, and by arm the share of them that it gets wrong too (None: it is wrong nowhere)."""

    name: str
    wrong: int
    shares: tuple[float | None, ...]


@dataclass(frozen=True)
class ChangedRow:
    """A row on which training changed the outcome: its text, and what the two arms answered."""

    id: str
    input: str
    target: str
    trained: str
    other: str


@dataclass(frozen=True)
class Changed:
    """How many rows changed one way, and the first of them."""

    count: int
    rows: tuple[ChangedRow, ...]


@dataclass(frozen=True)
class Differing:
    """What the section shows; ``trained`` is the arm that decides, ``best`` the best untrained one, None without."""

    trained: str | None
    best: str | None
    pairs: tuple[Pair, ...]
    gained: Changed
    broken: Changed
    arms: tuple[str, ...]
    shared: tuple[Shared, ...]


def build_differing(
    results: Mapping[str, Any], predictions: Mapping[str, Sequence[ScoredPrediction]]
) -> Differing | None:
    """Return who is right where, or None with fewer than two arms that answered."""
    verdict = results["verdict"]
    rows = {name: {row.id: row for row in arm if row.score is not None} for name, arm in predictions.items()}
    rows = {name: answers for name, answers in rows.items() if answers}
    if len(rows) < 2:
        return None
    trained = deciding(verdict) if deciding(verdict) in rows else None
    best = verdict["best_untrained"] if verdict["best_untrained"] in rows else None
    untrained = [arm["name"] for arm in results["arms"] if not arm["trained"] and arm["name"] in rows]
    pairs = () if trained is None else tuple(_pair(rows, trained, name) for name in untrained)
    none: list[str] = []
    gained = _gained(rows, trained, untrained) if trained else none
    broken = _broken(rows, trained, best) if trained and best else none
    return Differing(
        trained=trained,
        best=best,
        pairs=pairs,
        gained=_changed(gained, rows, trained, best or next(iter(untrained), None)),
        broken=_changed(broken, rows, trained, best),
        arms=tuple(rows),
        shared=tuple(_shared(rows, name) for name in rows),
    )


Rows = Mapping[str, Mapping[str, ScoredPrediction]]


def _right(row: ScoredPrediction | None) -> bool:
    return row is not None and row.score is not None and row.score >= 1


def _pair(rows: Rows, trained: str, other: str) -> Pair:
    both = [(_right(rows[trained][id_]), _right(rows[other][id_])) for id_ in rows[trained] if id_ in rows[other]]
    return Pair(other, *(both.count(case) for case in ((True, True), (True, False), (False, True), (False, False))))


def _gained(rows: Rows, trained: str, untrained: Sequence[str]) -> list[str]:
    """Return the rows that the trained arm gets right, and every untrained one that answered gets wrong."""
    others = {id_: [rows[name][id_] for name in untrained if id_ in rows[name]] for id_ in rows[trained]}
    right = [id_ for id_, row in rows[trained].items() if _right(row)]
    return [id_ for id_ in right if others[id_] and not any(map(_right, others[id_]))]


def _broken(rows: Rows, trained: str, best: str) -> list[str]:
    """Return the rows that the best untrained arm gets right, and the trained one wrong."""
    return [id_ for id_, row in rows[trained].items() if not _right(row) and _right(rows[best].get(id_))]


def _changed(ids: Sequence[str], rows: Rows, trained: str | None, other: str | None) -> Changed:
    if trained is None or other is None:
        return Changed(len(ids), ())
    told = []
    for id_ in ids[:SHOWN_ROWS]:
        row, against = rows[trained][id_], rows[other].get(id_)
        told.append(
            ChangedRow(
                clip(row.id, 60),
                clip(row.input, _LONGEST),
                clip(row.target, _LONGEST),
                _answer(row),
                "not answered" if against is None else _answer(against),
            )
        )
    return Changed(len(ids), tuple(told))


def _answer(row: ScoredPrediction) -> str:
    return clip(row.raw if row.extracted is None else row.extracted, _LONGEST) or "(empty)"


def _shared(rows: Rows, name: str) -> Shared:
    wrong = [id_ for id_, row in rows[name].items() if not _right(row)]
    shares = []
    for other in rows:
        answered = [id_ for id_ in wrong if id_ in rows[other]]
        also = sum(not _right(rows[other][id_]) for id_ in answered)
        shares.append(also / len(answered) if answered else None)
    return Shared(name, len(wrong), tuple(shares))
