import errno
import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from evals.economics import arm_economics, economics
from evals.errors import SpendingError
from evals.fit_report import FitReport, TrainingPlan
from evals.latency import measure_latency, time_requests
from evals.prices import load_prices
from evals.repayment import Volume
from evals.scored import ScoredPrediction
from reports.economics import amount, efficient, money, payback_sentence, prices_sentence, rounded
from tests.test_advisor_run import tuneworthy
from tests.test_evals_results import whole_run

PRICES = load_prices()


def rows(prompt, answer, ms=100.0):
    fields = {"input": "i", "targets": ("t",), "prompt": "p", "raw": "r", "extracted": "r"}
    scores = {"score": 1.0, "score_lenient": 1.0, "score_strict": 1.0}
    return [
        ScoredPrediction(id=f"r{n}", **fields, **scores, prompt_tokens=prompt, completion_tokens=answer, ms=ms)
        for n in range(3)
    ]


def arm(name, family, *, prompt=1000, answer=10, shared=0.0, seconds=0.0, train=0, ms=100.0, plan=None):
    cell = SimpleNamespace(fit=FitReport(seconds=seconds, train_rows=train, plan=plan))
    return SimpleNamespace(
        name=name, family=family, cells=[cell], shared_prefix=shared, all_rows=lambda: rows(prompt, answer, ms)
    )


def test_a_prompted_request_costs_its_tokens_and_the_cache_takes_its_share():
    found = arm_economics(arm("few_shot", "prompt", shared=0.5), PRICES, on_gpu=False)
    # of 500 shared tokens 80% are read at a tenth of the price of 1 a million; 10 answer tokens at 4
    assert found.request.cost == pytest.approx((500 + 100 + 400 * 0.1 + 10 * 4) / 1e6)
    assert (found.one_off, found.per_month) == (0, 0)


def test_a_trained_arm_pays_for_labels_training_hosting_and_retraining():
    found = arm_economics(arm("qlora", "tune", seconds=3600, train=500), PRICES, on_gpu=True)
    labels = 500 * 3 / 60 * 40 * 1.2
    assert found.labelling == pytest.approx(labels)
    assert found.training == pytest.approx(2.5)
    assert found.per_month == pytest.approx(300 + 2 / 12 * (2.5 + 0.2 * labels))
    assert found.request.cost == pytest.approx((1000 * 0.2 + 10 * 0.2) / 1e6)
    assert found.fixed(6) == pytest.approx(found.one_off + 6 * found.per_month)
    assert arm_economics(arm("qlora", "tune", seconds=3600), PRICES, on_gpu=False).training == pytest.approx(0.1)


def test_rows_that_chose_the_checkpoint_had_to_be_labelled_too():
    plan = TrainingPlan(16, 1e-4, 6, 0.1, 3.0, None, validation_rows=50, scored_rows=32)
    found = arm_economics(arm("qlora", "tune", train=450, plan=plan), PRICES, on_gpu=False)
    assert found.labelling == pytest.approx(500 * 3 / 60 * 40 * 1.2)


def test_retrieval_and_classic_learning_have_their_own_costs():
    rag = arm_economics(arm("rag", "rag"), PRICES, on_gpu=False)
    assert (rag.per_month, rag.labelling) == (50, 0)
    assert rag.request.cost == pytest.approx((1000 * 1 + 10 * 4) / 1e6 + 0.0001)
    classic = arm_economics(arm("logistic", "classic", train=100), PRICES, on_gpu=False)
    assert classic.request.cost == 0.00001
    assert classic.labelling == pytest.approx(240)


def test_what_retrieves_and_is_trained_pays_for_both():
    both = arm_economics(arm("rag_qlora", "tune"), PRICES, on_gpu=False)
    plain = arm_economics(arm("qlora", "tune"), PRICES, on_gpu=False)
    assert both.per_month == pytest.approx(plain.per_month + 50)
    assert both.request.cost == pytest.approx(plain.request.cost + 0.0001)


def test_requests_can_be_priced_by_the_machines_seconds(tmp_path):
    path = tmp_path / "prices.yaml"
    path.write_text("priced_by: machine\ncpu: {per_hour: 3.6}\n")
    found = arm_economics(arm("few_shot", "prompt", ms=250), load_prices(path), on_gpu=False)
    assert found.request.cost == pytest.approx(0.25 * 0.001)


