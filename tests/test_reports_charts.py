import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.charts import Interval, differences_chart, scores_chart
from reports.curves import by_magnitude, loss_chart, score_chart, thin
from reports.svg import INK

ROWS = [
    Interval("qlora", 0.91, 0.87, 0.95, trained=True),
    Interval("rag", 0.78, 0.72, 0.84, trained=False),
]


def loss_fit(seed=0, steps=300):
    losses = [
        {
            "step": s,
            "epoch": s / 100,
            "train": 2 / s,
            "validation": 2.1 / s if s % 50 == 0 else None,
            "score": s / 2 / steps if s % 50 == 0 else None,
        }
        for s in range(1, steps + 1)
    ]
    return {"seed": seed, "losses": losses, "best_step": 250}


def drawings():
    charts = [
        scores_chart(ROWS, "scores", "Accuracy"),
        differences_chart(ROWS[:1], "differences", "rag", 0.02),
        loss_chart([loss_fit(0), loss_fit(1)], "loss-0", "qlora"),
        score_chart([loss_fit(0), loss_fit(1)], "score-0", "qlora", "accuracy"),
    ]
    return [str(drawing) for chart in charts for drawing in (chart.wide, chart.narrow)]


def test_drawings_share_no_id_and_refer_to_their_own():
    seen = []
    for drawing in drawings():
        root = ElementTree.fromstring(drawing)
        ids = [node.get("id") for node in root.iter() if node.get("id")]
        used = re.findall(r"url\(#([^)]+)\)|href=\"#([^\"]+)\"|aria-labelledby=\"(\S+) (\S+)\"", drawing)
        assert {name for match in used for name in match if name} <= set(ids)
        seen += ids
    assert len(seen) == len(set(seen))


def test_drawings_are_themed_and_reach_nothing_outside_themselves():
    for drawing in drawings():
        assert not re.search(r"#[0-9a-f]{6}", drawing)
        assert "var(--chart-" in drawing
        for word in ("<g>", "<g />", "<defs />", "<style", "<metadata", "<!DOCTYPE", "http", "font-family: "):
            assert word not in drawing
    assert len(set(INK.values())) == len(INK)


def test_the_same_figures_give_the_same_drawing():
    assert drawings() == drawings()


def test_a_drawing_says_in_words_what_it_shows():
    drawing = str(scores_chart(ROWS, "scores", "Accuracy").wide)
    root = ElementTree.fromstring(drawing)
    assert root.get("role") == "img"
    assert root.find("title").text == "Accuracy, with intervals"
    assert root.find("desc").text == "qlora 91.0% (87.0% to 95.0%); rag 78.0% (72.0% to 84.0%)."


def test_figures_stand_beside_the_lines():
    texts = [
        node.text for node in ElementTree.fromstring(str(differences_chart(ROWS, "d", "x", 0.02).wide)).iter("text")
    ]
    assert {"qlora", "rag", "+91.0", "+78.0", "asked for: +2.0"} <= set(texts)


def test_a_trained_arm_has_a_shape_of_its_own():
    """Colour blind or not: with all colours taken away the two marks still differ."""
    shapes = []
    for row in ROWS:
        drawing = str(scores_chart([row], "s", "Accuracy").wide)
        shapes.append(re.sub(r"var\(--chart-[a-z]+\)", "", drawing).count("C "))  # curves: only a circle has them
    assert shapes[0] == 0
    assert shapes[1] > 0


@pytest.mark.parametrize(
    "name", ["$\\frac{$", "<script>x</script>", "a & b", "\x00\ud800\ufffe\u202e", "日本語の名前", "", "n" * 900]
)
def test_any_name_can_be_drawn(name):
    chart = scores_chart([Interval(name, 0.5, 0.4, 0.6, trained=False)], "scores", "Accuracy")
    root = ElementTree.fromstring(str(chart.narrow))
    assert all(len(node.text or "") <= 26 for node in root.iter("text"))
    assert root.find("script") is None


def test_degenerate_intervals_are_drawn():
    same = [Interval("one", 1.0, 1.0, 1.0, trained=True)]
    assert "100.0%" in str(scores_chart(same, "s", "Accuracy").wide)
    assert "0.0" in str(differences_chart([Interval("one", 0, 0, 0, trained=True)], "d", "x", 0.0).wide)


