"""How a training went, in sentences that need no knowledge of training: pace, end, and how well it fitted.

Every figure in a sentence is one of the results; the judgement itself is made by ``evals.learning``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.wording import loss, number, percent, plural, signed_percent

Fit = Mapping[str, Any]

KINDS = {
    "underfit": "Underfit",
    "well_fit": "Well fit",
    "overfit": "Overfit",
    "unknown": "Can’t be told whether underfit, well fit or overfit",
}
"""The judgement as a sentence begins with it."""

NO_BETTER = "Well fit by its loss, but its answers got no better"
"""Instead of "well fit", where the model doesn't score higher than before training, on its own answers."""

GOOD_ENOUGH = 0.9
"""A model that scores so high before training has little to gain: that it gains nothing isn't remarked upon."""

REPEATS_FROM = 20
"""So many wrong answers are needed to say anything of them."""

REPEATS_SHARE = 0.3
"""From this share of the wrong answers on, it's said that they repeat training answers."""


@dataclass(frozen=True)
class Judgement:
    """One sentence in two parts: the word for it, and the figures that carry it."""

    word: str
    because: str

    def __str__(self) -> str:
        """Return the whole sentence."""
        return f"{self.word}: {self.because}."


def judgement(fit: Fit) -> Judgement | None:
    """Return whether the training was underfit, well fit or overfit, and why; None in results of older versions."""
    found = fit.get("learning")
    if not found:
        return None
    word = NO_BETTER if found["kind"] == "well_fit" and _no_better(found) else KINDS[found["kind"]]
    return Judgement(word, _because(fit, found) + _score_clause(fit, found))


def _no_better(found: Mapping[str, Any]) -> bool:
    """Tell whether the answers of the weights with the lowest loss score no higher than those before training."""
    before, after = found["first"], found["lowest"]
    if not before or before["step"] != 0 or before["score"] is None or after["score"] is None:
        return False
    return bool(after["score"] <= before["score"] < GOOD_ENOUGH)


def _because(fit: Fit, found: Mapping[str, Any]) -> str:
    cause = found["cause"]
    if cause == "no_validation":
        return "no rows were held out of the training rows to look at"
    if cause == "few_points":
        return f"there are figures at {plural(found['evaluations'], 'step')} only, too few for a curve"
    first, lowest, last = found["first"], found["lowest"], found["last"]
    start = "before training" if first["step"] == 0 else f"at step {number(first['step'])}"
    if cause == "rising":
        return (
            f"from step {number(lowest['step'])} to step {number(last['step'])} the validation loss rose from "
            f"{loss(lowest['validation'])} to {loss(last['validation'])}, while the training loss fell from "
            f"{loss(lowest['train'])} to {loss(last['train'])}"
        )
    if cause == "by_heart":
        return (
            f"the training loss fell to {loss(last['train'])}, while the validation loss hardly moved "
            f"({loss(first['validation'])} before training, {loss(lowest['validation'])} at its lowest): "
            "what it learns holds for the training rows alone"
        )
    if cause == "hardly":
        return (
            f"the validation loss hardly got better ({loss(first['validation'])} before training, "
            f"{loss(lowest['validation'])} at its lowest)"
        )
    if cause == "unsteady":
        return (
            f"from step {number(lowest['step'])} on the validation loss rose from {loss(lowest['validation'])} to "
            f"{loss(last['validation'])} without a fall of the training loss ({loss(lowest['train'])}, then "
            f"{loss(last['train'])}): the learning rate may be too high"
        )
    if cause in ("falling", "budget"):
        opening = "the validation loss was still falling at the end, "
        if cause == "budget":
            opening = "the token budget ended it while the validation loss was still falling, "
        return f"{opening}from {loss(found['late'])} at three quarters of the steps to {loss(last['validation'])}"
    if cause == "unlearnt":
        return (
            f"the curve is level, but only {percent(last['score'])} of the answers are right at the end, and the "
            f"training rows aren't known better than the held-out ones (loss {loss(last['train'])} against "
            f"{loss(last['validation'])}): more epochs or a higher learning rate may teach it"
        )
    change = signed_percent(last["validation"] / found["late"] - 1) if found["late"] else "0%"
    return (
        f"the validation loss fell from {loss(first['validation'])} {start} to {loss(lowest['validation'])} at step "
        f"{number(lowest['step'])} and is about level at the end ({change} over the last quarter of the steps)"
    )


