"""Who is right where, and which label is said for which: counted by hand."""

import pytest

from evals.scored import ScoredPrediction
from reports.confusion import MOST_LABELS, build_confusions
from reports.differing import SHOWN_ROWS, build_differing
from reports.page import render_report
from tests.report_fixtures import make_run


def row(number, score, said="x", target="x"):
    return ScoredPrediction(
        id=f"r{number}",
        input=f"input {number}",
        targets=(target,),
        prompt="p",
        raw=said,
        extracted=said,
        score=score,
        score_lenient=score,
        score_strict=score,
        error=None if score is not None else "timed out",
    )


def answers(*scores):
    return tuple(row(number, score) for number, score in enumerate(scores))


def results(trained=("qlora",), best="rag", names=("majority", "rag", "qlora"), labels=None):
    arms = [{"name": name, "trained": name in trained, "score": {"mean": 0.5}} for name in names]
    verdict = {
        "outcome": "undecided",
        "gain": {"trained": "qlora"} if trained else None,
        "best_trained": "qlora" if trained else None,
        "best_untrained": best,
        "best_arm": "qlora" if trained else best,
        "cheapest_within_noise": best,
    }
    return {"verdict": verdict, "arms": arms, "task": {"labels": labels}}


def test_rows_by_who_is_right():
    found = build_differing(
        results(),
        {
            "majority": answers(0, 0, 0, 0, 1, 0),
            "rag": answers(1, 0, 1, 0, 0.5, None),
            "qlora": answers(1, 1, 0, 0, 1, 1),
        },
    )
    majority, rag = found.pairs
    assert (majority.both, majority.trained_only, majority.other_only, majority.neither) == (1, 3, 0, 2)
    assert (rag.both, rag.trained_only, rag.other_only, rag.neither) == (1, 2, 1, 1)  # the error isn't counted
    assert (found.trained, found.best) == ("qlora", "rag")
    assert [row.id for row in found.gained.rows] == ["r1", "r5"]  # r4 is right by majority too
    assert [row.id for row in found.broken.rows] == ["r2"]
    assert found.gained.rows[1].other == "not answered"


def test_errors_that_arms_share():
    found = build_differing(results(), {"majority": answers(0, 0, 0, 1), "rag": answers(1, 0, None, 1)})
    majority, rag = found.shared
    assert (majority.wrong, majority.shares) == (3, (1.0, 0.5))
    assert (rag.wrong, rag.shares) == (1, (1.0, 1.0))


def test_without_training_nothing_was_changed_by_it():
    found = build_differing(results(trained=()), {"majority": answers(0, 1), "rag": answers(1, 1)})
    assert (found.trained, found.pairs, found.gained.count, found.broken.count) == (None, (), 0, 0)


def test_one_arm_alone_differs_from_nothing():
    assert build_differing(results(), {"qlora": answers(1, 0), "rag": answers(None, None)}) is None


def test_only_the_first_rows_are_shown_of_many():
    found = build_differing(results(), {"rag": answers(*[0] * 20), "qlora": answers(*[1] * 20)})
    assert (found.gained.count, len(found.gained.rows)) == (20, SHOWN_ROWS)


def test_confusions_by_hand():
    rows = (
        row(0, 1.0, "a", "a"),
        row(1, 0.0, "b", "a"),
        row(2, 0.0, "b", "a"),
        row(3, 0.0, "?", "b"),
        row(4, None, "a", "b"),
    )
    made = build_confusions(results(labels=["a", "b"]), {"qlora": rows, "rag": rows[:1]})
    assert [one.arm for one in made] == ["rag", "qlora"]  # the arm to take first
    rag, qlora = made
    assert rag.wrong == 0
    assert qlora.wrong == 3
    assert [(one.target, one.said, one.count, one.of) for one in qlora.listed] == [
        ("a", "b", 2, 3),
        ("b", "no label", 1, 1),
    ]
    assert "1 of 4 answers on the diagonal" in qlora.chart.wide


@pytest.mark.parametrize(("count", "drawn"), [(77, True), (MOST_LABELS, True), (MOST_LABELS + 1, False)])
def test_many_labels_are_drawn_as_long_as_that_can_be_read(count, drawn):
    labels = [f"label {place}" for place in range(count)]
    made, predictions = make_run(rows=300, labels=labels)
    assert all((one.chart is not None) is drawn for one in build_confusions(made, predictions))
    page = render_report(made, predictions)
    assert page.count("<h3>Confusions of") == len(build_confusions(made, predictions)) > 0


def test_a_task_without_labels_has_no_confusions():
    made, predictions = make_run(labels=(), metric="exact_match", rows=30)
    assert build_confusions(made, predictions) == []
    assert "Where they differ" in render_report(made, predictions)
