"""What to do this week, in order, with the rules for stopping written down before any result is seen."""

from collections.abc import Mapping, Sequence

from advisor.gate_steps import gate_steps
from advisor.plan_step import ANSWERS, MODEL, TASK, Places, Step, command
from advisor.questions import relevant
from advisor.recommend import NOT_READY, Recommendation
from advisor.suited_arms import RETRIEVING, TRAINED, suited_arms
from advisor.task_kind import said_kind, settled_kind
from evals.power import in_points
from evals.task_file import AnswerKind

__all__ = ["Step", "plan"]


def plan(
    answers: Mapping[str, str],
    recommendation: Recommendation,
    minimum_gain: float,
    eval_rows_needed: int,
    budget: str | None,
    found_kind: AnswerKind | None = None,
    places: Places | None = None,
) -> tuple[Step, ...]:
    """Return the steps of five working days; ``found_kind`` is the kind of answer that the rows show, if there are any.

    ``minimum_gain`` (0.03: 3 points) and ``eval_rows_needed`` (``evals.power``) go into the rules; ``budget`` is
    in the user's own words. ``places`` are the files that commands name.
    """
    places = places or Places()
    known = relevant(answers)
    blocked = {option for gate in recommendation.blocks for option in gate.options}
    main = recommendation.meanwhile if recommendation.approach == NOT_READY else recommendation.approach
    # While something has to be done before training, only what needs none of it is run.
    kind = said_kind(known)
    if found_kind is not None:
        kind = settled_kind(kind, found_kind, private=known.get("output") == "private")
    arms = suited_arms(known, main, kind, blocked)
    cheap = [arm for arm in arms if arm not in (*TRAINED, *RETRIEVING)]
    trains = bool(set(arms) & set(TRAINED))
    steps = [_limits(minimum_gain, eval_rows_needed, budget, trains=trains)]
    steps += gate_steps(known, blocked, eval_rows_needed)
    if known.get("task") == "grouping":
        return tuple(map(places.fill, (*steps, _groups())))
    steps += [_read() if places.drafted else _begin(), _cheap(cheap, minimum_gain)]
    steps += _main(main, arms, minimum_gain, known)
    if recommendation.approach == NOT_READY:
        steps.append(_ask_again())
    else:
        steps.append(_decide(trains, eval_rows_needed))
    return tuple(map(places.fill, steps))


def _limits(minimum_gain: float, eval_rows_needed: int, budget: str | None, *, trains: bool) -> Step:
    words = " ".join((budget or "").split()).rstrip(".")
    spend = f"Spend no more than this: {words}." if words else "No budget was named: write one down, in money and days."
    setting = f"`decision.minimum_gain: {minimum_gain:g}` in task.yaml holds the first of them. " if trains else ""
    return Step(
        1,
        "Write the limits down",
        f"A dearer approach counts only if it gains more than {in_points(minimum_gain)} over the best cheaper one, on "
        f"at least {eval_rows_needed:,} eval rows. {setting}{spend}",
        None,
        "These limits stay as they are, whatever comes out. Whoever wants to change one says so before the next run.",
    )


def _begin() -> Step:
    return Step(
        3,
        "Write the task",
        "It guesses columns and kind of answer from the rows; read what it wrote and mend the instruction.",
        command("init", TASK, "--data", "ROWS", "--eval", "EVAL"),
        "If two people would read the instruction differently, mend it before anything is run.",
    )


def _read() -> Step:
    return Step(
        3,
        "Read the task",
        "task.yaml was drafted from the answers and the rows; mend the instruction, and put in your model.",
        command("check", TASK),
        "If two people would read the instruction differently, mend it before anything is run.",
    )


def _cheap(arms: list[str], minimum_gain: float) -> Step:
    return Step(
        3,
        "Measure what costs least",
        "The most frequent answer, the nearest row and a plain prompt, on the same eval rows. Mend the instruction by "
        "looking at training rows, never at eval rows.",
        _run(arms),
        f"If the best of them is within {in_points(minimum_gain)} of what is needed, stop here and use it.",
    )


