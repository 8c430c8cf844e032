import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import wording
from reports.data_condition import repeat_sentences
from reports.repays import badge
from reports.sentences import Sentence, headline, next_steps, standing
from tests.report_fixtures import ARMS, Spec, make_run

anything = st.text(st.characters(exclude_categories=()))  # lone surrogates too
finite = st.floats(-1, 1, allow_nan=False)


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (wording.percent, 0.9064, "90.6%"),
        (wording.percent, 1.0, "100.0%"),
        (wording.percent, None, "–"),
        (wording.percent, math.nan, "–"),
        (wording.points, -0.0104, "−1.0 points"),
        (wording.points, -0.0001, "0.0 points"),
        (wording.signed, 0.0042, "+0.4"),
        (wording.signed, -0.0042, "−0.4"),
        (wording.signed, -0.00001, "0.0"),
        (wording.asked, 0.02, "2 points"),
        (wording.asked, 0.01, "1 point"),
        (wording.asked, 0.025, "2.5 points"),
        (wording.level, 0.95, "95%"),
        (wording.level, 1 - 0.05 / 3, "98.3%"),
        (wording.count, 12345, "12,345"),
        (wording.count, 0, "0"),
        (wording.count, None, "–"),
        (wording.seconds, 0, "0.0 s"),
        (wording.seconds, 0.04, "< 0.1 s"),
        (wording.seconds, 9.96, "10 s"),
        (wording.seconds, 59.7, "1 min 0 s"),
        (wording.seconds, 200, "3 min 20 s"),
        (wording.seconds, 3599.6, "1 h 0 min"),
        (wording.seconds, 4320, "1 h 12 min"),
        (wording.milliseconds, 0.0004, "< 0.01 ms"),
        (wording.milliseconds, 0.421, "0.42 ms"),
        (wording.milliseconds, 3.21, "3.2 ms"),
        (wording.milliseconds, 9.97, "10 ms"),
        (wording.milliseconds, 1400, "1.4 s"),
        (wording.megabytes, 812.4, "812 MB"),
        (wording.megabytes, 1234, "1.2 GB"),
        (wording.p_value, 0.00004, "< 0.001"),
        (wording.p_value, 0.031, "0.031"),
        (wording.p_value, 0.5, "0.50"),
        (wording.fact, True, "yes"),
        (wording.fact, None, "–"),
        (wording.fact, 0.0002, "0.0002"),
        (wording.fact, 1200, "1,200"),
    ],
)
def test_a_figure_is_written_with_its_unit(write, value, text):
    assert write(value) == text


def test_a_range_of_scores_has_a_dash_and_one_of_differences_a_word():
    assert wording.score_range(0.88, 0.94) == "88.0–94.0"
    assert wording.difference_range(-0.011, 0.019) == "−1.1 to 1.9"
    assert wording.difference_range(None, 0.019) == "–"


@given(finite)
def test_a_signed_figure_turns_its_sign_and_nothing_else(value):
    one, other = wording.signed(value), wording.signed(-value)
    assert one.lstrip("+−") == other.lstrip("+−")
    assert (one == "0.0") == (other == "0.0")
    assert one == "0.0" or {one[0], other[0]} == {"+", "−"}


@given(anything)
def test_shown_text_hides_nothing_and_can_be_written(text):
    seen = wording.shown(text)
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", seen)
    assert wording.shown(seen) == seen
    assert seen.encode().decode() == seen


@given(anything, st.integers(2, 30))
def test_clipped_text_is_one_line_and_short(text, longest):
    clipped = wording.clip(text, longest)
    assert len(clipped) <= longest
    assert "\n" not in clipped


def test_ordinary_text_of_any_script_is_shown_as_it_is():
    text = "Zażółć\tgęślą\njaźń 日本 שלום 👩‍👩‍👧"
    assert wording.shown(text) == text


def test_a_sentence_escapes_and_isolates_names():
    sentence = Sentence("{arm} wins <", {"arm": "<b>\u202e"})
    assert str(sentence) == "<b>[U+202E] wins <"
    assert sentence.__html__() == "<bdi>&lt;b&gt;[U+202E]</bdi> wins <"


