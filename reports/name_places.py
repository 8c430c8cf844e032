"""Where the names of a scatter's marks stand: beside their marks, on no other name and on no mark.

A greedy search over places around each mark, the nearest first; the fullest corner of the picture is served first.
Where no free place is near, the name moves away and a thin line leads back to its mark.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_WIDTH = 0.58  # of a character, in text sizes
_MARK = 9.0  # half of the room that a mark takes, in pixels
_RINGS = (13.0, 20.0, 30.0, 42.0, 56.0, 72.0, 90.0, 110.0, 135.0, 160.0)  # distances tried, in pixels
_CROWD = 72.0  # pixels within which another mark counts as a neighbour
_TURNS = 16  # directions tried at each distance, the right one first


@dataclass(frozen=True)
class Mark:
    """A mark to be named, in pixels of the picture, counted from its lower left corner."""

    name: str
    x: float
    y: float


@dataclass(frozen=True)
class Place:
    """Where a name's left end stands, at half its height; ``led`` where a line has to lead back to the mark."""

    mark: Mark
    x: float
    y: float
    led: bool

    def end_towards_mark(self, width: float) -> tuple[float, float]:
        """Return the point of the name that is nearest to its mark."""
        return min(max(self.mark.x, self.x), self.x + width), self.y


Box = tuple[float, float, float, float]


def text_width(name: str, text: float) -> float:
    """Return about how many pixels ``name`` takes at the text size ``text``."""
    return len(name) * text * _WIDTH


def name_places(marks: Sequence[Mark], text: float, room: Box, drawn: Sequence[Box] = ()) -> list[Place]:
    """Return a place for every mark's name inside ``room`` (left, bottom, right, top), in the order of ``marks``.

    No name stands on what is ``drawn`` besides, where there is another place for it.
    """
    taken: list[Box] = [(mark.x - _MARK, mark.y - _MARK, mark.x + _MARK, mark.y + _MARK) for mark in marks]
    taken += drawn
    found: dict[int, Place] = {}
    crowd = {place: _neighbours(mark, marks) for place, mark in enumerate(marks)}
    for place in sorted(crowd, key=lambda one: (-crowd[one], one)):
        chosen, box = _best(marks[place], text, room, taken)
        taken.append(box)
        found[place] = chosen
    return [found[place] for place in range(len(marks))]


def _neighbours(mark: Mark, marks: Sequence[Mark]) -> int:
    return sum(math.hypot(other.x - mark.x, other.y - mark.y) < _CROWD for other in marks)


def _best(mark: Mark, text: float, room: Box, taken: Sequence[Box]) -> tuple[Place, Box]:
    """Return the first free place, or the one that covers least."""
    width, half = text_width(mark.name, text), 0.6 * text
    least, best = math.inf, None
    for ring in _RINGS:
        for turn in _order():
            angle = 2 * math.pi * turn / _TURNS
            reach_x, reach_y = math.cos(angle) * ring, math.sin(angle) * ring
            # beside the mark at right and left, centred above and below it, in between elsewhere
            left = mark.x + reach_x - width * (1 - math.cos(angle)) / 2
            box = (left, mark.y + reach_y - half, left + width, mark.y + reach_y + half)
            covered = sum(_overlap(box, other) for other in taken) + 4 * _outside(box, room)
            if covered < least - 1e-9:
                least, best = covered, (Place(mark, left, mark.y + reach_y, ring > _RINGS[1]), box)
            if least == 0:
                break
        if least == 0:
            break
    if best is None:  # a mark at no finite place; the caller draws none
        return Place(mark, mark.x, mark.y, False), (mark.x, mark.y, mark.x, mark.y)
    return best


def _order() -> list[int]:
    """Return the directions: right, left, then those near the right, then the others."""
    turns = list(range(_TURNS))
    return sorted(turns, key=lambda turn: (turn not in (0, _TURNS // 2), min(turn, _TURNS - turn), turn))


def _overlap(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return width * height if width > 0 and height > 0 else 0.0


def _outside(box: Box, room: Box) -> float:
    """Return how much of ``box`` lies beyond ``room``."""
    whole = (box[2] - box[0]) * (box[3] - box[1])
    return whole - _overlap(box, room)