def test_seconds_of_an_earlier_run_price_a_request_only_where_this_one_computed_none(tmp_path):
    path = tmp_path / "prices.yaml"
    path.write_text("priced_by: machine\ncpu: {per_hour: 3.6}\n")
    kept = [replace(row, cached=True) for row in rows(1000, 10, ms=400)]
    for answers, ms in ((rows(1000, 10, ms=250) + kept, 250), (kept, 400)):
        rag = SimpleNamespace(**vars(arm("few_shot", "prompt")) | {"all_rows": lambda answers=answers: answers})
        cost = arm_economics(rag, load_prices(path), on_gpu=False).request.cost
        assert cost == pytest.approx(ms / 1000 * 0.001)


@pytest.mark.parametrize(
    ("basis", "computed", "said"), [("machine", 0, True), ("machine", 5, False), ("tokens", 0, False)]
)
def test_whose_seconds_price_a_request_is_said(basis, computed, said):
    told = {"priced_by": basis, "machine": "CPU", "example": True, "date": "2026-01", "currency": "USD"}
    cost = {"cached_rows": 20, "latency_ms_p50": 3.0 if computed else None}
    sentence = prices_sentence({"economics": told, "arms": [{"name": "rag", "cost": cost}, {"name": "full"}]})
    assert ("those of the earlier run where all of an arm's answers come from the cache" in sentence) is said


def test_a_band_without_an_end_is_said():
    told = {
        "payback": {
            "trained": "tuned",
            "against": "rag",
            "status": "unclear",
            "requests": {"low": 1, "middle": 2, "high": 4},
        }
    }
    told["payback"]["months"] = {"low": 0.5, "middle": 1.0, "high": None}
    told |= {"horizon_months": 12, "requests_per_month": 100_000, "currency": "USD", "arms": []}
    assert "in 1 month (0.5 to never)" in str(payback_sentence({"economics": told}))


def verdict(outcome, trained="qlora", best="rag"):
    return SimpleNamespace(
        outcome=outcome, gain=SimpleNamespace(trained=trained), best_trained=trained, best_untrained=best
    )


@pytest.mark.parametrize(
    ("outcome", "volume", "status", "decision"),
    [
        ("worth_it", 10_000_000, "yes", "worth_it"),
        ("worth_it", 1_000, "never", "not_repaid"),
        ("worth_it", None, "unknown", "gain_only"),
        ("not_worth_it", 10_000_000, "yes", "not_worth_it"),
        ("undecided", None, "unknown", "undecided"),
    ],
)
def test_gain_and_payback_make_one_decision(outcome, volume, status, decision):
    arms = [arm("rag", "rag", prompt=3000), arm("qlora", "tune", seconds=60, train=500)]
    told = economics(arms, PRICES, Volume(volume, 12), verdict(outcome), on_gpu=False)
    assert (told["payback"]["status"], told["decision"]) == (status, decision)
    assert [entry["name"] for entry in told["arms"]] == ["rag", "qlora"]
    sentence = str(payback_sentence({"economics": told}))
    assert "qlora" in sentence
    assert "what it costs more than rag" in sentence
    assert ("give `decision.requests_per_month`" in sentence) == (volume is None)


def test_what_repays_only_with_an_input_off_by_half_is_open():
    arms = [arm("rag", "rag", prompt=3000), arm("qlora", "tune", seconds=60, train=500)]
    told = economics(arms, PRICES, Volume(95_000, 12), verdict("worth_it"), on_gpu=False)
    assert told["break_even"][0]["months"] is None
    assert (told["payback"]["status"], told["decision"]) == ("unclear", "gain_only")
    assert str(payback_sentence({"economics": told})).endswith(
        "they save less than hosting and retraining cost; with an input off by half it may."
    )


def test_a_dearer_request_never_repays():
    arms = [arm("zero_shot", "prompt", prompt=10, answer=1), arm("qlora", "tune", prompt=2000)]
    told = economics(arms, PRICES, Volume(1000, 12), verdict("worth_it", best="zero_shot"), on_gpu=False)
    assert told["payback"]["status"] == "never"
    assert told["decision"] == "not_repaid"
    assert "By cost alone training never repays" in str(payback_sentence({"economics": told}))


