import itertools
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.joint import Joint
from evals.scoreboard import MeanScoreboard
from evals.stats import Difference, Estimate
from evals.verdict import Contender, decide
from evals.verdict_wording import Absent, asked, scored, signed

FAMILY = {
    "majority": "classic",
    "zero_shot": "prompt",
    "few_shot": "prompt",
    "rag": "rag",
    "qlora": "tune",
    "lora": "tune",
    "full": "tune",
}


class FakeScores:
    """Means with a normal error of ``sd`` on every difference."""

    def __init__(self, means, sd=0.005, unknown=()):
        self.means, self.sd, self.unknown = means, sd, unknown
        self.asked = []

    def estimate(self, arm, confidence):
        mean = self.means[arm]
        return Estimate(mean, max(mean - 0.03, 0), min(mean + 0.03, 1), 500, 0, "fake")

    def difference(self, first, second, confidence):
        self.asked.append(confidence)
        if second in self.unknown:
            return Difference(None, None, None, 0, 500, "none", "no row")
        half = -NormalDist().inv_cdf((1 - confidence) / 2) * self.sd
        gap = self.means[first] - self.means[second]
        return Difference(gap, gap - half, gap + half, 500, 0, "fake")

    def joint(self, first, others):
        gains = np.array([self.means[first] - self.means[other] for other in others])
        return Joint(gains, self.sd**2 * (np.eye(len(others)) + 1) / 2, tuple(() for _ in others), 500)


def contenders(names, tokens=None):
    return [Contender(name, FAMILY[name], (tokens or {}).get(name, 10.0), place) for place, name in enumerate(names)]


def verdict(means, *, sd=0.005, gain=0.02, confidence=0.95, tokens=None, absent=(), unknown=()):
    scores = FakeScores(means, sd, unknown)
    return decide(contenders(means, tokens), scores, minimum_gain=gain, confidence=confidence, absent=absent)


def test_worth_it_when_every_untrained_arm_is_beaten_by_more_than_the_minimum():
    found = verdict({"zero_shot": 0.7, "rag": 0.8, "qlora": 0.9})
    assert found.outcome == "worth_it"
    assert (found.best_arm, found.best_trained, found.best_untrained) == ("qlora", "qlora", "rag")
    assert found.cheapest_within_noise == "qlora"
    assert found.within_noise == ("qlora",)
    assert (found.gain.difference, found.gain.confidence) == (pytest.approx(0.1), 0.95)
    assert found.reason == (
        "qlora scores 90.0% (87.0–93.0); the best untrained arm, rag, 80.0% (77.0–83.0): training adds 10.0 points "
        "(9.0 to 11.0, 95% interval), more than the 2 points asked for."
    )


def test_not_worth_it_when_the_gain_is_shown_to_be_too_small():
    found = verdict({"rag": 0.906, "qlora": 0.91})
    assert found.outcome == "not_worth_it"
    assert "training adds 0.4 points (−0.6 to 1.4, 95% interval), not more than the 2 points asked for." in found.reason
    assert set(found.within_noise) == {"rag", "qlora"}
    assert found.cheapest_within_noise == "rag"


def test_not_worth_it_when_training_makes_it_worse():
    found = verdict({"rag": 0.9, "qlora": 0.7})
    assert found.outcome == "not_worth_it"
    assert found.best_arm == "rag"
    assert "training changes the score by −20.0 points (−21.0 to −19.0, 95% interval)" in found.reason


def test_undecided_when_the_interval_spans_the_minimum():
    found = verdict({"rag": 0.88, "qlora": 0.91}, sd=0.02)
    assert found.outcome == "undecided"
    assert (
        "may be more or less than the 2 points asked for. 500 eval rows can't tell which; about 15,500 more (16,000 "
        "in all) would tell in four of five tries that it is enough, if scores stay as they are." in found.reason
    )


def test_one_untrained_arm_that_is_not_beaten_is_enough_to_doubt():
    sharp = {"zero_shot": 0.80, "rag": 0.79, "qlora": 0.83}

    class Uneven(FakeScores):
        def difference(self, first, second, confidence):
            self.sd = 0.03 if "rag" in (first, second) else 0.001
            return super().difference(first, second, confidence)

    found = decide(contenders(sharp), Uneven(sharp), minimum_gain=0.02, confidence=0.95)
    assert found.outcome == "undecided"
    assert found.best_untrained == "zero_shot"
    assert "Against rag it is 4.0 points" in found.reason


def test_the_best_trained_arm_need_not_be_the_one_that_wins_by_chance():
    found = verdict({"rag": 0.8, "qlora": 0.9, "full": 0.81})
    assert (found.outcome, found.best_trained) == ("worth_it", "qlora")
    assert found.gain.confidence == pytest.approx(0.975)  # two trained arms share the chance of a false claim
    assert "97.5% interval" in found.reason


def test_the_arm_that_decides_may_be_another_than_the_best():
    means = {"rag": 0.5, "lora": 0.6, "qlora": 0.59}

    class Uneven(FakeScores):
        def difference(self, first, second, confidence):
            self.sd = 0.06 if "lora" in (first, second) else 0.01
            return super().difference(first, second, confidence)

    found = decide(contenders(means), Uneven(means), minimum_gain=0.02, confidence=0.95)
    assert found.outcome == "worth_it"
    assert (found.best_arm, found.best_trained) == ("lora", "lora")
    assert (found.gain.trained, found.gain.difference) == ("qlora", pytest.approx(0.09))
    assert found.reason.startswith("qlora scores 59.0%")