PAYBACK = {
    "status": "unknown",
    "trained": "qlora",
    "against": "rag",
    "requests": {"low": 2e5, "middle": 412_345.0, "high": 8e5},
    "months": None,
}


def made(outcome, difference, low, high, *, payback=None, economics=None, **changes):
    """Return the part of results that a headline reads: rag scores 91.0%, qlora that and the difference."""
    gain = {"difference": difference, "low": low, "high": high}
    verdict = {"outcome": outcome, "best_trained": "qlora", "best_untrained": "rag", "gain": gain, "minimum_gain": 0.02}
    told = {
        "example": False,
        "requests_per_month": None,
        "horizon_months": 12,
        "payback": {**PAYBACK, **(payback or {})},
    }
    score = {"mean": 0.91, "low": 0.88, "high": 0.94, "n": 400}
    return {
        "verdict": verdict | changes,
        "economics": told | (economics or {}),
        "arms": [
            {"name": "rag", "score": score, "trained": False, "status": "done"},
            {"name": "qlora", "score": None, "trained": True, "status": "failed"},
        ],
    }


NO, YES, OPEN = "No, training is not worth it: ", "Yes, training is worth it: ", "Undecided: "
ALONE = "rag alone scores 91.0% (88.0–94.0); "
UNKNOWN = {"trained": None, "against": None, "requests": None}


@pytest.mark.parametrize(
    ("results", "text"),
    [
        (
            made("worth_it", 0.06, 0.031, 0.09),
            f"{YES}{ALONE}qlora adds 6.0 points (3.1 to 9.0), more than the 2 points asked for; by cost alone it "
            "repays its cost with about 410,000 requests or more in 12 months.",
        ),
        (
            made("not_worth_it", 0.004, -0.011, 0.019, economics={"example": True}),
            f"{NO}{ALONE}qlora adds 0.4 points (−1.1 to 1.9), not more than the 2 points asked for; at example "
            "prices it would repay its cost with about 410,000 requests or more in 12 months.",
        ),
        (
            made("not_worth_it", -0.03, -0.05, -0.01),  # proven worse: when it repays is no matter
            f"{NO}{ALONE}qlora scores 3.0 points less (difference −5.0 to −1.0).",
        ),
        (
            made("not_worth_it", 0.01, -0.02, 0.04, payback=UNKNOWN),  # decided by another arm without training
            f"{NO}{ALONE}qlora adds 1.0 points (−2.0 to 4.0).",
        ),
        (
            made("undecided", 0.01, -0.02, 0.04, payback={"requests": None, "status": "never"}),
            f"{OPEN}{ALONE}qlora adds 1.0 points (−2.0 to 4.0), which may be more or less than the 2 points asked "
            "for; by cost alone it would never repay its cost.",
        ),
        (
            made("not_worth_it", 0.0002, -0.01, 0.01, payback=UNKNOWN),
            f"{NO}{ALONE}qlora scores the same (difference −1.0 to 1.0), not more than the 2 points asked for.",
        ),
        (
            made("undecided", -0.01, -0.05, 0.04, payback=UNKNOWN),
            f"{OPEN}{ALONE}qlora scores 1.0 points less (difference −5.0 to 4.0), which doesn't rule out the 2 points "
            "asked for.",
        ),
        (
            made("undecided", 0.01, -0.02, 0.04, payback={"against": "few_shot"}),
            f"{OPEN}{ALONE}qlora adds 1.0 points (−2.0 to 4.0), which may be more or less than the 2 points asked for.",
        ),
        (
            made("undecided", 0, 0, 0, gain=None, best_trained=None),
            "Undecided: no trained arm has a score, so the gain from training was not measured.",
        ),
        (
            made("undecided", 0, 0, 0, gain=None, best_untrained=None),
            "Undecided: no arm without training has a score, so there is nothing to compare training with.",
        ),
        (
            made("undecided", 0, 0, 0, gain=None),
            "Undecided: training and the best arm without it have no row in common to compare.",
        ),
    ],
)
def test_the_headline_says_the_outcome_with_its_figures(results, text):
    assert str(headline(results)) == text