@pytest.mark.parametrize(
    ("volume", "evens", "told"),
    [
        (None, [("yes", 1), ("no", None), ("no", 5)], " A request to it is cheaper than to 2 of the 3 arms without tr"),
        (None, [("yes", 1), ("no", 5)], " A request to it is cheaper than to all 2 arms without training."),
        (1000, [("yes", 1), ("no", 5), ("unclear", 2)], " Within that time it surely repays against 1 of the 3 arms"),
        (1000, [("no", 1), ("never", None)], " Within that time it surely repays against none of the 2 arms without"),
        (1000, [("yes", 1)], None),
    ],
)
def test_it_is_told_against_how_many_arms_training_repays(volume, evens, told):
    payback = {"trained": "tuned", "against": "rag", "status": "unknown", "months": None}
    costs = [{"name": name, "per_1000_requests": 1.0} for name in ("tuned", "rag")]
    economics = {"payback": payback | {"requests": None}, "currency": "USD", "horizon_months": 12, "arms": costs}
    economics["requests_per_month"] = volume
    economics["break_even"] = [{"status": status, "requests": requests} for status, requests in evens]
    sentence = str(payback_sentence({"economics": economics}))
    assert sentence.startswith("By cost alone training never repays: ")
    assert told in sentence if told else sentence.endswith("per 1,000).")


def test_the_efficient_arms_are_those_that_none_beats():
    arms = [("a", 1.0, 0.5), ("b", 2.0, 0.4), ("c", 3.0, 0.9), ("d", 3.0, 0.8), ("e", 9.0, None)]
    assert efficient(arms) == {"a", "c"}


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.0074, "0.0074"), (1e-6, "< 0.0001"), (1.25, "1.25"), (3600.4, "3,600")]
)
def test_amounts(value, text):
    assert money(value) == text


@pytest.mark.parametrize(
    ("value", "price", "paid"),
    [
        (-0.0094, "−0.0094", "> −0.01"),
        (-1e-6, "> −0.0001", "> −0.01"),
        (-1440, "−1,440", "−1,440"),
        (-0.5, "−0.50", "−0.50"),
    ],
)
def test_what_is_dearer_has_a_real_minus_sign(value, price, paid):
    assert (money(value), amount(value)) == (price, paid)


def test_counts_have_the_digits_they_are_good_for():
    assert [rounded(value) for value in (0, 0.02, 2.04, 7, 410_123)] == ["0", "< 0.1", "2", "7", "410,000"]


ROWS = [SimpleNamespace(id=f"e{number}") for number in range(40)]


class Clocked:
    """An arm that keeps something warm."""

    def __init__(self, broken=()):
        self.log, self.broken = [], broken

    def answer(self, examples):
        self.log.append(len(examples))
        return [SimpleNamespace(error="too long" if example.id in self.broken else None) for example in examples]

    def cool(self):
        self.log.append("cool")

    def serve(self, *, on):
        self.log.append(on)


def test_requests_are_timed_cold_and_then_warm():
    clocked = Clocked()
    found = measure_latency(clocked, ROWS, 0)
    assert (found.rows, len(set(found.ids))) == (16, 16)
    assert found.ids == measure_latency(Clocked(), ROWS, 0).ids != measure_latency(Clocked(), ROWS, 1).ids
    assert clocked.log == [True, *["cool", 1, 1] * 16, False]
    assert 0 <= found.warm_ms_p50 <= found.warm_ms_p95
    assert measure_latency(clocked, [], 0) is None


def test_rows_that_end_in_an_error_are_not_timed():
    answered = {"e1", "e2", "e3"}
    broken = {row.id for row in ROWS} - answered
    found = measure_latency(Clocked(broken), ROWS[:10], 0)
    assert (found.rows, set(found.ids)) == (3, answered)
    assert (
        time_requests(Clocked({row.id for row in ROWS}), ROWS, 0).problem == "every row asked alone ended in an error"
    )


