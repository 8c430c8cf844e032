import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.json_metrics import json_exact, json_f1, json_valid

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("answer", "target", "value"),
    [
        ('{"a": 1, "b": [2, 3]}', '{"b": [2, 3.0], "a": 1.0}', 1),
        ('{"a": [1, 2]}', '{"a": [2, 1]}', 0),
        ('{"a": true}', '{"a": 1}', 0),
        ('{"a": "1"}', '{"a": 1}', 0),
        ('{"a": null}', "{}", 0),
        ('{"a": "\\u00e9"}', '{"a": "é"}', 1),
        ("not json", "{}", 0),
        ('{"a": 1, "a": 1}', '{"a": 1}', 0),
    ],
)
def test_exact(answer, target, value):
    assert json_exact(answer, target) == value


@pytest.mark.parametrize(
    ("answer", "target", "value"),
    [
        ('{"intent": "x", "slots": {"a": 1}}', '{"intent": "x", "slots": {"a": 2}}', 0.5),
        ('{"a": [1, 2]}', '{"a": [2, 1]}', 1),  # the place in a list doesn't count
        ('{"a": [1, 1]}', '{"a": [1]}', 2 / 3),
        ('{"a": 1}', '{"b": 1}', 0),
        ('{"a": {}}', '{"b": {}}', 0),
        ("{}", "{}", 1),
        ("{}", "[]", 0),
        ('{"a": {"[]": 1}}', '{"a": [1]}', 0),
        ('{"a": true}', '{"a": 1}', 0),
        ("nothing", "{}", 0),
    ],
)
def test_f1(answer, target, value):
    assert json_f1(answer, target) == pytest.approx(value)


@pytest.mark.parametrize(
    ("answer", "target", "value"),
    [('{"x": 1}', '{"a": 2}', 1), ("[1]", '{"a": 2}', 0), ("3", '"a"', 1), ("{", "{}", 0)],
)
def test_valid(answer, target, value):
    assert json_valid(answer, target) == value


@given(VALUES, VALUES)
def test_metrics_are_symmetric_shares(first, second):
    one, two = json.dumps(first), json.dumps(second)
    for metric in (json_exact, json_f1, json_valid):
        assert 0 <= metric(one, two) <= 1
        assert metric(one, two) == metric(two, one)
        assert metric(one, one) == 1
    assert json_exact(one, two) <= json_f1(one, two)
    assert json_exact(one, two) <= json_valid(one, two)


@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=4))
def test_the_order_of_keys_never_matters(record):
    turned = json.dumps(dict(reversed(record.items())))
    assert json_exact(json.dumps(record), turned) == 1
