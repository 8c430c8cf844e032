import re
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from advisor.cli import app
from advisor.plan import plan
from advisor.questions import questions
from advisor.recommend import NOT_READY, recommend
from advisor.suited_arms import suited_arms

ROOT = Path(__file__).parents[1]
some_answers = st.fixed_dictionaries({}, optional={q.key: st.sampled_from(list(q.options)) for q in questions()})
budgets = st.none() | st.text(max_size=40)

PASSED = {
    "eval_set": "enough",
    "definition": "both",
    "prompting": "measured",
    "oracle": "still_wrong",
    "rights": "yes",
    "privacy": "anywhere",
    "examples": "thousands",
    "noise": "low",
    "hygiene": "clean",
}
TUNE = PASSED | {"task": "extraction", "output": "private", "gap": "large", "knowledge": "none", "volume": "high"}
RAG = PASSED | {
    "task": "documents",
    "oracle": "only_with",
    "corpus": "large",
    "citations": "yes",
    "knowledge": "weekly",
}
PROMPT = PASSED | {"task": "rewriting", "oracle": "without", "gap": "none", "knowledge": "none", "output": "free"}


def planned(answers, *, gain=0.03, rows=100, budget="200 dollars"):
    return plan(answers, recommend(answers), gain, rows, budget)


def titles(steps):
    return [step.title for step in steps]


def arms_of(steps):
    return {
        arm for step in steps for given in re.findall(r"--arms (\S+)", step.command or "") for arm in given.split(",")
    }


@given(some_answers, st.floats(0.001, 1), st.integers(6, 10**6), budgets)
def test_any_answers_give_a_plan_in_order_with_limits_first(answers, gain, rows, budget):
    made = recommend(answers)
    steps = plan(answers, made, gain, rows, budget)
    assert steps[0].title == "Write the limits down"
    assert f"{rows:,} eval rows" in steps[0].what
    assert [step.day for step in steps] == sorted(step.day for step in steps)
    assert {step.day for step in steps} <= set(range(1, 6))
    assert len(set(titles(steps))) == len(steps)
    for step in steps:
        assert step.what.endswith(".")
        assert step.stop.endswith(".")
        assert "\n" not in step.what + step.stop + (step.command or "")
        assert step.command is None or step.command.startswith("tuneworthy ")


@given(some_answers)
def test_what_a_gate_holds_back_is_never_run(answers):
    made = recommend(answers)
    blocked = {option for gate in made.blocks for option in gate.options}
    arms = arms_of(plan(answers, made, 0.03, 1_000, None))
    assert ("qlora" in arms) <= ("tune" not in blocked)
    assert (bool(arms & {"rag", "rag_shots"})) <= ("rag" not in blocked)
    assert answers.get("task") == "grouping" or {"majority", "nearest", "zero_shot", "few_shot"} <= arms


def test_passed_gates_leave_no_gate_steps():
    assert recommend(TUNE).approach == "tune"
    assert titles(planned(TUNE)) == [
        "Write the limits down",
        "Write the task",
        "Measure what costs least",
        "Train, and compare",
        "Decide",
    ]


@pytest.mark.parametrize(
    ("change", "title"),
    [
        ({"rights": "no"}, "Leave training out"),
        ({"rights": None}, "Ask for the right to train"),
        ({"privacy": None}, "Ask where the data may go"),
        ({"definition": "part"}, "Say what a right answer is"),
        ({"definition": None}, "Say what a right answer is"),
        ({"eval_set": "none"}, "Put eval rows aside"),
        ({"eval_set": None}, "Put eval rows aside"),
        ({"examples": "few"}, "Collect examples"),
        ({"examples": None}, "Count the examples"),
        ({"noise": "high"}, "Mend the wrong answers"),
        ({"hygiene": "duplicates"}, "Throw copies out"),
        ({"hygiene": "synthetic"}, "Make the eval rows real"),
        ({"oracle": None}, "Paste the right passage in"),
    ],
)
def test_each_gate_that_is_not_passed_is_a_step(change, title):
    assert title not in titles(planned(TUNE))
    answers = {key: value for key, value in (TUNE | change).items() if value is not None}
    assert title in titles(planned(answers))