def _score_clause(fit: Fit, found: Mapping[str, Any]) -> str:
    """Return what the answers were worth meanwhile: a loss alone doesn't say that they are right."""
    first, lowest, last = found["first"], found["lowest"], found["last"]
    if not first or lowest["score"] is None:
        return ""
    plan = fit.get("plan") or {}
    rows, held = plan.get("scored_rows"), plan.get("validation_rows") or 0
    on = f"on {plural(rows, 'validation row')}" if rows else "on validation rows"
    if rows and rows < held:
        on = f"on {number(rows)} of the {number(held)} validation rows (no more, for their cost)"
    parts = [f"{percent(lowest['score'])} at step {number(lowest['step'])}"]
    if first["step"] == 0 and first["score"] is not None:
        parts.insert(0, f"{percent(first['score'])} before training")
    if last["step"] != lowest["step"] and last["score"] is not None:
        parts.append(f"{percent(last['score'])} at the end")
    listed = " and ".join((", ".join(parts[:-1]), parts[-1])) if len(parts) > 1 else parts[0]
    return f"; the score {on} was {listed}"


def pace(fit: Fit) -> str | None:
    """Return how often the rows were read, in which steps, at which learning rate; None without a plan."""
    plan = fit.get("plan")
    if not plan or not fit["steps"]:
        return None
    rows, steps = fit["train_rows"], fit["steps_per_epoch"]
    last = rows - (steps - 1) * plan["batch_size"]
    iterations = f"{plural(steps, 'step')} ({'iteration' if steps == 1 else 'iterations'})"
    reading = f"one reading takes {iterations} of {plural(min(rows, plan['batch_size']), 'row')}"
    if steps > 1 and last < plan["batch_size"]:
        reading += f", the last of them {plural(last, 'row')}"
    times = number(fit["epochs"], 1 if fit["epochs"] >= 1 else 2)
    return f"It read the {plural(rows, 'training row')} {times} times (epochs); {reading}; {_rate(fit, plan)}."


def _rate(fit: Fit, plan: Mapping[str, Any]) -> str:
    peak, warmup = plan["learning_rate"], plan["warmup_steps"]
    if fit["steps"] == 1:
        return f"the learning rate was {_plain(peak)}"
    floor = _plain(peak * plan["final_share"]) if plan["final_share"] else "zero"
    fall = f"fell to {floor} along half a cosine"
    if not warmup:
        return f"the learning rate began at {_plain(peak)} and {fall}"
    first = "the first step" if warmup == 1 else f"the first {number(warmup)} steps"
    return f"the learning rate rose to {_plain(peak)} over {first} and then {fall}"


def end(fit: Fit) -> str | None:
    """Return where the training stopped and which weights were kept."""
    if not fit["steps"]:
        return None
    plan = fit.get("plan") or {}
    if plan.get("ended_by_budget"):
        wanted = number(plan["epochs"], 0 if plan["epochs"] == round(plan["epochs"]) else 1)
        stop = (
            f"It ended early, at step {number(fit['steps'])}: the budget of {number(plan['ended_by_budget'])} tokens "
            f"was used up after {number(fit['epochs'], 2)} of the {wanted} epochs asked for."
        )
    else:
        stop = f"It ended at step {number(fit['steps'])}, after the epochs asked for."
    if fit["best_step"] is None:
        return f"{stop} The last weights were kept, since no rows were held out to choose by."
    held = f"the {plural(plan['validation_rows'], 'row')} held out" if plan.get("validation_rows") else "rows held out"
    which = "the last one" if fit["best_step"] == fit["steps"] else f"that of step {number(fit['best_step'])}"
    return f"{stop} The checkpoint kept is {which}, where the loss on {held} of the training rows was lowest."


def repeats(arm: Mapping[str, Any]) -> str | None:
    """Return that a trained arm's wrong answers are often training answers, or None where they aren't."""
    wrong, taken = arm.get("wrong") or 0, arm.get("wrong_from_train") or 0
    if not arm["trained"] or wrong < REPEATS_FROM or taken < REPEATS_SHARE * wrong:
        return None
    seeds = " (all seeds together)" if len(arm["per_seed"]) > 1 else ""
    return (
        f"{number(taken)} of its {number(wrong)} wrong answers{seeds} are, word for word, what the training row said "
        "that asks most nearly the same: it repeats what it learnt."
    )


def _plain(rate: float) -> str:
    """Return a learning rate with up to three digits that count, never as a power of ten."""
    return f"{float(f'{rate:.3g}'):.12f}".rstrip("0").rstrip(".")
