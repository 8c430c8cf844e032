"""What endpoints take: counted over kills and resumptions, at each model's own prices."""

import pytest

from evals.errors import RunError, SpendingError
from evals.prices import load_prices
from evals.spending import FILE, Meter, Taken, spending_section


@pytest.fixture
def prices(tmp_path):
    file = tmp_path / "prices.yaml"
    file.write_text("models: {big: {input: 10, cached_input: 1, output: 20, cache_hit_rate: 0}}\n")
    return load_prices(file)


def test_each_model_has_its_prices_and_the_others_are_hosted(prices):
    meter = Meter(prices)
    assert meter.price("big", Taken(1_000_000, 100_000, 400_000)) == pytest.approx(6 + 0.4 + 2)
    assert meter.price("small", Taken(1_000_000)) == pytest.approx(prices.hosted.input)
    assert prices.of_model("big", "tune") == prices.of_model("big", "prompt")
    assert prices.of_model(None, "tune") == prices.tuned
    assert {"key": "models.big.input", "value": 10.0, "origin": "prices file"} in prices.used()


def test_more_cached_tokens_than_read_ones_pay_nothing_back(prices):
    assert Meter(prices).price("big", Taken(100, 0, 5000)) == pytest.approx(100 * 1 / 1e6)


def test_what_was_taken_before_the_folder_and_before_a_kill_counts(tmp_path, prices):
    meter = Meter(prices)
    meter.add("big", Taken(100, 10))
    meter.keep_in(tmp_path)
    meter.add("big", Taken(200, 20, retries=3))
    meter.add(None, Taken(failed=True))
    with (tmp_path / FILE).open("a") as file:
        file.write('{"model": "big", "pro')
    again = Meter(prices, limit=0.0101, file=tmp_path / FILE)
    assert again.cost == meter.cost == pytest.approx((300 * 10 + 30 * 20) / 1e6)
    again.check("big")
    again.add("big", Taken(1000))
    with pytest.raises(SpendingError, match=r"stopped at the limit of --max-cost: 0.0136 USD of 0.0101 USD are spent"):
        again.check("big")
    section = spending_section(tmp_path, prices)
    assert section["models"]["big"] == {
        "requests": 3,
        "retries": 3,
        "failed": 0,
        "prompt_tokens": 1300,
        "cached_tokens": 0,
        "completion_tokens": 30,
        "cost": pytest.approx(0.0136),
    }
    assert section["models"]["model"]["failed"] == 1


def test_a_damaged_line_is_told(tmp_path, prices):
    (tmp_path / FILE).write_text('{"model": null}\n')
    with pytest.raises(RunError, match=r"spending.jsonl:1 is damaged; delete the line"):
        Meter(prices, file=tmp_path / FILE)


def test_a_run_without_endpoints_has_spent_nothing(tmp_path, prices):
    assert spending_section(tmp_path, prices) is None
