"""From what a model wrote to its answer: a strict reading and a lenient one.

Strict: the whole text must be an answer of the task's kind. Lenient: what a forgiving reader would
take for the answer, knowing how the task's answers look but not what this row's is. Whatever the strict
reading accepts, the lenient one accepts too; but for texts, which it may shorten, both then agree. Neither
ever raises: text without an answer gives None, which is a wrong answer, not an error.
"""

from collections.abc import Sequence

from evals.answer_form import AnswerForm, first_paragraphs, is_quoted
from evals.cue import drop_cue
from evals.json_value import find_json, parse_json
from evals.label_reader import label_reader
from evals.number_reader import read_number
from evals.task_file import AnswerKind

_PLAIN = AnswerForm()


def extract(
    answer: str, kind: AnswerKind, labels: Sequence[str] = (), *, strict: bool, form: AnswerForm = _PLAIN
) -> str | None:
    """Return the answer that stands in ``answer``, or None when there is none.

    ``labels`` matter for labels alone, ``form`` for lenient readings of texts and JSON.
    """
    if kind == "label":
        reader = label_reader(tuple(labels))
        return reader.strict(answer) if strict else reader.lenient(answer)
    if kind == "json":
        return _json(answer, form, strict=strict)
    if kind == "number":
        return read_number(answer, strict=strict)
    return answer.strip() or None if strict else _text(answer, form)


def _json(answer: str, form: AnswerForm, *, strict: bool) -> str | None:
    found = parse_json(answer)
    if found is None and not strict:
        found = find_json(answer, form.brackets)
    return found.text if found is not None else None


def _text(answer: str, form: AnswerForm) -> str | None:
    """Return the answer without what the task's answers never wear; one that is but a cue stands as it is."""
    text = answer.strip() if form.cue else drop_cue(answer).strip()
    text = first_paragraphs(text, form.paragraphs)
    if not form.quotes and is_quoted(text):
        text = text[1:-1].strip()
    return text or answer.strip() or None