def test_without_rows_there_is_no_drawing():
    assert scores_chart([], "s", "Accuracy") is None
    assert loss_chart([{"losses": [], "best_step": None}], "l", "qlora") is None
    assert score_chart([loss_fit(steps=99)], "l", "qlora", "accuracy") is None  # one score is no curve
    older = loss_fit()
    for point in older["losses"]:
        del point["score"]
    assert score_chart([older], "l", "qlora", "accuracy") is None
    assert loss_chart([older], "l", "qlora") is not None


def test_long_loss_curves_are_thinned_and_the_best_step_is_marked():
    long = str(loss_chart([loss_fit(steps=20_000)], "l", "qlora").wide)
    assert len(long) < 60_000
    unmarked = {**loss_fit(), "best_step": None}
    marked_dashes = str(loss_chart([loss_fit()], "l", "qlora").wide).count("stroke-dasharray")
    assert marked_dashes == str(loss_chart([unmarked], "l", "qlora").wide).count("stroke-dasharray") + 1


def test_a_screen_reader_hears_the_course_of_a_training():
    fit = loss_fit()
    losses = ElementTree.fromstring(str(loss_chart([fit], "l", "qlora").wide))
    assert losses.find("title").text == "Loss of qlora by optimiser step"
    assert losses.find("desc").text == (
        "Training loss from 2.00 at step 1 to 0.0067 at step 300, validation loss from 0.0420 at step 50 to 0.0070 "
        "at step 300, lowest 0.0070 at step 300."
    )
    scores = ElementTree.fromstring(str(score_chart([fit, loss_fit(1)], "l", "qlora", "token F1").wide))
    assert scores.find("title").text == "Token F1 of qlora on validation rows by optimiser step"
    heard = "8.3% at step 50, 50.0% at step 300, highest 50.0% at step 300."
    assert scores.find("desc").text == f"Seed 0: {heard} Seed 1: {heard}"


def test_scores_have_the_whole_axis_and_the_steps_of_the_losses():
    """A score of 30% must not look like a full success, and a step stands at the same place in both pictures."""

    def ticks(chart):
        return {node.text: node.get("transform") for node in ElementTree.fromstring(str(chart.wide)).iter("text")}

    fit = loss_fit()
    scores, losses = ticks(score_chart([fit], "s", "qlora", "accuracy")), ticks(loss_chart([fit], "l", "qlora"))
    assert {"0%", "25%", "50%", "75%", "100%"} <= scores.keys()
    dashed = [
        re.search(r'd="M ([\d.]+) [^"]*"[^>]*stroke-dasharray', str(chart.wide)).group(1)
        for chart in (score_chart([fit], "s", "qlora", "accuracy"), loss_chart([fit], "l", "qlora"))
    ]
    assert dashed[0] == dashed[1]
    assert "optimiser step" in scores.keys() & losses.keys()


@given(st.lists(st.integers(), max_size=200), st.integers(2, 50))
def test_thinning_keeps_both_ends_and_the_order(values, most):
    points = [{"step": place, "value": value} for place, value in enumerate(values)]
    kept = thin(points, most)
    assert len(kept) == min(len(points), most)
    assert [point["step"] for point in kept] == sorted({point["step"] for point in kept})
    if points:
        assert (kept[0], kept[-1]) == (points[0], points[-1])


def heights(chart):
    """Return the labels of the left axis of a drawing of losses, from the lowest to the highest."""
    texts = [node for node in ElementTree.fromstring(str(chart.wide)).iter("text") if node.text != "optimiser step"]
    return [node.text for node in sorted(texts, key=lambda node: -float(node.get("y"))) if float(node.get("x")) < 44]


def test_losses_far_apart_are_drawn_by_magnitude():
    far = loss_fit()  # 2 down to 0.0067
    assert by_magnitude([far])
    assert heights(loss_chart([far], "l", "qlora")) == ["0.01", "0.03", "0.1", "0.3", "1"]
    near = {**far, "losses": [{"step": s, "train": 2 - s / 300, "validation": None} for s in range(1, 301)]}
    assert not by_magnitude([near])
    assert heights(loss_chart([near], "l", "qlora"))[0].startswith("0")
    nothing = {**far, "losses": [*far["losses"], {"step": 301, "train": 0.0, "validation": None}]}
    assert not by_magnitude([nothing])
    assert loss_chart([nothing], "l", "qlora") is not None
