"""Whether the rows are good enough: right, single, apart, well-formed, real, and allowed."""

from collections.abc import Mapping

from advisor.data_needs import DataNeeds
from advisor.data_places import READ
from advisor.readiness_item import UNKNOWN, ReadinessItem, count_of, share_of, source
from evals.power import noise_factor

CLEAN_NOISE = 0.02
"""Wrong answers, at most, that need no cleaning. Our judgement."""

MOST_COPIES = 0.01
"""Copies, at most, that need no cleaning. Our judgement."""

MOST_MADE_UP = 0.5
"""Made-up rows, at most, among those to train on. Our judgement."""

_FORMS = {
    "free": "a text in each row; several right ones can stand as a list in `targets`",
    "label": "one of a fixed list of labels, each always spelt the same, or a number",
    "json": "valid JSON in each row, all with the fields that the written schema names",
    "private": "answers exactly as the program after them wants them, with the rules of the form written down",
}


def noise_item(needs: DataNeeds) -> ReadinessItem:
    """Return whether few enough answers are wrong."""
    factor = noise_factor(needs.noise)
    cost = f"With {needs.noise:.0%} wrong answers it takes about {factor:.2f} times the rows " if factor > 1 else ""
    cost += "(1/(1 − 2·share)², for random mistakes between two labels; a rule of thumb elsewhere). " if cost else ""
    return ReadinessItem(
        "Wrong answers",
        f"about {needs.noise:.0%}" if needs.noise_known else UNKNOWN,
        f"fewer than {CLEAN_NOISE:.0%}",
        "Let two people answer the same 100 rows, talk over where they differ, write the rule down, and mend the rows "
        f"that break it. {cost}No score can come nearer to 100% than the answers are right.",
        needs.noise <= CLEAN_NOISE if needs.noise_known else None,
    )


def copies_item(answers: Mapping[str, str], figures: Mapping[str, float]) -> ReadinessItem:
    """Return whether the rows are free of duplicates."""
    rows = count_of(figures, "rows")
    exact, near = count_of(figures, "exact_duplicates"), count_of(figures, "near_duplicates")
    ok = {"clean": True, "duplicates": False}.get(answers.get("hygiene", ""))
    have = {True: "none, as you say", False: "some, as you say", None: UNKNOWN}[ok]
    if rows is not None and (exact is not None or near is not None):
        copies = (exact or 0) + (near or 0)
        have = f"{exact or 0:,} exact and {near or 0:,} nearly the same in {rows:,} rows"
        # Near copies that nobody looked for may still be there.
        ok = False if copies > MOST_COPIES * rows else None if near is None or exact is None else True
    return ReadinessItem(
        "Duplicates",
        have,
        f"at most {MOST_COPIES:.0%} of the rows (our judgement)",
        "Keep one of each before anything is split off. `tuneworthy run` keeps rows with the same input on one side "
        "of its own split; rows that only resemble each other stay together if they share a value in the column "
        "`group`.",
        ok,
        source("dedup"),
    )


def overlap_item(answers: Mapping[str, str], figures: Mapping[str, float]) -> ReadinessItem:
    """Return whether no eval row stands in the training rows."""
    overlap = count_of(figures, "overlap")
    said = True if answers.get("hygiene") == "clean" else None
    have = "none, as you say" if said else UNKNOWN
    if overlap is not None:
        have = f"{overlap:,} eval row{'' if overlap == 1 else 's'} also in train"
    return ReadinessItem(
        "Eval rows kept apart",
        have,
        "none of them in the training rows",
        "`tuneworthy run` stops where rows stand on both sides; `--drop-overlap` leaves them out of training.",
        said if overlap is None else overlap == 0,
        source("dedup"),
    )


def definition_item(answers: Mapping[str, str]) -> ReadinessItem:
    """Return whether it is written down what a right answer is."""
    have = {"neither": "neither of them", "part": "one of the two", "both": "both"}
    given = answers.get("definition", "")
    form = answers.get("output", "")
    schema = {"json": " For JSON that's a schema: each field, its type, and when it's empty."}.get(form, "")
    return ReadinessItem(
        "Definition of a right answer",
        have.get(given, UNKNOWN),
        "a page of rules and ten examples made by hand (ten is our judgement)",
        f"Let two people write ten answers each and compare; every difference is a missing rule.{schema}",
        given == "both" if given in have else None,
    )


def format_item(answers: Mapping[str, str], figures: Mapping[str, float]) -> ReadinessItem:
    """Return whether the rows stand in a file that can be read."""
    read = "rows" in figures
    form = _FORMS.get(answers.get("output", ""), "none of them empty")
    table = answers.get("task") == "tabular"
    joined = "One column is read as the input: join the columns of a table into one text. " if table else ""
    return ReadinessItem(
        "Format",
        "a file that was read" if read else UNKNOWN,
        f"one file ({READ}), one column with the input and one with the answer: {form}",
        f"{joined}`tuneworthy init mytask --data FILE` guesses columns and kind of answer; `tuneworthy run` names "
        "broken rows by file and line.",
        True if read else None,
    )


def made_up_item(answers: Mapping[str, str], figures: Mapping[str, float]) -> ReadinessItem:
    """Return whether made-up rows are few enough, and none of them is judged on."""
    share = share_of(figures, "made_up")
    ok = {"clean": True, "synthetic": False}.get(answers.get("hygiene", ""))
    have = {True: "real rows, as you say", False: "mostly made up, as you say", None: UNKNOWN}[ok]
    if share is not None:
        have, ok = f"{share:.0%} made up", share <= MOST_MADE_UP
    return ReadinessItem(
        "Made-up rows",
        have,
        f"eval rows that are all real; at most {MOST_MADE_UP:.0%} made up among those to train on",
        "Let a model write variants of real rows, read 50 of them, and throw out what a person wouldn't write. Give "
        "them as training rows only, with a file of real rows under `data.eval`, none of which served as a pattern. "
        "Then train with and without them: they stay only if they help.",
        ok,
    )


def rights_item(answers: Mapping[str, str]) -> ReadinessItem:
    """Return whether the data may be trained on."""
    given = answers.get("rights", "")
    return ReadinessItem(
        "Licence",
        {"yes": "training is allowed, as you say", "no": "training isn't allowed, as you say"}.get(given, UNKNOWN),
        "leave to train a model on the rows, in writing, and to use that model for your purpose",
        "Read the licence of every source (no licence means no leave), the terms of the model that wrote any row, "
        "and your own terms towards those whose texts these are. Keep the answer with the date.",
        {"yes": True, "no": False}.get(given),
    )


def personal_item(answers: Mapping[str, str]) -> ReadinessItem:
    """Return what is to be done about personal data; whether there are any isn't asked, so ``ok`` stays None."""
    where = {"anywhere": "may go to any provider under contract", "own": "may go only to machines of your own"}
    own = answers.get("privacy") == "own"
    place = " Run it on such a machine: tuneworthy loads the model where it is started." if own else ""
    return ReadinessItem(
        "Personal data",
        where.get(answers.get("privacy", ""), UNKNOWN),
        "no names, addresses, numbers or keys in the rows, or a legal ground for each",
        "Replace them by marks before training, the same way in the rows to judge on: a model can repeat what it was "
        f"trained on, the more so what stands there many times, and it can't be made to forget one row.{place}",
        None,
        source("dedup"),
    )