AT_A_PRICE = "Yes, if better answers are worth their price: "
IN_DOUBT = "Yes for the gain, while it's open whether it repays in time: "
SAVES = "No, not for better answers, though it would save money: "
REPAID = {"status": "yes", "months": {"low": 3.0, "middle": 8.0, "high": 11.0}}
LATE = {"status": "no", "months": {"low": 15.0, "middle": 31.0, "high": None}}
NEVER = {"status": "never", "months": None}
UNCLEAR = {"status": "unclear", "months": {"low": 4.0, "middle": 8.3, "high": 20.0}}
ONLY_IF_OFF = {"status": "unclear", "months": None}
PERHAPS_NEVER = {"status": "unclear", "months": {"low": 4.0, "middle": 8.3, "high": None}}
AT_ONCE = {
    "status": "yes",
    "months": {"low": 0.0, "middle": 0.0, "high": 0.0},
    "requests": {"low": 0.0, "middle": 0.0, "high": 0.0},
}
GAINS = {"worth_it": (0.06, 0.031, 0.09), "not_worth_it": (0.004, -0.011, 0.019), "undecided": (0.01, -0.02, 0.04)}


@pytest.mark.parametrize(
    ("outcome", "payback", "opening", "end"),
    [
        ("worth_it", REPAID, YES, "it repays its cost after about 80,000 requests (8 months), within the 12 months"),
        ("worth_it", LATE, AT_A_PRICE, "it repays its cost only after about 310,000 requests (31 months), later than"),
        ("worth_it", NEVER, AT_A_PRICE, "it never repays its cost."),
        ("worth_it", UNCLEAR, IN_DOUBT, "(8.3 months), but anything from 4 months to 20 months is possible: within"),
        ("worth_it", PERHAPS_NEVER, IN_DOUBT, "but anything from 4 months to never is possible: within the 12 months"),
        ("worth_it", ONLY_IF_OFF, IN_DOUBT, "it repays its cost only with an input off by half."),
        ("worth_it", AT_ONCE, YES, "it costs less from the first request on."),
        ("worth_it", UNKNOWN, YES, "more than the 2 points asked for."),
        ("not_worth_it", REPAID, SAVES, "it would repay its cost after about 80,000 requests (8 months), within the"),
        ("not_worth_it", LATE, NO, "it would repay its cost only after about 310,000 requests (31 months), later"),
        ("not_worth_it", NEVER, NO, "it would never repay its cost."),
        ("not_worth_it", UNCLEAR, NO, "it would repay its cost after about 83,000 requests (8.3 months), but anything"),
        ("not_worth_it", AT_ONCE, SAVES, "it would cost less from the first request on."),
        ("not_worth_it", UNKNOWN, NO, "not more than the 2 points asked for."),
        ("undecided", REPAID, OPEN, "it would repay its cost after about 80,000 requests (8 months), within the 12"),
        ("undecided", LATE, OPEN, "it would repay its cost only after about 310,000 requests (31 months), later than"),
        ("undecided", NEVER, OPEN, "it would never repay its cost."),
        ("undecided", UNKNOWN, OPEN, "which may be more or less than the 2 points asked for."),
    ],
)
def test_gain_and_repayment_never_contradict_each_other_in_the_headline(outcome, payback, opening, end):
    """Every combination of the two answers, at 10,000 requests a month."""
    results = made(outcome, *GAINS[outcome], payback=payback, economics={"requests_per_month": 10_000})
    told = str(headline(results))
    assert told.startswith(opening + ALONE)
    assert end in told
    assert told.count(": ") <= 2


def test_a_proven_loss_is_a_plain_no_however_cheap():
    results = made("not_worth_it", -0.03, -0.05, -0.01, payback=REPAID, economics={"requests_per_month": 10_000})
    assert str(headline(results)) == f"{NO}{ALONE}qlora scores 3.0 points less (difference −5.0 to −1.0)."


