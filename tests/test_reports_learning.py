import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.learning import diagnose
from evals.protocols import FitReport, LossPoint, TrainingPlan
from reports.learning import end, judgement, pace, repeats


def fit_of(validation=(), train=(), scores=(), *, best=None, ended_by_budget=None, steps=60, **plan):
    """A fit as results.json has it, evaluated every ten steps."""
    losses = tuple(
        LossPoint(10 * place, place / 3, mean, value, score)
        for place, (value, mean, score) in enumerate(
            zip(validation, (None, *train)[: len(validation)], scores or [None] * len(validation), strict=True)
        )
    )
    settings = {
        "batch_size": 16,
        "learning_rate": 0.005,
        "warmup_steps": 10,
        "final_share": 0.0,
        "epochs": 5.0,
        "ended_by_budget": ended_by_budget,
        "validation_rows": 60,
        "scored_rows": 32,
    }
    report = FitReport(
        train_rows=540,
        steps=steps,
        steps_per_epoch=34,
        epochs=steps / 34,
        best_step=best,
        losses=losses,
        plan=TrainingPlan(**(settings | plan)),
    )
    learning = diagnose(losses, ended_by_budget=ended_by_budget is not None)
    return {"seed": 0} | dataclasses.asdict(report) | {"learning": dataclasses.asdict(learning)}


def test_overfit_with_the_figures_that_carry_it():
    fit = fit_of([2.3, 1.1, 0.7, 0.52, 0.61], [1.8, 1.0, 0.6, 0.4], [0.0625, 0.5, 0.75, 0.78125, 0.84375])
    assert str(judgement(fit)) == (
        "Overfit: from step 30 to step 40 the validation loss rose from 0.520 to 0.610, while the training loss fell "
        "from 0.600 to 0.400; the score on 32 of the 60 validation rows (no more, for their cost) was 6.2% "
        "before training, 78.1% at step 30 and 84.4% "
        "at the end."
    )


@pytest.mark.parametrize(
    ("fit", "says"),
    [
        (
            fit_of([7.0, 0.6, 0.3, 0.25, 0.25], [0.7, 0.35, 0.26, 0.25], [0.0, 0.0, 0.1, 0.25, 0.25]),
            "Underfit: the curve is level, but only 25.0% of the answers are right at the end, and the training rows "
            "aren't known better than the held-out ones (loss 0.250 against 0.250): more epochs or a higher learning "
            "rate may teach it; the score on 32 of the 60 validation rows (no more, for their cost) was 0.0% "
            "before training, 25.0% at step 30 and 25.0% "
            "at the end.",
        ),
        (
            fit_of([2.0, 1.99, 1.98, 1.99], [2.0, 1.2, 0.4]),
            "Overfit: the training loss fell to 0.400, while the validation loss hardly moved (2.00 before training, "
            "1.98 at its lowest): what it learns holds for the training rows alone.",
        ),
        (
            fit_of([2.0, 1.99, 1.98, 1.97], [2.0, 1.98, 1.97]),
            "Underfit: the validation loss hardly got better (2.00 before training, 1.97 at its lowest).",
        ),
        (
            fit_of([2.0, 1.6, 1.2, 0.8, 0.4], [1.8, 1.4, 1.0, 0.6], [0, 0.1, 0.2, 0.3, 0.4], scored_rows=1),
            "Underfit: the validation loss was still falling at the end, from 0.800 at three quarters of the steps to "
            "0.400; the score on 1 of the 60 validation rows (no more, for their cost) was 0.0% "
            "before training and 40.0% at step 40.",
        ),
        (
            fit_of([2.0, 1.6, 1.2, 0.8, 0.4], [1.8, 1.4, 1.0, 0.6], ended_by_budget=9000),
            "Underfit: the token budget ended it while the validation loss was still falling, from 0.800 at three "
            "quarters of the steps to 0.400.",
        ),
        (
            fit_of([2.0, 1.0, 0.6, 0.5, 0.51], [1.8, 0.9, 0.5, 0.4]),
            "Well fit: the validation loss fell from 2.00 before training to 0.500 at step 30 and is about level at "
            "the end (+2% over the last quarter of the steps).",
        ),
        (
            fit_of([2.0, 1.0, 0.5, 1.5], [1.8, 0.9, 1.9]),
            "Can’t be told whether underfit, well fit or overfit: from step 20 on the validation loss rose from 0.500 "
            "to 1.50 without a fall of the training loss (0.900, then 1.90): the learning rate may be too high.",
        ),
        (
            fit_of([2.0, 1.0], [1.8]),
            "Can’t be told whether underfit, well fit or overfit: there are figures at 2 steps only, too few for a "
            "curve.",
        ),
        (
            fit_of([None] * 3, [1.8, 1.0]),
            "Can’t be told whether underfit, well fit or overfit: no rows were held out of the training rows to look "
            "at.",
        ),
    ],
)
def test_every_judgement_is_one_sentence(fit, says):
    assert str(judgement(fit)) == says


