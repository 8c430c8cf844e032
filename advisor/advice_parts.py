"""What goes into an advice beside the answers: figures counted in data, a probe, estimates, readiness, a plan."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.advice import advise
from advisor.contradictions import doubts
from advisor.data_needs import data_needs
from advisor.estimates import estimate
from advisor.plan import plan
from advisor.plan_step import Places
from advisor.questions import questions, relevant
from advisor.readiness import readiness
from advisor.recommend import recommend
from evals.documents import hash_file
from evals.errors import UsageError
from evals.prices import load_prices
from evals.task_file import AnswerKind

if TYPE_CHECKING:
    from advisor.figures import Figures

MINIMUM_GAIN = 0.03
"""The gain that matters unless the user says otherwise; our judgement."""


@dataclass(frozen=True)
class Sources:
    """What the user gives besides answers.

    ``gain`` is the smallest that matters, ``target`` the score that a probe measures the gap to; both from 0 to 1.
    ``cache`` lets a probe use kept answers.
    """

    data: Path | None = None
    eval_data: Path | None = None
    documents: Path | None = None
    probe_model: str | None = None
    prices: Path | None = None
    gain: float = MINIMUM_GAIN
    budget: str | None = None
    target: float = 0.9
    input_column: str | None = None
    target_column: str | None = None
    cache: bool = True


@dataclass(frozen=True)
class Found:
    """Answers that come from data (key → option) with the sentence that says what was counted, and the figures."""

    answers: Mapping[str, str] = field(default_factory=dict)
    sentences: Mapping[str, str] = field(default_factory=dict)
    figures: "Figures | None" = None
    notes: tuple[str, ...] = ()
    kind: AnswerKind | None = None


def look_into(sources: Sources) -> Found:
    """Count the data and ask the model, where they're given. Raises ``UsageError``, ``DataError``, ``ModelError``."""
    if sources.data is None:
        if sources.eval_data or sources.documents or sources.probe_model:
            raise UsageError("--eval, --documents and --probe need --data, the rows to learn from")
        return Found()
    from advisor.given_data import read_given
    from advisor.measured import measure_given

    given = read_given(
        sources.data,
        eval_data=sources.eval_data,
        documents=sources.documents,
        input_column=sources.input_column,
        target_column=sources.target_column,
    )
    measured = measure_given(given)
    answers = dict(measured.answers)
    if sources.probe_model is not None:
        from advisor.engine import lazy_model
        from advisor.probe import probe_given
        from evals.cache_folder import cache_place

        model = lazy_model(sources.probe_model, kept=cache_place() if sources.cache else None)
        probed = probe_given(given, sources.probe_model, model, target=sources.target)
        answers.update(probed.answers)
    return Found(
        {key: found.option for key, found in answers.items()},
        {key: found.sentence for key, found in answers.items()},
        measured.figures,
        measured.notes,
        given.guess.answer,
    )


def whole_advice(
    given: Mapping[str, str], found: Found, sources: Sources, *, task: Path | None = None, saved: Path | None = None
) -> dict[str, Any]:
    """Return the advice with all its parts; what was counted goes before an estimate of it.

    ``given`` are all answers, those that others make meaningless too. ``task`` is the folder where a task file is
    drafted, ``saved`` the file of the answers, for the commands of the plan.
    """
    answers = relevant(given)
    figures = _ready_figures(found.figures)
    made = recommend(answers)
    needs = data_needs(answers, figures, sources.gain)
    measured = {key: text for key, text in found.sentences.items() if answers.get(key) == found.answers[key]}
    prices = load_prices(sources.prices).wanting(examples=needs.examples, eval_rows=needs.eval_rows)
    places = Places(task, task is not None, sources.data, sources.eval_data, sources.documents, saved)
    steps = plan(answers, made, sources.gain, needs.eval_rows, sources.budget, found.kind, places)
    advice = advise(
        answers,
        measured,
        estimates=asdict(estimate(answers, prices, _priced_figures(found.figures))),
        readiness=[asdict(item) for item in readiness(answers, figures, sources.gain)],
    )
    for unknown in advice["find_out"]:
        unknown["how"] = places.named(unknown["how"])
    advice["recommendation"]["caveats"][:0] = [*doubts(given), *_from_data(answers, found, sources)]
    return advice | {
        "data": None if sources.data is None else {"train": hash_file(sources.data)},
        "plan": [
            {"step": f"{step.title}. {step.what}", "day": step.day, "command": step.command, "why": step.stop}
            for step in steps
        ],
    }


def _from_data(answers: Mapping[str, str], found: Found, sources: Sources) -> list[str]:
    """Return what the data or the probe say against the answers, or against relying on them."""
    asked = {one.key: one for one in questions()}
    told = [
        f"Look again at {key}: the answer is “{asked[key].options[answers[key]]}”, and yet: {found.sentences[key]}"
        for key, option in found.answers.items()
        if answers.get(key, option) != option
    ]
    figures = found.figures
    if figures and figures.overlap and figures.eval_rows and figures.overlap * 2 > figures.eval_rows:
        told.append(
            f"{figures.overlap:,} of {figures.eval_rows:,} eval rows stand among the rows to learn from: no score on "
            "them would say anything. Give rows that were kept apart."
        )
    if sources.probe_model is not None and "gap" in answers and answers.get("gap") == found.answers.get("gap"):
        if answers.get("prompting") != "measured":
            told.append("The gap was measured with plain prompts, not after work on them: work on the prompt first.")
        if sources.probe_model == "builtin":
            told.append("The built-in model was probed, which knows nothing of the world: probe the one you would use.")
    return told


def _ready_figures(figures: "Figures | None") -> dict[str, float]:
    """Return what ``advisor.readiness`` wants to know, by its names."""
    if figures is None:
        return {}
    named = {
        "rows": figures.rows,
        "rarest_label": min(figures.labels.values()) if figures.labels else None,
        "eval_rows": figures.eval_rows,
        "exact_duplicates": figures.exact_copies + figures.alike_copies,
        "near_duplicates": figures.near_copies,
        "overlap": figures.overlap,
        "imbalance": figures.imbalance,
    }
    return {key: float(value) for key, value in named.items() if value is not None}


def _priced_figures(figures: "Figures | None") -> dict[str, float]:
    """Return what ``advisor.estimates`` wants to know, by its names."""
    if figures is None:
        return {}
    named = {
        "examples": figures.clean,
        "eval_rows": figures.eval_rows,
        "question_tokens": figures.input_tokens.median,
        "answer_tokens": figures.answer_tokens.median,
    }
    return {key: float(value) for key, value in named.items() if value is not None}
