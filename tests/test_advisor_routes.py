"""Training from scratch and on preferences: figures and sentences."""

import pytest

from advisor.other_routes import from_scratch, preferences
from advisor.training_estimate import Machine

H100 = Machine(989, 0.35, 2.50)


def scratch(tokens=500_000, special=None, weights=8e9):
    return from_scratch(weights, tokens, H100, "USD", special)


def pairs(count=None, special=None):
    return preferences(8e9, 1500, 2.40, H100, "USD", special, count)


def test_from_scratch_by_hand():
    # 20 x 8e9 tokens; 6 x 8e9 x 1.6e11 = 7.68e21 FLOPs over 1.246e18 an hour = 6,163 hours
    route = scratch()
    assert route.figures["tokens_needed"] == 1.6e11
    assert route.figures["gpu_hours"] == pytest.approx(6163, abs=1)
    assert route.figures["cost"] == pytest.approx(2.5 * route.figures["gpu_hours"])
    assert route.figures["largest_model"] == 25_000
    assert "160 billion tokens" in route.sentences[0]
    assert "0.00031% of that" in route.sentences[0]
    assert "6,200 GPU-hours (15,000 USD)" in route.sentences[1]
    assert not route.consider


def test_no_examples_at_all_is_none_of_it():
    assert "0% of that" in scratch(0).sentences[0]


@pytest.mark.parametrize(
    ("tokens", "special", "consider"),
    [(2e11, "language", True), (2e11, "no", False), (2e11, None, False), (1e9, "language", False)],
)
def test_from_scratch_needs_both_the_tokens_and_a_reason(tokens, special, consider):
    assert scratch(tokens, special).consider is consider


@pytest.mark.parametrize(
    ("count", "special", "consider"),
    [
        (None, "preferences", True),
        (499, "preferences", False),
        (500, "preferences", True),
        (5000, "no", False),
        (None, None, False),
    ],
)
def test_preferences_need_pairs_and_no_right_answers(count, special, consider):
    assert pairs(count, special).consider is consider


def test_preferences_by_hand():
    # 1,000 pairs at 2.40; (4 + 2) x 8e9 x 1.5e6 = 7.2e16 FLOPs = 0.058 hours
    route = pairs(800, "preferences")
    assert route.figures["labelling_cost"] == 2400
    assert route.figures["gpu_hours"] == pytest.approx(0.0578, abs=0.0005)
    assert "at least 500, better 1,000" in route.sentences[0]
    assert "three stages" in route.sentences[1]
    assert "about 800" in route.sentences[2]
