"""The example prices and a user's file over them."""

import pytest

from advisor.assumptions import UNITS
from evals.errors import UsageError
from evals.prices import load_prices


def own(tmp_path, text):
    path = tmp_path / "prices.yaml"
    path.write_text(text, encoding="utf-8")
    return load_prices(path)


def problem(tmp_path, text):
    with pytest.raises(UsageError) as caught:
        own(tmp_path, text)
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_the_example_is_complete_and_says_its_date_and_currency():
    prices = load_prices()
    assert prices.currency == "USD"
    assert prices.date.startswith("20")
    assert prices.gpu.peak_tflops == 989
    assert prices.gpu.utilisation == 0.35
    assert prices.origin("gpu.per_hour") == "example prices"


def test_a_users_file_may_hold_one_key_and_keeps_the_example_for_the_others(tmp_path):
    prices = own(tmp_path, "currency: EUR\ngpu:\n  per_hour: 1.80\n")
    assert prices.gpu.per_hour == 1.80
    assert prices.gpu.peak_tflops == load_prices().gpu.peak_tflops
    assert prices.origin("gpu.per_hour") == "prices file"
    assert prices.origin("gpu.peak_tflops") == "example prices"


def test_a_value_equal_to_the_examples_is_still_the_users(tmp_path):
    assert own(tmp_path, f"gpu: {{per_hour: {load_prices().gpu.per_hour}}}").origin("gpu.per_hour") == "prices file"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gpu:\n  per_huor: 2\n", "prices.yaml:2: gpu.per_huor: unknown key; did you mean gpu.per_hour?"),
        ("per_hour: 2\n", "prices.yaml:1: per_hour: unknown key; did you mean gpu.per_hour or cpu.per_hour?"),
        ("gpu:\n  per_hour: cheap\n", "prices.yaml:2: gpu.per_hour: must be a number; it is 'cheap'"),
        ("gpu:\n  utilisation: 1.5\n", "prices.yaml:2: gpu.utilisation: must be at most 1; it is '1.5'"),
        ("hosted:\n  input: -1\n", "prices.yaml:2: hosted.input: must be at least 0; it is '-1'"),
        ("training:\n  runs: 0\n", "prices.yaml:2: training.runs: must be at least 1; it is '0'"),
        ("", "prices.yaml: is empty; give at least one key, as in `gpu: {per_hour: 1.80}`"),
        ("gpu: {per_hour: .inf}", "prices.yaml:1: gpu.per_hour: must be a number; it is '.inf'"),
    ],
)
def test_a_mistake_is_one_line_with_file_line_and_key(tmp_path, text, expected):
    assert problem(tmp_path, text) == expected


def test_a_section_that_is_a_number_is_told_its_keys(tmp_path):
    assert problem(tmp_path, "gpu: 3").startswith("prices.yaml:1: gpu: must be a section with keys (per_hour,")


def test_a_missing_file_is_a_users_error(tmp_path):
    with pytest.raises(UsageError, match=r"nowhere\.yaml: can't be read"):
        load_prices(tmp_path / "nowhere.yaml")


def test_every_value_of_the_prices_has_a_unit_and_is_listed():
    data = load_prices().model_dump()
    keys = {f"{section}.{key}" for section, values in data.items() if isinstance(values, dict) for key in values}
    assert set(UNITS) == keys - {"cpu.per_hour"} - {
        f"requests_per_month.{level}" for level in ("low", "middle", "high")
    }