def test_arms_of_equal_cost_are_told_apart_by_their_place_in_the_plan():
    means = {"qlora": 0.9, "lora": 0.9, "full": 0.9}
    assert verdict(means).cheapest_within_noise == "qlora"
    assert verdict(dict(reversed(means.items()))).cheapest_within_noise == "full"


def test_all_trained_arms_must_fail_for_a_no():
    means = {"rag": 0.9, "qlora": 0.905, "full": 0.80}
    found = verdict(means)
    assert found.outcome == "not_worth_it"
    assert found.reason.endswith("full does no better.")
    assert verdict(means | {"full": 0.92}).outcome == "undecided"


def test_many_untrained_arms_ask_for_more_certainty_before_a_no():
    means = dict.fromkeys(["majority", "zero_shot", "few_shot", "rag"], 0.9) | {"qlora": 0.9099}
    assert verdict({"rag": 0.9, "qlora": 0.9099}).outcome == "not_worth_it"
    assert verdict(means).outcome == "undecided"


def test_no_trained_arm_is_undecided_and_says_why():
    found = verdict({"rag": 0.8}, absent=[Absent("qlora", "tune", "failed (out of memory)")])
    assert found.outcome == "undecided"
    assert found.reason.startswith("No trained arm is done: qlora failed (out of memory).")
    assert (found.best_arm, found.best_trained, found.gain) == ("rag", None, None)
    assert verdict({"rag": 0.8}).reason.startswith("No trained arm was run.")


def test_no_untrained_arm_is_undecided_and_says_why():
    found = verdict({"qlora": 0.8}, absent=[Absent("rag", "rag", "failed (no documents)")])
    assert found.outcome == "undecided"
    assert found.reason.startswith("No untrained arm is done: rag failed (no documents).")
    assert found.best_trained == "qlora"


def test_nothing_done_is_undecided():
    found = verdict({})
    assert (found.outcome, found.best_arm, found.cheapest_within_noise) == ("undecided", None, None)


def test_arms_that_take_no_part_are_named():
    found = verdict({"rag": 0.8, "qlora": 0.9}, absent=[Absent("few_shot", "prompt", "failed (too many errors)")])
    assert found.outcome == "worth_it"
    assert found.reason.endswith("Not compared: few_shot failed (too many errors).")


def test_a_pair_that_cannot_be_compared_decides_nothing():
    for means in ({"rag": 0.5, "qlora": 0.9}, {"rag": 0.9, "qlora": 0.5}):
        found = verdict(means, unknown=("rag",), gain=1.0)
        assert found.outcome == "undecided"
        assert "no scored row in common" in found.reason


def test_cheapest_goes_by_family_then_tokens():
    means = {"zero_shot": 0.9, "few_shot": 0.901, "rag": 0.902, "qlora": 0.9}
    assert verdict(means, tokens={"few_shot": 5.0}).cheapest_within_noise == "few_shot"
    assert verdict(means, tokens={"few_shot": 50.0}).cheapest_within_noise == "zero_shot"


def test_the_minimum_itself_is_not_enough():
    assert verdict({"rag": 0.5, "qlora": 0.75}, sd=0.0, gain=0.25).outcome == "not_worth_it"
    assert verdict({"rag": 0.5, "qlora": 0.75}, sd=0.0, gain=0.2499).outcome == "worth_it"


@settings(max_examples=60)
@given(
    st.dictionaries(st.sampled_from(sorted(FAMILY)), st.integers(0, 100).map(lambda x: x / 100), min_size=1),
    st.floats(0.0001, 0.2),
    st.floats(0, 0.3),
)
def test_the_verdict_does_not_depend_on_the_order_of_arms(means, sd, gain):
    found = {
        verdict(dict(order), sd=sd, gain=gain).outcome
        for order in itertools.islice(itertools.permutations(means.items()), 6)
    }
    assert len(found) == 1


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.0001, 0.1), st.floats(0, 0.2), st.floats(0.001, 0.2))
def test_a_higher_bar_never_turns_a_no_into_a_yes(rag, qlora, sd, gain, more):
    order = ["not_worth_it", "undecided", "worth_it"]
    low = verdict({"rag": rag, "qlora": qlora}, sd=sd, gain=gain).outcome
    high = verdict({"rag": rag, "qlora": qlora}, sd=sd, gain=gain + more).outcome
    assert order.index(high) <= order.index(low)


def test_false_claims_are_rare():
    """The true gain is exactly the minimum: "worth it" is false, and must come up in less than one case of 20."""
    random = np.random.default_rng(3)
    runs, false = 200, 0
    for _ in range(runs):
        base = random.random(150) < 0.7
        rows = {
            name: np.where(random.random(150) < 0.3, random.random(150) < 0.7, base) for name in ("zero_shot", "rag")
        }
        rows["qlora"] = np.where(random.random(150) < 0.1, True, rows["rag"])
        scores = MeanScoreboard({name: row.astype(float).tolist() for name, row in rows.items()})
        found = decide(contenders(rows), scores, minimum_gain=0.03, confidence=0.95)
        false += found.outcome == "worth_it"
    assert false / runs <= 0.05


def test_figures_are_written_for_people():
    assert [asked(0.02), asked(0.01), asked(0.025), asked(0)] == ["2 points", "1 point", "2.5 points", "0 points"]
    assert [signed(0.011), signed(-0.011), signed(-0.0001)] == ["1.1", "−1.1", "0.0"]
    assert scored(Estimate(0.91, 0.88, 0.94, 100, 0, "")) == "91.0% (88.0–94.0)"
