import io

import pytest
from rich.console import Console

from reports.terminal import summary
from tests.report_fixtures import ARMS, hostile, make_run


def printed(width=100, **case):
    console = Console(width=width, file=io.StringIO(), color_system=None, legacy_windows=False)
    results, _ = make_run(**{"rows": 200, **case})
    console.print(summary(results))
    return console.file.getvalue(), results


def test_the_summary_has_the_verdict_the_arms_and_the_causes():
    text, results = printed()
    assert "Worth it" in text
    qlora = next(line for line in text.splitlines() if line.startswith("qlora"))
    score = next(arm for arm in results["arms"] if arm["name"] == "qlora")["score"]
    assert f"{100 * score['mean']:.1f}% ({100 * score['low']:.1f}–{100 * score['high']:.1f})" in qlora
    assert next(line for line in text.splitlines() if line.startswith("rag")).split()[3] == "reference"
    assert "full failed: out of memory after 3 steps" in text
    assert "no eval file" in text
    assert "scratch" not in text  # skipped arms stand in the report


def test_answers_that_ended_at_the_token_limit_are_counted():
    results, _ = make_run(rows=20)
    results["arms"][0]["cut"] = 7
    console = Console(width=100, file=io.StringIO(), color_system=None, legacy_windows=False)
    console.print(summary(results))
    assert f"token limit, scored as they stand: {results['arms'][0]['name']} 7" in console.file.getvalue()


def test_the_built_in_model_is_said_to_be_no_measure_of_a_larger_one():
    results, _ = make_run(rows=20)
    for name, told in (("builtin", True), ("models/small-1b", False)):
        results["model"]["name"] = name
        console = Console(width=300, file=io.StringIO(), color_system=None, legacy_windows=False)
        console.print(summary(results))
        assert ("The built-in model answered" in console.file.getvalue()) is told


def test_arms_stand_best_first():
    text, results = printed()
    scores = {arm["name"]: arm["score"]["mean"] for arm in results["arms"] if arm["score"]}
    lines = [line.split()[0] for line in text.splitlines() if line.split() and line.split()[0] in scores]
    assert [scores[name] for name in lines] == sorted(scores.values(), reverse=True)


@pytest.mark.parametrize("width", [40, 50, 70, 80, 120])
def test_no_line_is_wider_than_the_terminal_and_no_score_is_cut(width):
    text, results = printed(width)
    assert max(map(len, text.splitlines())) <= width
    for arm in results["arms"]:
        if arm["score"]:
            assert f"{100 * arm['score']['mean']:.1f}%" in text


def test_markup_and_control_characters_in_data_are_text():
    for turn in range(25):
        text, _ = printed(text=hostile(turn))
        assert "\x1b" not in text
        assert "\x00" not in text
        text.encode()
    assert any("[red]bold[/red]" in printed(text=hostile(turn))[0] for turn in range(25))


@pytest.mark.parametrize("specs", [ARMS[:3], ARMS[6:7], ARMS[7:], ()])
def test_runs_without_one_side_are_undecided(specs):
    text, _ = printed(specs=specs)
    assert "Undecided" in text
