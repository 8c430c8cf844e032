import pytest

from reports.sentences import next_steps
from reports.winner import Winner, winner
from tests.report_fixtures import ARMS, Spec, make_run

TWO = (*ARMS[:7], Spec("full", "tune", 0.88))


def case(*, means=None, specs=ARMS[:7], **verdict):
    """Return results of arms with these mean scores and this verdict."""
    results, _ = make_run(specs, rows=40, verdict=verdict)
    for arm in results["arms"]:
        if arm["score"] and means is not None:
            arm["score"]["mean"] = means.get(arm["name"], 0.0)
    return results


NOT = {"outcome": "not_worth_it", "best_untrained": "rag"}
OPEN = {"outcome": "undecided", "best_untrained": "rag"}


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        (case(outcome="worth_it"), Winner("qlora", "tune")),
        # the arm that decided, which need not be the best one
        (case(specs=TWO, outcome="worth_it", gain={"trained": "full"}, best_arm="qlora"), Winner("full", "tune")),
        (case(**NOT, best_arm="few_shot", cheapest_within_noise="nearest"), Winner("nearest", "classic")),
        (case(**NOT, best_arm="rag", cheapest_within_noise="few_shot"), Winner("few_shot", "prompt")),
        # a trained arm has the best score, but not by what was asked for
        (case(**NOT, best_arm="qlora", cheapest_within_noise="few_shot"), Winner("few_shot", "prompt")),
        (case(**NOT, best_arm="qlora", cheapest_within_noise="qlora"), Winner("rag", "rag")),
        (case(**OPEN, best_arm="qlora", cheapest_within_noise="qlora"), Winner("rag", "rag")),
        # what scores nothing is no winner, however cheap
        (
            case(means={"rag": 0.1, "qlora": 0.2}, **OPEN, best_arm="qlora", cheapest_within_noise="majority"),
            Winner("rag", "rag"),
        ),
        (
            case(means={"qlora": 0.2}, **OPEN, best_arm="qlora", cheapest_within_noise="majority"),
            Winner("qlora", "tune"),
        ),
        (case(means={}, **OPEN, best_arm="majority", cheapest_within_noise="majority"), None),
    ],
)
def test_a_trained_arm_wins_only_where_training_is_worth_it(results, expected):
    assert winner(results) == expected


@pytest.mark.parametrize(("specs", "expected"), [(ARMS[6:7], Winner("qlora", "tune")), (ARMS[7:], None), ((), None)])
def test_runs_without_a_side_have_the_winner_that_is_left(specs, expected):
    assert winner(case(specs=specs)) == expected


@pytest.mark.parametrize("outcome", ["worth_it", "not_worth_it", "undecided"])
@pytest.mark.parametrize("cheapest", ["majority", "few_shot", "rag", "qlora"])
def test_the_report_advises_the_winner(outcome, cheapest):
    results = case(outcome=outcome, cheapest_within_noise=cheapest)
    advice = str(next_steps(results)[0])
    named = advice.lower().partition("use ")[2] or advice  # one that doesn't repay is named first, and not just advised
    assert named.startswith(winner(results).arm)
    assert (winner(results).family == "tune") == (outcome == "worth_it")
