"""The steps that gates ask for: each gate that isn't passed, or that nobody knows of, is a step of its own."""

from collections.abc import Collection, Mapping

from advisor.data_needs import LEAST_EXAMPLES
from advisor.plan_step import MODEL, Step, command
from advisor.questions import questions

_NO_PASSAGES = frozenset({"tabular", "grouping"})


def gate_steps(answers: Mapping[str, str], blocked: Collection[str], eval_rows_needed: int) -> list[Step]:
    """Return what to do before anything dear is run, by day; ``blocked`` are the options that gates hold back."""
    steps = [_rights(answers), _privacy(answers), _definition(answers), _eval_rows(answers, eval_rows_needed)]
    steps += [_examples(answers), _labels(answers), _rows(answers), _oracle(answers, blocked)]
    return [step for step in steps if step is not None]


def _rights(answers: Mapping[str, str]) -> Step | None:
    if answers.get("rights") == "yes":
        return None
    if answers.get("rights") == "no":
        return Step(
            1,
            "Leave training out",
            "The rows may not be trained on. Ask for leave, or collect rows that may; prompts and retrieval are free "
            "to try if the rows may be read by a model at all.",
            None,
            "No training run on these rows, not even as a test.",
        )
    return Step(1, "Ask for the right to train", _find_out("rights"), None, "No training before the answer is written.")


def _privacy(answers: Mapping[str, str]) -> Step | None:
    if "privacy" in answers:
        return None
    return Step(
        1, "Ask where the data may go", _find_out("privacy"), None, "Until then nothing leaves your own machines."
    )


def _definition(answers: Mapping[str, str]) -> Step | None:
    if answers.get("definition") == "both":
        return None
    return Step(
        1,
        "Say what a right answer is",
        "Write the rules on one page, and let two people make the same ten answers by hand.",
        None,
        "If they differ in more than one of the ten (our judgement), mend the rules first: nothing measured before "
        "would mean anything.",
    )


def _eval_rows(answers: Mapping[str, str], needed: int) -> Step | None:
    if answers.get("eval_set") == "enough" and needed <= 100:
        return None
    there = {"enough": "You have 100 or more", "small": "You have fewer than 100", "none": "You have none"}
    have = there.get(answers.get("eval_set", ""), "How many you have isn't known")
    return Step(
        2,
        "Put eval rows aside",
        f"{have}; {needed:,} are needed. Draw real inputs at random, answer them by the rules, and touch them only "
        "to measure.",
        None,
        f"With fewer than {needed:,} no small gain can be told from chance: say undecided then, whatever the scores.",
    )


def _examples(answers: Mapping[str, str]) -> Step | None:
    if answers.get("examples", "few") != "few":
        return None
    known = "examples" in answers
    return Step(
        2,
        "Collect examples" if known else "Count the examples",
        f"At least {LEAST_EXAMPLES} clean ones (OpenAI's guide sees gains from 50 to 100 on); until then they serve "
        "better inside the prompt.",
        None if known else command("advise", "--data", "ROWS"),
        f"No training on fewer than {LEAST_EXAMPLES}.",
    )


def _labels(answers: Mapping[str, str]) -> Step | None:
    if answers.get("noise") not in ("middle", "high"):
        return None
    return Step(
        2,
        "Mend the wrong answers",
        "Let two people answer the same 100 rows, write a rule for each difference, and mend the rows by it.",
        None,
        "No training while two careful people differ in more than 5 of 100 rows (our judgement).",
    )


def _rows(answers: Mapping[str, str]) -> Step | None:
    if answers.get("hygiene") == "duplicates":
        return Step(
            2,
            "Throw copies out",
            "Keep one row of each, and none that stands in the eval rows too.",
            command("advise", "--data", "ROWS"),
            "No score counts while eval rows stand in train.",
        )
    if answers.get("hygiene") == "synthetic":
        return Step(
            2,
            "Make the eval rows real",
            "Made-up rows may be trained on; what is judged on has to come from real use.",
            None,
            "A score on made-up rows counts for nothing.",
        )
    return None


def _oracle(answers: Mapping[str, str], blocked: Collection[str]) -> Step | None:
    if "oracle" in answers or "rag" in blocked or answers.get("task") in _NO_PASSAGES:
        return None
    return Step(
        2,
        "Paste the right passage in",
        "It tells missing knowledge from missing skill. By hand: ask 20 questions with and without the passage that "
        "answers them (20 is our judgement).",
        command("advise", "--data", "ROWS", "--documents", "DOCS", "--probe", "--model", MODEL),
        "Right with the passage only: work on retrieval, not on training. Wrong even with it: retrieval won't mend it.",
    )


def _find_out(key: str) -> str:
    return next(question.find_out for question in questions() if question.key == key)