def test_the_badge_says_that_a_gain_has_its_price():
    results, _ = make_run(rows=200)
    assert badge(results) == "Worth it, at a price"
    results["economics"]["decision"] = "worth_it"
    assert badge(results) == "Worth it"


def steps_of(**verdict):
    results, _ = make_run(rows=40, verdict=verdict)
    return [str(step) for step in next_steps(results)]


def test_next_steps_name_the_arm_to_use():
    gain = {"difference": 0.001, "low": -0.01, "high": 0.012}
    steps = steps_of(outcome="not_worth_it", cheapest_within_noise="rag", gain=gain)
    assert "Use rag: it is the simplest arm that these rows can't tell from the best, few_shot." in steps
    assert any("as trained here, it adds 1.2 points at most. `tuneworthy run TASK --curve`" in step for step in steps)
    assert "Without a score: full. Mend the cause below, then `tuneworthy run --resume RUN`." in steps


def test_an_arm_that_was_cut_off_has_no_cause_to_mend():
    results, _ = make_run(rows=40)
    for arm in results["arms"]:
        if arm["name"] == "full":
            arm["status"] = "partial"
    assert str(next_steps(results)[-1]) == "Not finished: full. Go on with `tuneworthy run --resume RUN`."


def test_an_arm_that_scores_nothing_is_not_advised():
    results, _ = make_run(rows=40, verdict={"outcome": "undecided", "cheapest_within_noise": "rag"})
    for arm in results["arms"]:
        if arm["score"] and arm["name"] == "rag":
            arm["score"]["mean"] = 0.0
    results["verdict"]["best_arm"] = best = results["verdict"]["best_untrained"] = "few_shot"
    assert str(next_steps(results)[0]) == (
        f"Until more is known, use {best}: it has the best score; these rows are too few to tell more."
    )
    for arm in results["arms"]:
        if arm["score"]:
            arm["score"]["mean"] = 0.0
    assert str(next_steps(results)[0]) == "No arm scores above zero on these rows: none is of use as it stands."


def test_a_gain_over_arms_that_ask_no_model_says_what_was_not_tried():
    told = "No arm that prompts or retrieves has a score here"
    gain = {"trained": "qlora", "difference": 0.06, "low": 0.031, "high": 0.09}
    specs = (
        *(spec for spec in ARMS if spec.family not in ("prompt", "rag")),
        Spec("zero_shot", "prompt", 0.5, status="failed"),
    )
    results, _ = make_run(specs, rows=40, verdict={"outcome": "worth_it", "gain": gain})
    assert any(str(step).startswith(told) for step in next_steps(results))
    results["verdict"]["outcome"] = "not_worth_it"
    assert not any(str(step).startswith(told) for step in next_steps(results))
    assert not any(step.startswith(told) for step in steps_of(outcome="worth_it", gain=gain))


def test_the_headline_names_the_arm_that_decides_and_its_level():
    gain = {"trained": "full", "difference": 0.06, "low": 0.031, "high": 0.09, "confidence": 0.975}
    results = made("worth_it", 0, 0, 0, gain=gain, confidence=0.95)
    assert str(headline(results)) == (
        f"{YES}{ALONE}full adds 6.0 points (3.1 to 9.0, 97.5% interval), more than the 2 points asked for."
    )
    specs = (*ARMS[:7], Spec("full", "tune", 0.88))
    results, _ = make_run(specs, rows=40, verdict={"outcome": "worth_it", "gain": gain})
    assert str(next_steps(results)[0]).startswith("Use full if its gain is worth its price to you: ")


@pytest.mark.parametrize(
    ("outcome", "opening"), [("not_worth_it", "Use rag"), ("undecided", "Until more is known, use rag")]
)
def test_next_steps_never_advise_training_that_is_not_shown_to_be_worth_it(outcome, opening):
    steps = steps_of(outcome=outcome, cheapest_within_noise="qlora", best_untrained="rag")
    assert steps[0] == f"{opening}: no trained arm is shown to gain over it what was asked for."


