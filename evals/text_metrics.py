"""How alike two texts are: exact match and token F1 as SQuAD has them, and ROUGE-L.

Sources: Rajpurkar et al. 2016 (arXiv:1606.05250) for the normalisation and token F1; Lin 2004, "ROUGE:
a package for automatic evaluation of summaries", for ROUGE-L; Hyyrö 2004, "Bit-parallel LCS-length
computation revisited", for its computation. Beyond SQuAD's script, all of Unicode's punctuation is
dropped, not only ASCII's, and each Chinese or Japanese character counts as a word.
"""

import re
import string
import unicodedata
from collections import Counter

from evals.words import is_unspaced, plain_words

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


class _NoPunctuation(dict[int, str]):
    """A table for ``str.translate`` that fills itself: punctuation goes, the rest stays."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character in string.punctuation or unicodedata.category(character).startswith("P"):
            kept = ""
        else:
            kept = f" {character} " if is_unspaced(code) else character
        self[code] = kept
        return kept


_NO_PUNCTUATION = _NoPunctuation()


def squad_tokens(text: str) -> list[str]:
    """Return the words of ``text`` after SQuAD's normalisation: lower case, no punctuation, no articles."""
    return _ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split()


def exact_match(answer: str, target: str) -> float:
    """Return 1.0 when both are the same text after SQuAD's normalisation, else 0.0."""
    return float(squad_tokens(answer) == squad_tokens(target))


def token_f1(answer: str, target: str) -> float:
    """Return F1 (0…1) over the words that both share, as multisets; two texts without words are equal."""
    ours, theirs = squad_tokens(answer), squad_tokens(target)
    shared = (Counter(ours) & Counter(theirs)).total()
    return _f1(shared, len(ours), len(theirs))


def rouge_l(answer: str, target: str) -> float:
    """Return F1 (0…1) of the longest common subsequence of lower-cased words."""
    ours, theirs = plain_words(answer), plain_words(target)
    return _f1(longest_common_subsequence(ours, theirs), len(ours), len(theirs))


def longest_common_subsequence(first: list[str], second: list[str]) -> int:
    """Return the length of the longest common subsequence; one bit per word of ``first``, a row at a time."""
    where: dict[str, int] = {}
    for place, word in enumerate(first):
        where[word] = where.get(word, 0) | 1 << place
    everything = (1 << len(first)) - 1
    row = everything
    for word in second:
        hits = row & where.get(word, 0)
        row = ((row + hits) | (row - hits)) & everything
    return len(first) - row.bit_count()


def _f1(shared: int, ours: int, theirs: int) -> float:
    if ours + theirs == 0:
        return 1.0
    return 2 * shared / (ours + theirs)
