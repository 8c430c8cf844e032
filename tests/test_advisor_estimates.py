"""The tree of all estimates: what moves what, and where each assumption came from."""

import json
from dataclasses import asdict

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from advisor.assumptions import EVAL_ROWS_BY_ANSWER, EXAMPLES_BY_ANSWER
from advisor.estimates import estimate
from evals.prices import EXAMPLE, load_prices

PRICES = load_prices()
QUESTIONS = {
    question["key"]: list(question["options"])
    for question in yaml.safe_load((EXAMPLE.parents[1] / "advisor" / "questions.yaml").read_text(encoding="utf-8"))
}


def assumed(estimates, name):
    return next(entry for entry in estimates.assumptions if entry.name == name)


def priced(tmp_path, text):
    path = tmp_path / "prices.yaml"
    path.write_text(text, encoding="utf-8")
    return load_prices(path)


@given(st.fixed_dictionaries({}, optional={key: st.sampled_from(options) for key, options in QUESTIONS.items()}))
def test_any_answers_make_json_without_holes(answers):
    text = json.dumps(asdict(estimate(answers, PRICES)), allow_nan=False)
    assert json.loads(text)["currency"] == "USD"


def test_the_answers_read_are_options_of_the_questions():
    assert set(EXAMPLES_BY_ANSWER) == set(QUESTIONS["examples"])
    assert {*EVAL_ROWS_BY_ANSWER, "enough"} == set(QUESTIONS["eval_set"])
    assert {"low", "middle", "high"} == set(QUESTIONS["volume"])


def test_each_assumption_says_where_it_came_from(tmp_path):
    prices = priced(tmp_path, "gpu: {per_hour: 1.80}\ncurrency: EUR")
    estimates = estimate({"volume": "high", "examples": "few"}, prices, {"examples": 731})
    assert (assumed(estimates, "gpu.per_hour").value, assumed(estimates, "gpu.per_hour").origin) == (1.8, "prices file")
    assert assumed(estimates, "gpu.per_hour").unit == "EUR per hour"
    assert assumed(estimates, "gpu.peak_tflops").origin == "example prices"
    assert (assumed(estimates, "requests_per_month").value, assumed(estimates, "requests_per_month").origin) == (
        3_000_000,
        "answer",
    )
    assert (assumed(estimates, "examples").value, assumed(estimates, "examples").origin) == (731, "measured")
    assert assumed(estimates, "eval_rows").origin == "unknown"
    assert assumed(estimates, "qlora_slowdown").origin == "built in"
    assert len({entry.name for entry in estimates.assumptions}) == len(estimates.assumptions)


def test_a_misspelt_measurement_is_refused():
    with pytest.raises(ValueError, match="nothing measured is called 'exampels'"):
        estimate({}, PRICES, {"exampels": 3})


def test_break_even_of_tuning_by_hand(tmp_path):
    prices = priced(
        tmp_path,
        "training: {runs: 1}\ngpu: {per_hour: 0}\nrunning: {tuned_per_month: 100, retrains_per_year: 0}\n"
        "hosted: {input: 1, output: 0, cache_hit_rate: 0}\ntuned: {input: 0, output: 0}\n",
    )
    even, _ = estimate({"volume": "middle"}, prices).break_even
    # 1,000 examples x 3 minutes x 40 an hour x 1.2 = 2,400, and 12 x 100 of hosting; a request saves 1,800 tokens,
    # 100,000 of them 180 a month, 80 more than hosting
    assert (even.trained, even.against) == ("tune", "prompt")
    assert (even.once, even.per_month) == (pytest.approx(2400), 100)
    assert even.saving_per_request == pytest.approx(0.0018)
    assert even.requests.middle == pytest.approx(2_000_000)
    assert even.months.middle == pytest.approx(30)


def test_never_where_the_tuned_model_is_the_dearer_one(tmp_path):
    prices = priced(tmp_path, "tuned: {input: 50, output: 50}")
    assert all(even.requests is None for even in estimate({"volume": "high"}, prices).break_even)


@pytest.mark.parametrize(
    ("answers", "against"),
    [
        ({}, "prompt"),
        ({"oracle": "only_with"}, "rag"),
        ({"task": "documents"}, "rag"),
        ({"task": "documents", "corpus": "none"}, "prompt"),
    ],
)
def test_tuning_is_held_against_what_can_do_the_task(answers, against):
    assert {even.against for even in estimate(answers, PRICES).break_even} == {against}


def test_the_index_counts_on_both_sides():
    tune, rag_tune = estimate({"oracle": "only_with"}, PRICES).break_even
    assert rag_tune.per_month - tune.per_month == pytest.approx(50)


def test_more_examples_at_hand_leave_less_to_label():
    few, many = (estimate({"examples": answer}, PRICES).labelling for answer in ("few", "more"))
    assert few.examples_missing == 975
    assert many.examples_missing == 0
    assert many.examples_cost == 0
    assert few.eval_rows_missing == 300
    assert estimate({"eval_set": "enough"}, PRICES).labelling.eval_rows_missing == 0


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_more_examples_never_train_faster(examples, more):
    before, after = (estimate({}, PRICES, {"examples": count}).training for count in (examples, examples + more))
    assert all(second.gpu_hours >= first.gpu_hours for first, second in zip(before, after, strict=True))


def test_memory_is_given_both_ways_and_says_what_fits(tmp_path):
    by_way = {(way.memory.method, way.memory.checkpointing): way.fits for way in estimate({}, PRICES).memory}
    assert len(by_way) == 6
    assert by_way["lora", True]
    assert not by_way["full", True]
    assert estimate({}, PRICES).method == "lora"
    assert estimate({}, priced(tmp_path, "gpu: {memory_gib: 16}")).method == "qlora"


def test_a_gpu_that_holds_neither_is_said(tmp_path):
    assert "fits a GPU of 4 GiB" in " ".join(estimate({}, priced(tmp_path, "gpu: {memory_gib: 4}")).notes)
    assert estimate({}, PRICES).notes == ()


def test_data_that_stays_at_home_asks_for_own_prices():
    assert "under `hosted`" in " ".join(estimate({"privacy": "own"}, PRICES).notes)


def test_each_retraining_labels_a_part_anew(tmp_path):
    text = "gpu: {{per_hour: 0}}\nrunning: {{retrains_per_year: {}, horizon_months: 6}}\n"
    none, two = (estimate({}, priced(tmp_path, text.format(count))).break_even[0].per_month for count in (0, 2))
    # twice a year: a fifth of 1,000 examples, 2.40 each
    assert 6 * (two - none) == pytest.approx(480)


def test_requests_by_hand():
    cost = {request.approach: request.cost for request in estimate({}, PRICES).requests}
    # instruction 400 (320 of them cached, at a tenth), passages 1,500, question 200, answer 150 at 4.00; a search
    assert cost["rag"] == pytest.approx((80 + 32 + 1700 + 600) / 1e6 + 0.0001)
    assert cost["rag_tune"] == pytest.approx((400 + 1700 + 150) * 0.2 / 1e6 + 0.0001)
    assert cost["tune"] == pytest.approx((400 + 200 + 150) * 0.2 / 1e6)
    assert cost["classic"] == pytest.approx(0.00001)