def test_an_undecided_run_says_what_would_decide():
    needed = {"claim": "worth_it", "rows": 157, "seeds": 4, "power": 0.8}
    steps = steps_of(outcome="undecided", cheapest_within_noise="rag", needed=needed)
    what = "about 160 eval rows instead of 40 or 4 training seeds, if the difference stays what it is."
    assert f"What would decide, in four of five tries: {what}" in steps


def test_a_difference_at_the_asked_gain_is_decided_by_nothing():
    needed = {"claim": "worth_it", "rows": None, "seeds": None, "power": 0.8}
    assert any("no number of eval rows would decide" in step for step in steps_of(outcome="undecided", needed=needed))


def test_the_arms_within_noise_are_named_with_the_simplest_and_the_cheapest():
    def told(costs=(), **verdict):
        arms = [{"name": name, "per_1000_requests": cost} for name, cost in costs]
        return str(standing({"verdict": verdict, "economics": {"arms": arms}}))

    near = {"best_arm": "qlora", "within_noise": ["qlora", "rag", "few_shot"], "cheapest_within_noise": "few_shot"}
    opening = "qlora has the best score; within noise of it: rag, few_shot. The simplest of these is few_shot"
    assert told(**near) == f"{opening}."
    prices = [("qlora", 0.02), ("rag", 0.5), ("few_shot", 0.3)]
    assert told(prices, **near) == f"{opening}; the cheapest to ask, at these prices, is qlora."
    assert told([("qlora", 0.4), *prices[1:]], **near) == f"{opening}, which is the cheapest to ask too."
    alone = {"best_arm": "qlora", "within_noise": ["qlora"], "cheapest_within_noise": "qlora"}
    assert told(**alone) == "qlora has the best score, and no other arm is within noise of it."
    assert standing({"verdict": {"best_arm": None, "within_noise": [], "cheapest_within_noise": None}}) is None


def test_an_arm_whose_answers_cannot_be_read_is_warned_of():
    results, _ = make_run(rows=40)
    few_shot = next(arm for arm in results["arms"] if arm["name"] == "few_shot")
    few_shot["unread"] = 8
    assert not any("could be read" in str(step) for step in next_steps(results))
    few_shot["unread"] = 9
    told = [str(step) for step in next_steps(results)]
    assert any(
        step.startswith("No label could be read from 9 of 40 answers of few_shot, scored as wrong") for step in told
    )


def test_a_run_that_trains_nothing_was_not_asked():
    results, _ = make_run(ARMS[:4], rows=20)
    assert str(headline(results)) == (
        "Undecided: this run has no arm that trains, so whether training is worth it wasn't asked."
    )


def test_an_arm_that_does_not_repay_is_not_simply_advised():
    results, _ = make_run(rows=200)
    assert results["economics"]["decision"] == "not_repaid"
    assert str(next_steps(results)[0]).startswith("Use qlora if its gain is worth its price to you: before it replaces")


def test_what_follows_the_answer_begins_with_a_capital_but_for_a_name():
    _, because = Sentence("Yes: no arm without training scores above zero.").parts
    assert str(because.begun) == "No arm without training scores above zero."
    _, because = Sentence("No: {untrained} alone scores 91%.", {"untrained": "rag"}).parts
    assert str(because.begun) == "rag alone scores 91%."


@pytest.mark.parametrize(
    ("given", "said"), [(1e-05, "0.00001"), (1.0, "1"), (0.2, "0.2"), (300, "300"), ("tokens", "tokens")]
)
def test_a_price_is_never_a_power_of_ten(given, said):
    assert wording.exact(given) == said


@pytest.mark.parametrize(("rows", "said"), [(1, "1 training row has the input"), (2, "2 training rows have the input")])
def test_one_row_has_and_two_rows_have(rows, said):
    told = repeat_sentences({"repeated": 3, "contradictory": rows}, 100)
    assert told[1] == f"{said} of another row, but a different answer."
