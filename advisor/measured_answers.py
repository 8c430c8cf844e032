"""Which of the advisor's questions counting answers, and in what words. What figures leave open stays open."""

from advisor.figures import Figures
from advisor.found_answer import FoundAnswer, counted

MANY_COPIES = 0.01
"""Copies above this share of the rows are worth a cleaning. Our judgement."""

HIGH_NOISE = 0.05
"""Contradictions above this share of the rows prove that noise is high, as ``advisor/questions.yaml`` has it."""

SMALL_CORPUS = 200_000
"""Tokens, at most, that ``advisor/questions.yaml`` calls a small corpus."""

ENOUGH_PER_LABEL = 10
"""Rows a label must have on average for a few repeated answers to be taken for plain sorting. Our judgement."""

MOST_SORTED = 50
"""Labels, at most, of a task taken for plain sorting. Our judgement."""

_YES_NO = frozenset({"yes", "no", "true", "false", "0", "1"})


def measured_answers(figures: Figures) -> dict[str, FoundAnswer]:
    """Return the answers that ``figures`` decide, by the question's key."""
    found = {
        "eval_set": _eval_set(figures),
        "task": _task(figures),
        "corpus": _corpus(figures),
        "output": _output(figures),
        "examples": _examples(figures),
        "rarest": _rarest(figures),
        "noise": _noise(figures),
        "hygiene": _hygiene(figures),
    }
    return {key: answer for key, answer in found.items() if answer is not None}


def copies_sentence(figures: Figures) -> str:
    """Return what was counted of rows and copies, and what is left."""
    kinds = [
        counted(figures.exact_copies, "exact duplicate") if figures.exact_copies else "",
        f"{figures.alike_copies:,} alike but for case, punctuation or spacing" if figures.alike_copies else "",
        f"{figures.near_copies:,} nearly the same" if figures.near_copies else "",
        f"{counted(figures.overlap, 'eval row')} also in train" if figures.overlap else "",
    ]
    said = [kind for kind in kinds if kind] or ["no duplicates"]
    return f"{counted(figures.rows, 'row')}, {', '.join(said)}"


def _eval_set(figures: Figures) -> FoundAnswer | None:
    if figures.eval_rows is None:
        return None
    left = figures.eval_rows - (figures.overlap or 0)
    also = f", {figures.overlap:,} of them also in train" if figures.overlap else ", none of them in train"
    option = "none" if left == 0 else "small" if left < 100 else "enough"
    return FoundAnswer(option, f"{counted(figures.eval_rows, 'eval row')}{also}")


def _examples(figures: Figures) -> FoundAnswer:
    bounds = ((50, "few"), (200, "fifty"), (1_000, "hundreds"), (10_001, "thousands"))
    option = next((option for bound, option in bounds if figures.clean < bound), "more")
    left = "" if figures.clean == figures.rows else f": {figures.clean:,} left to learn from"
    return FoundAnswer(option, copies_sentence(figures) + left)


def _rarest(figures: Figures) -> FoundAnswer | None:
    label = figures.rarest
    if label is None:
        return None
    rows = figures.labels[label]
    option = "under_8" if rows < 8 else "under_100" if rows < 100 else "enough"
    most = next(iter(figures.labels))
    return FoundAnswer(
        option,
        f"{counted(len(figures.labels), 'label')}, the rarest, {label!r}, with {counted(rows, 'clean row')}, "
        f"the most frequent, {most!r}, with {figures.labels[most]:,}",
    )


def _noise(figures: Figures) -> FoundAnswer | None:
    """Return that noise is high where contradictions alone prove it; texts may differ and both be right."""
    share = figures.conflicts / figures.rows
    if figures.kind == "text" or share <= HIGH_NOISE:
        return None
    return FoundAnswer(
        "high",
        f"{figures.conflicts:,} of {counted(figures.rows, 'row')} ({share:.1%}) contradict others with the same input; "
        "what stands once can't be checked, so there may be more",
    )


def _hygiene(figures: Figures) -> FoundAnswer | None:
    """Return that there are duplicates; that rows are clean can't be counted, since they may be made up."""
    if figures.copies <= MANY_COPIES * figures.rows and not figures.overlap:
        return None
    share = f" ({figures.copies / figures.rows:.1%} duplicates)" if figures.copies else ""
    return FoundAnswer("duplicates", copies_sentence(figures) + share)


def _corpus(figures: Figures) -> FoundAnswer | None:
    if figures.corpus_tokens is None or figures.documents is None:
        return None
    option = "small" if figures.corpus_tokens <= SMALL_CORPUS else "large"
    return FoundAnswer(option, f"{counted(figures.documents, 'document')}, about {figures.corpus_tokens:,} tokens")


def _output(figures: Figures) -> FoundAnswer | None:
    """Return the form of the answers; short texts may be free or a private code, which no figure tells."""
    if figures.kind == "label":
        return FoundAnswer("label", f"{counted(len(figures.labels), 'different answer')} in {figures.rows:,} rows")
    if figures.kind == "number":
        return FoundAnswer("label", f"each of {figures.rows:,} answers is a number")
    if figures.kind == "json":
        return FoundAnswer("json", f"each of {figures.rows:,} answers is valid JSON")
    if figures.answer_prose > 0.5:
        return FoundAnswer("free", f"{figures.answer_prose:.0%} of the answers read like sentences")
    return None


def _task(figures: Figures) -> FoundAnswer | None:
    """Return that it's sorting, where a few labels stand beside texts and no documents are given."""
    labels = {label.casefold() for label in figures.labels}
    if not labels or figures.documents is not None or labels <= _YES_NO:
        return None
    if len(labels) > MOST_SORTED or figures.clean < ENOUGH_PER_LABEL * len(labels) or figures.input_words.median < 3:
        return None
    return FoundAnswer("sorting", f"{counted(figures.rows, 'text')} with one of {len(figures.labels):,} labels each")