def test_more_eval_rows_are_asked_for_than_the_answer_tells():
    assert "Put eval rows aside" in titles(planned(TUNE, rows=1_917))
    step = next(step for step in planned(TUNE, rows=1_917) if step.title == "Put eval rows aside")
    assert step.what.startswith("You have 100 or more; 1,917 are needed.")


def test_the_main_step_follows_the_recommendation():
    assert recommend(RAG).approach == "rag"
    assert recommend(PROMPT).approach == "prompt"
    rag, prompt = planned(RAG), planned(PROMPT)
    assert titles(rag)[-3:] == ["Measure retrieval", "Train once, if a gap is left", "Decide"]
    assert titles(prompt)[-3:] == ["Work on the prompt", "Train once, if a gap is left", "Decide"]
    assert "rag_shots" in arms_of(rag)
    assert "cot" in arms_of(prompt)
    assert not arms_of(prompt) & {"rag", "rag_shots"}


def test_not_ready_ends_with_asking_again_and_trains_nothing():
    answers = TUNE | {"eval_set": "none", "noise": "high"}
    assert recommend(answers).approach == NOT_READY
    steps = planned(answers)
    assert titles(steps)[-1] == "Ask again"
    assert "qlora" not in arms_of(steps)


def test_not_ready_goes_on_with_what_can_be_done_meanwhile():
    for answers, title in ((RAG, "Measure retrieval"), (PROMPT, "Work on the prompt")):
        made = recommend(answers)
        waiting = replace(made, approach=NOT_READY, meanwhile=made.approach)
        assert title in titles(plan(answers, waiting, 0.03, 100, None))


@pytest.mark.parametrize("change", [{"corpus": "none", "knowledge": "static"}, {"task": "tabular"}])
def test_no_passage_is_pasted_where_none_could_help(change):
    answers = {key: value for key, value in TUNE.items() if key != "oracle"}
    assert "Paste the right passage in" in titles(planned(answers))
    assert "Paste the right passage in" not in titles(planned(answers | change))


def test_retrieval_and_training_together_have_an_arm():
    answers = PASSED | {"task": "documents", "oracle": "partly", "corpus": "large", "gap": "large", "output": "private"}
    made = recommend(answers)
    step = next(
        step for step in plan(answers, made, 0.03, 100, None) if step.title in ("Train, and compare", "Train once")
    )
    assert made.approach == "rag_tune"
    assert "`rag_qlora` retrieves and is trained at once" in step.what
    assert ",qlora,rag_qlora" in step.command


def test_the_limits_stand_in_the_rules():
    steps = planned(TUNE, gain=0.05, rows=689, budget="  300 euros\nat most. ")
    assert "more than 5 points" in steps[0].what
    assert "`decision.minimum_gain: 0.05`" in steps[0].what
    assert steps[0].what.endswith("Spend no more than this: 300 euros at most.")
    assert "ends below 5 points" in next(step.stop for step in steps if step.title == "Train, and compare")
    assert "up to 689" in steps[-1].stop
    assert "No budget was named" in planned(TUNE, budget=" \n")[0].what


def test_groups_are_found_outside():
    steps = planned({"task": "grouping"})
    assert titles(steps)[-1] == "Find the groups"
    assert not arms_of(steps)


@given(some_answers)
def test_commands_name_options_that_there_are(answers):
    commands = typer.main.get_command(app).commands
    for step in planned(answers):
        words = (step.command or "").split()[1:]
        if not words or words[0] not in commands:
            assert not words or words[0] == "advise"
            continue
        known = {option for parameter in commands[words[0]].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known


@given(
    some_answers,
    st.sampled_from(["prompt", "rag", "tune", "rag_tune", "classic", NOT_READY]),
    st.sampled_from(["label", "text", "json", "number", None]),
    st.booleans(),
)
def test_arms_are_ones_that_there_are(answers, approach, kind, documents):
    arms = suited_arms(answers, approach, kind, (), documents=documents)
    # Read from the source, since importing the arms would load torch.
    sources = [*(ROOT / "baselines").glob("*_arms.py"), *(ROOT / "finetune").glob("*_arms.py")]
    there = {name for path in sources for name in re.findall(r'name: ClassVar\[str\] = "(\w+)"', path.read_text())}
    assert len(there) > 8
    assert set(arms) <= there
    assert len(set(arms)) == len(arms)
    assert ("logistic" in arms) == (kind == "label")
