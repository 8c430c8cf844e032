import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.number_metrics import numeric, same_number


@pytest.mark.parametrize(
    ("answer", "target", "tolerance", "value"),
    [
        ("100", "101", 0.01, 1),
        ("100", "102", 0.01, 0),
        ("0.0000001", "0", 1e-6, 1),
        ("0.001", "0", 1e-6, 0),
        ("-5", "5", 0.1, 0),
        ("1,000", "1e3", 0, 1),
        ("none", "5", 0.1, 0),
    ],
)
def test_numeric(answer, target, tolerance, value):
    assert numeric(answer, target, tolerance) == value


@pytest.mark.parametrize(
    ("answer", "target", "value"),
    [("1.50", "1.5", 1), ("1.5", "15", 0), ("-3", "3", 0), ("1e3", "1000", 1), ("0.1", "0.10000000000000001", 0)],
)
def test_same_number(answer, target, value):
    assert same_number(answer, target) == value


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_symmetry_and_identity(first, second):
    one, two = repr(first), repr(second)
    assert numeric(one, one, 0) == same_number(one, one) == 1
    assert numeric(one, two, 0.1) == numeric(two, one, 0.1)
    assert same_number(one, two) <= numeric(one, two, 0)
