"""Which label of a fixed set an answer names: to the letter, or as a forgiving reader would take it."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from evals.cue import drop_cue
from evals.words import Words, casefolded, fold

_OUTER = " \t\r\n\"'“”‘’„«»`*.,;:!?()[]{}<>。、，！？"
"""What may stand around a label without being part of it; signs such as + - # aren't among them."""

_Phrases = dict[str, list[tuple[tuple[str, ...], str]]]


class LabelReader:
    """Finds labels in answers.

    Every label is looked for in its folded form (see ``evals.words``) where that form is its own.
    Labels that folding would confuse or erase (``C`` and ``C++``, ``+`` and ``-``) are looked for
    as they're written, but for case.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._exact = {label.strip(): label for label in labels}
        self._bare = _unique((_bare(label), label) for label in labels)
        self._folded = _unique((" ".join(fold(label).words), label) for label in labels)
        clear = set(self._folded.values())
        self._folded_phrases = _phrases((fold(label).words, label) for label in labels if label in clear)
        self._written_phrases = _phrases(
            (_written(form).words, label) for form, label in self._bare.items() if label not in clear
        )

    def strict(self, answer: str) -> str | None:
        """Return the label that the whole answer is, or None."""
        return self._exact.get(answer.strip())

    def lenient(self, answer: str) -> str | None:
        """Return the label that the answer names, or None when it names none or leaves it open.

        In turn: the whole answer, but for case, quotes and punctuation; the only label that occurs as
        whole words; among several, the one that the answer opens with.
        """
        exact = self.strict(answer)
        if exact is not None:
            return exact
        answer = drop_cue(answer)
        folded = fold(answer)
        whole = self._bare.get(_bare(answer)) or self._folded.get(" ".join(folded.words))
        if whole is not None:
            return whole
        found = _occurrences(folded, self._folded_phrases)
        if self._written_phrases:
            found += _occurrences(_written(casefolded(answer)), self._written_phrases)
        named = {label for _, label in found}
        if len(named) > 1:
            named = {label for place, label in found if place == 0}
        return named.pop() if len(named) == 1 else None


@lru_cache(maxsize=8)
def label_reader(labels: tuple[str, ...]) -> LabelReader:
    """Return the reader of these labels; it's made once per set."""
    return LabelReader(labels)


def _bare(text: str) -> str:
    return " ".join(casefolded(text).split()).strip(_OUTER)


def _written(text: str) -> Words:
    words = tuple(word for word in (word.strip(_OUTER) for word in text.split()) if word)
    return Words(words, (False,) * len(words))


def _unique(forms: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the label of each form that belongs to one label alone."""
    owners: dict[str, set[str]] = {}
    for form, label in forms:
        owners.setdefault(form, set()).add(label)
    return {form: labels.pop() for form, labels in owners.items() if form and len(labels) == 1}


def _phrases(entries: Iterable[tuple[tuple[str, ...], str]]) -> _Phrases:
    """Return the labels' words by their first word, the longest first."""
    phrases: _Phrases = {}
    for words, label in entries:
        if words:
            phrases.setdefault(words[0], []).append((words, label))
    for candidates in phrases.values():
        candidates.sort(key=lambda entry: -len(entry[0]))
    return phrases


def _occurrences(text: Words, phrases: _Phrases) -> list[tuple[int, str]]:
    """Return (place, label) of each label that stands in the text as whole words, from left to right."""
    found: list[tuple[int, str]] = []
    words, joined, place = text.words, text.joined, 0
    while place < len(words):
        step = 1
        for phrase, label in phrases.get(words[place], ()):
            end = place + len(phrase)
            hangs = joined[place] or (end < len(words) and joined[end])
            if not hangs and words[place:end] == phrase:
                found.append((place, label))
                step = len(phrase)
                break
        place += step
    return found