def test_a_loss_that_falls_while_the_answers_stay_wrong_is_remarked_upon():
    losses, train = [7.0, 1.0, 0.6, 0.5, 0.5], [1.8, 0.9, 0.5, 0.4]
    word = judgement(fit_of(losses, train, [0.0] * 5)).word
    assert word == "Well fit by its loss, but its answers got no better"
    assert judgement(fit_of(losses, train, [0.0, 0.0, 0.1, 0.2, 0.2])).word == "Well fit"
    assert judgement(fit_of(losses, train, [0.95] * 5)).word == "Well fit"  # it could hardly get better
    assert judgement(fit_of(losses, train)).word == "Well fit"


def test_the_pace_in_words():
    assert pace(fit_of(steps=170)) == (
        "It read the 540 training rows 5.0 times (epochs); one reading takes 34 steps (iterations) of 16 rows, the "
        "last of them 12 rows; the learning rate rose to 0.005 over the first 10 steps and then fell to zero along "
        "half a cosine."
    )
    assert "0.06 times" in pace(fit_of(steps=2))
    assert "over the first step and then fell to 0.00006 along" in pace(
        fit_of(warmup_steps=1, learning_rate=0.003, final_share=0.02)
    )
    assert "began at 0.000125 and fell to zero" in pace(fit_of(warmup_steps=0, learning_rate=1.25e-4))
    assert pace(fit_of(steps=1)).endswith("; the learning rate was 0.005.")
    assert "the last of them" not in pace(fit_of() | {"train_rows": 544})
    few = fit_of(steps=3) | {"train_rows": 9, "steps_per_epoch": 1, "epochs": 3.0}
    assert "It read the 9 training rows 3.0 times (epochs); one reading takes 1 step (iteration) of 9 rows;" in pace(
        few
    )


@given(st.integers(1, 3000), st.integers(1, 64), st.floats(1e-6, 0.1), st.integers(0, 9))
def test_the_steps_of_a_reading_hold_its_rows(rows, batch, rate, warmup):
    per_epoch = -(-rows // batch)
    fit = fit_of(batch_size=batch, learning_rate=rate, warmup_steps=warmup) | {
        "train_rows": rows,
        "steps_per_epoch": per_epoch,
    }
    said = pace(fit)
    last = rows - (per_epoch - 1) * batch
    assert ("the last of them" in said) == (per_epoch > 1 and last < batch)
    assert "e-" not in said.split("learning rate")[1]
    shown = float(said.split("learning rate ")[1].split(" to " if warmup else " at ")[1].split(" ")[0])
    assert shown == pytest.approx(rate, rel=6e-3)


def test_where_it_ended_and_what_was_kept():
    assert end(fit_of(best=50)) == (
        "It ended at step 60, after the epochs asked for. The checkpoint kept is that of step 50, where the loss on "
        "the 60 rows held out of the training rows was lowest."
    )
    assert end(fit_of(best=60, ended_by_budget=300_000)) == (
        "It ended early, at step 60: the budget of 300,000 tokens was used up after 1.76 of the 5 epochs asked for. "
        "The checkpoint kept is the last one, where the loss on the 60 rows held out of the training rows was lowest."
    )
    assert end(fit_of()).endswith("The last weights were kept, since no rows were held out to choose by.")


def test_older_results_are_told_as_far_as_they_go():
    fit = fit_of([2.0, 1.0, 0.6, 0.5], [1.8, 0.9, 0.5], best=20)
    del fit["plan"], fit["learning"]
    assert judgement(fit) is pace(fit) is None
    assert end(fit).endswith("that of step 20, where the loss on rows held out of the training rows was lowest.")
    assert end(fit | {"steps": 0}) is None


def test_what_repeats_training_answers():
    def arm(**changes):
        return {"trained": True, "wrong": 40, "wrong_from_train": 12, "per_seed": [{}]} | changes

    assert repeats(arm()) == (
        "12 of its 40 wrong answers are, word for word, what the training row said "
        "that asks most nearly the same: it repeats what it learnt."
    )
    assert "wrong answers (all seeds together) are" in repeats(arm(per_seed=[{}, {}]))
    for changes in ({"trained": False}, {"wrong": 19, "wrong_from_train": 19}, {"wrong_from_train": 11}):
        assert repeats(arm(**changes)) is None
    assert repeats(arm(wrong_from_train=None)) is None
