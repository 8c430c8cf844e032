"""Text as folded words: what is left when case, punctuation and spacing don't count.

Characters of Chinese and Japanese, which are written without spaces, are words of their own.
"""

import re
import unicodedata
from dataclasses import dataclass

JOINER = "-"
_JOINERS = frozenset("-_'’‐‑")
_DECIMAL = re.compile(r"(?<=[0-9])[.,](?=[0-9])")
_NEGATIVE = re.compile(r"-[0-9]")
_UNSPACED = (
    (0x3040, 0x30FF),  # hiragana, katakana
    (0x3400, 0x4DBF),  # Han, extension A
    (0x4E00, 0x9FFF),  # Han
    (0xF900, 0xFAFF),  # Han, compatibility forms
    (0x20000, 0x323AF),  # Han, further extensions
)


def is_unspaced(code: int) -> bool:
    """Whether the character belongs to a script that is written without spaces between words."""
    return code >= _UNSPACED[0][0] and any(first <= code <= last for first, last in _UNSPACED)


class _Folding(dict[int, str]):
    """A table for ``str.translate`` that fills itself: letters stay, joiners are one sign, the rest is space."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if is_unspaced(code):
            folded = f" {character} "
        elif character in _JOINERS:
            folded = JOINER
        elif character.isalnum() or unicodedata.category(character).startswith("M"):
            folded = character  # marks belong to the letter before them (vowels of Hindi, accents)
        else:
            folded = " "
        self[code] = folded
        return folded


_FOLDING = _Folding()


@dataclass(frozen=True, slots=True)
class Words:
    """Folded words; ``joined[i]`` says that word i hangs on the one before it (``non-toxic``, ``4.5``)."""

    words: tuple[str, ...]
    joined: tuple[bool, ...]


def casefolded(text: str) -> str:
    """Return ``text`` without differences of case and of Unicode's compatibility forms."""
    return unicodedata.normalize("NFKC", text).casefold()


def fold(text: str) -> Words:
    """Return the words of ``text``; a minus sign right before a digit belongs to the number."""
    words: list[str] = []
    joined: list[bool] = []
    spaced = _DECIMAL.sub(JOINER, casefolded(text).replace("−", JOINER)).translate(_FOLDING)
    for chunk in spaced.split():
        pieces = [piece for piece in chunk.split(JOINER) if piece]
        if pieces and _NEGATIVE.match(chunk):
            pieces[0] = JOINER + pieces[0]
        words += pieces
        joined += [place > 0 for place in range(len(pieces))]
    return Words(tuple(words), tuple(joined))


def plain_words(text: str) -> list[str]:
    """Return the lower-cased words of ``text`` in order, without punctuation."""
    return text.lower().translate(_FOLDING).replace(JOINER, " ").split()
