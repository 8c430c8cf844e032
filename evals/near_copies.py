"""Texts that say nearly the same, found without comparing each with each.

MinHash (Broder 1997, "On the resemblance and containment of documents"): the chance that two sets of words
have the same smallest hash is their Jaccard similarity. Bands of such hashes (Indyk and Motwani 1998) bring near
texts together; what meets is then compared word by word, so nothing is called near that isn't.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from evals.words import plain_words

NEAR = 0.9
"""Two texts are near when they share at least this part of all their words: one word in 19, none in fewer than 10."""

FEWEST_WORDS = 9
"""Texts of fewer different words are near only when their words are the same."""

BANDS, HASHES = 12, 8
"""Bands and hashes in each: texts that share 0.9 meet with a chance of 99.9%, those that share 0.5 with 5%."""

COMPARED = 8
"""Texts compared in each band, at most: where thousands are built from one pattern, the count is a lower bound."""

_SLAB_WORDS = 50_000


def near_copies(texts: Sequence[str], groups: Sequence[object]) -> frozenset[int]:
    """Return the positions of texts that are near another of their group, which stays.

    Longer texts stay before shorter ones, so the number doesn't depend on the order of ``texts``. Word order and
    repetition don't count; a text without words is near nothing.
    """
    words = [frozenset(plain_words(text)) for text in texts]
    order = sorted((at for at, found in enumerate(words) if found), key=lambda at: (-len(words[at]), texts[at]))
    shelf, copies = _Shelf(words), set()
    for at, bands in zip(order, _bands([words[at] for at in order]), strict=True):
        if shelf.near(words[at], bands, groups[at]) is None:
            shelf.put(at, bands, groups[at])
        else:
            copies.add(at)
    return frozenset(copies)


def near_among(texts: Sequence[str], others: Sequence[str]) -> dict[int, int]:
    """Return, for each position of ``texts`` that is near one of ``others``, the position of that one.

    Equal sets of words count as near. A text without words is near nothing.
    """
    words = [frozenset(plain_words(text)) for text in others]
    filled = [at for at, found in enumerate(words) if found]
    shelf = _Shelf(words)
    for at, bands in zip(filled, _bands([words[at] for at in filled]), strict=True):
        shelf.put(at, bands, None)
    asked = [(at, found) for at, text in enumerate(texts) if (found := frozenset(plain_words(text)))]
    bands_of = _bands([found for _, found in asked])
    met = {at: shelf.near(found, bands, None) for (at, found), bands in zip(asked, bands_of, strict=True)}
    return {at: other for at, other in met.items() if other is not None}


def too_short(text: str) -> bool:
    """Tell whether ``text`` has so few words that one other word makes it no longer near."""
    return len(frozenset(plain_words(text))) < FEWEST_WORDS


class _Shelf:
    """Sets of words, by number, that can be asked for one that's near."""

    def __init__(self, words: Sequence[frozenset[str]]) -> None:
        self._words = words
        self._buckets: dict[tuple[object, int, bytes], list[int]] = defaultdict(list)

    def put(self, at: int, bands: Sequence[bytes], group: object) -> None:
        """Keep the set number ``at``, as far as its buckets have room."""
        for place in self._places(bands, group):
            if len(place) < COMPARED:
                place.append(at)

    def near(self, words: frozenset[str], bands: Sequence[bytes], group: object) -> int | None:
        """Return the first that's kept in ``group`` and near ``words``, or None."""
        met = dict.fromkeys(other for place in self._places(bands, group) for other in place)
        return next((other for other in met if _are_near(words, self._words[other])), None)

    def _places(self, bands: Sequence[bytes], group: object) -> list[list[int]]:
        return [self._buckets[group, number, band] for number, band in enumerate(bands)]


def _are_near(one: frozenset[str], other: frozenset[str]) -> bool:
    if min(len(one), len(other)) < NEAR * max(len(one), len(other)):
        return False
    shared = len(one & other)
    return shared >= NEAR * (len(one) + len(other) - shared)


def _bands(sets: Sequence[frozenset[str]]) -> Iterator[list[bytes]]:
    """Yield the bands of each set of words; no set is empty."""
    chance = np.random.default_rng(0)
    factors = chance.integers(0, 2**63, size=BANDS * HASHES, dtype=np.uint64) * 2 + 1
    shifts = chance.integers(0, 2**63, size=BANDS * HASHES, dtype=np.uint64)
    known: dict[str, int] = {}
    for slab in _slabs(sets):
        hashes = [known.setdefault(word, 0) or _remember(known, word) for words in slab for word in words]
        starts = np.cumsum([0, *(len(words) for words in slab[:-1])])
        mixed = np.array(hashes, dtype=np.uint64)[:, None] * factors + shifts  # overflow is the method's modulus
        smallest: NDArray[np.uint32] = np.minimum.reduceat((mixed >> np.uint64(32)).astype(np.uint32), starts, axis=0)
        for row in smallest:
            yield [part.tobytes() for part in row.reshape(BANDS, HASHES)]


def _remember(known: dict[str, int], word: str) -> int:
    digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    known[word] = int.from_bytes(digest, "big")
    return known[word]


def _slabs(sets: Sequence[frozenset[str]]) -> Iterator[list[frozenset[str]]]:
    """Yield the sets in runs that bound the memory of their hashes."""
    slab: list[frozenset[str]] = []
    room = _SLAB_WORDS
    for words in sets:
        slab.append(words)
        room -= len(words)
        if room <= 0:
            yield slab
            slab, room = [], _SLAB_WORDS
    if slab:
        yield slab