def test_what_cannot_be_timed_says_why():
    class Failing:
        def answer(self, examples):
            raise OSError("the model is gone")

    timing = time_requests(Failing(), ROWS, 0)
    assert (timing.latency, timing.problem) == (None, "OSError: the model is gone")


@pytest.mark.parametrize("stop", [SpendingError("enough"), OSError(errno.ENOSPC, "full")])
def test_what_stops_the_run_stops_the_timing(stop):
    class Stopped:
        def answer(self, examples):
            raise stop

    with pytest.raises(type(stop)):
        time_requests(Stopped(), ROWS, 0)


@pytest.mark.parametrize(("tick", "rows"), [(0.3, 5), (2, 2)], ids=["1.5 seconds a row", "10 seconds a row"])
def test_timing_ends_when_enough_is_known_or_time_is_up(tick, rows, monkeypatch):
    now = iter([number * tick for number in range(1000)])  # the clock is read five times a row
    monkeypatch.setattr("evals.latency.time", SimpleNamespace(perf_counter=lambda: next(now)))
    assert measure_latency(Clocked(), ROWS, 0).rows == rows


def test_a_report_takes_new_prices(tmp_path, capsys):
    whole_run(tmp_path / "run")
    own = tmp_path / "mine.yaml"
    own.write_text("date: today\nhosted: {input: 7.5}\n")
    code, out, _ = tuneworthy(capsys, "report", tmp_path / "run", "--prices", own, "--json")
    told = json.loads(out)["economics"]
    assert (code, told["date"], told["example"]) == (0, "today", False)
    assert {"key": "hosted.input", "value": 7.5, "origin": "prices file"} in told["assumptions"]
    assert {"key": "hosted.output", "value": 4.0, "origin": "example prices"} in told["assumptions"]
    code, out, _ = tuneworthy(capsys, "report", tmp_path / "run", "--json")  # the run keeps them
    assert json.loads(out)["economics"]["date"] == "today"
    own.write_text("hosted: {inptu: 7.5}\n")
    code, _, err = tuneworthy(capsys, "report", tmp_path / "run", "--prices", own)
    assert (code, err.count("\n")) == (2, 1)
    assert "mine.yaml:1: hosted.inptu: unknown key; did you mean" in err


def test_a_warm_request_of_the_real_model_reuses_its_prefix():
    from advisor.engine import lazy_model
    from evals.example import Prompt, Shot
    from evals.protocols import Limits

    model = lazy_model("builtin")()
    shots = tuple(Shot(f"thing {n}", "warm" if n % 2 else "cold") for n in range(60))
    prompts = [Prompt("Say whether it is warm.", f"case {n}", shots) for n in range(8)]
    alone = [model.generate([prompt], Limits(4))[0].text for prompt in prompts]
    model.serve(on=True)
    try:
        served = [model.generate([prompt], Limits(4))[0].text for prompt in prompts]
        prefixes = model._forward._prefix.ids
    finally:
        model.serve(on=False)
    assert served == alone
    assert len(prefixes) > 200  # the instruction and all shots are kept for the next request
    model.forget_prefix()
    assert model._forward._prefix.ids == ()


def test_a_model_of_ones_own_is_not_priced_as_a_hosted_one():
    """`few_shot@small` here costs what the tuned model's tokens do, `few_shot@big` what a hosted one's do."""
    small = arm_economics(arm("few_shot@small", "prompt"), PRICES, on_gpu=False)
    big = arm_economics(arm("few_shot@big", "prompt"), PRICES, on_gpu=False, endpoint=True)
    tuned = arm_economics(arm("lora@small", "tune"), PRICES, on_gpu=False)
    assert small.request.cost == tuned.request.cost < big.request.cost


def test_an_endpoint_is_paid_by_tokens_whatever_the_machine_costs(tmp_path):
    path = tmp_path / "prices.yaml"
    path.write_text("priced_by: machine\n")
    prices = load_prices(path)
    by_time = arm_economics(arm("few_shot", "prompt", ms=250), prices, on_gpu=False)
    asked = arm_economics(arm("few_shot", "prompt", ms=250), prices, on_gpu=False, endpoint=True)
    assert asked.request.cost == arm_economics(arm("few_shot", "prompt"), PRICES, on_gpu=False).request.cost
    assert asked.request.cost != by_time.request.cost