def _main(main: str, arms: Sequence[str], minimum_gain: float, answers: Mapping[str, str]) -> list[Step]:
    """Return the steps of the dearer arms; what is recommended comes first."""
    untrained = [arm for arm in arms if arm not in TRAINED]
    steps = []
    if main == "classic":
        steps.append(_classic(untrained, minimum_gain, answers))
    if main == "prompt":
        steps.append(_prompt(untrained, minimum_gain))
    if set(arms) & set(RETRIEVING):
        steps.append(_retrieval(untrained))
    if set(arms) & set(TRAINED):
        steps.append(_training(main, arms, minimum_gain))
    return steps


def _classic(arms: Sequence[str], minimum_gain: float, answers: Mapping[str, str]) -> Step:
    what = "Plain classifiers on the rows: cheap to run and to explain. Add rows of the labels that they confuse."
    if answers.get("task") == "tabular":
        what = (
            "Fit a classifier such as boosted trees on the columns themselves, outside of tuneworthy, which reads "
            "one text per row; its arms on the joined columns are the bar."
        )
    stop = f"If it is within {in_points(minimum_gain)} of the best prompt, take it."
    return Step(4, "Try a classic method", what, _run(arms), stop)


def _prompt(arms: Sequence[str], minimum_gain: float) -> Step:
    return Step(
        4,
        "Work on the prompt",
        "One change at a time: clearer rules, examples of the hard cases, reasoning first, a stronger model.",
        _run(arms),
        f"Stop after two changes in a row that gain less than {in_points(minimum_gain)} (two is our judgement).",
    )


def _retrieval(arms: Sequence[str]) -> Step:
    return Step(
        4,
        "Measure retrieval",
        "Name the right document of each eval row in the column `doc_id`; the report then shows how often it is found. "
        "If all documents together are short, try them whole in the prompt, too.",
        _run(arms),
        "If the right document is found for fewer than 7 of 10 questions (our judgement), mend passages, `rag.k` and "
        "embedder first, and judge neither retrieval nor training before.",
    )


def _training(main: str, arms: Sequence[str], minimum_gain: float) -> Step:
    side = " `rag_qlora` retrieves and is trained at once; `rag` and `qlora` show what each brings by itself."
    return Step(
        4,
        "Train, and compare" if main in ("tune", "rag_tune") else "Train once, if a gap is left",
        "The same rows, the cheapest kind of training, three seeds; the arms without training run beside it, since "
        f"only arms of one run are compared row by row.{side if main == 'rag_tune' else ''}",
        f"{_run(arms)} --seeds 3",
        f"If the interval of the gain ends below {in_points(minimum_gain)}, stop training for this task. If training "
        "on the first 50 rows brings no gain at all, look at task and answers before you label more (OpenAI's guide). "
        "No more than three such runs (our judgement), or the budget, whichever ends first.",
    )


def _run(arms: Sequence[str]) -> str:
    return command("run", TASK, "--model", MODEL, "--arms", ",".join(arms))


def _groups() -> Step:
    return Step(
        3,
        "Find the groups",
        "Embed the inputs and cluster them, outside of tuneworthy, which needs right answers to compare anything. "
        "Read 20 inputs of every group (20 is our judgement) and name it; named groups make a sorting task.",
        None,
        "If two people don't give most of a group the same name, use fewer groups or leave it.",
    )


def _ask_again() -> Step:
    return Step(
        5,
        "Ask again",
        "Put in what you now know; what stood in the way of training may be gone.",
        command("advise", "--answers", ANSWERS),
        "If the same thing still stands in the way, stay with what runs, and name a day for the next try.",
    )


def _decide(trains: bool, eval_rows_needed: int) -> Step:
    if not trains:
        return Step(
            5,
            "Decide",
            "Take the simplest approach that isn't clearly worse than the best: where the interval of their difference "
            "holds 0.",
            command("report", "runs/RUN"),
            f"With fewer than {eval_rows_needed:,} eval rows, call a small difference unmeasured, not absent.",
        )
    return Step(
        5,
        "Decide",
        "worth_it: go on with the trained arm, and name who retrains it. not_worth_it: take the best arm without "
        "training.",
        command("report", "runs/RUN"),
        f"undecided: add eval rows up to {eval_rows_needed:,} and run once more. If they are there already, or the "
        "budget is spent, it counts as not worth it.",
    )
