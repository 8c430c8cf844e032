"""Names in a scatter: none on another, none out of the picture, however close the marks are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.name_places import Mark, name_places, text_width

TEXT = 12.0
ROOM = (40.0, 40.0, 500.0, 280.0)
spots = st.tuples(st.floats(50, 480), st.floats(50, 270))


def box(place):
    return place.x, place.y - 0.5 * TEXT, place.x + text_width(place.mark.name, TEXT), place.y + 0.5 * TEXT


def overlap(one, other):
    return min(one[2], other[2]) > max(one[0], other[0]) and min(one[3], other[3]) > max(one[1], other[1])


def places(points):
    return name_places([Mark(f"few_shot_{turn}", x, y) for turn, (x, y) in enumerate(points)], TEXT, ROOM)


@pytest.mark.parametrize("points", [[(60, 60)] * 8, [(480, 60 + turn) for turn in range(8)], [(50, 270), (480, 50)]])
def test_eight_arms_on_one_spot_have_eight_names_that_can_be_read(points):
    found = places(points)
    boxes = [box(place) for place in found]
    assert [place.mark.name for place in found] == [f"few_shot_{turn}" for turn in range(len(points))]
    assert not any(overlap(one, other) for turn, one in enumerate(boxes) for other in boxes[:turn])
    for left, bottom, right, top in boxes:
        assert ROOM[0] <= left
        assert ROOM[1] <= bottom
        assert right <= ROOM[2]
        assert top <= ROOM[3]


@given(st.lists(spots, min_size=1, max_size=8))
def test_the_same_marks_have_the_same_places_and_far_names_are_led_to(points):
    found = places(points)
    assert found == places(points)
    for place in found:
        x, y = place.end_towards_mark(text_width(place.mark.name, TEXT))
        assert place.led or (abs(x - place.mark.x) < 40 and abs(y - place.mark.y) < 40)


def test_a_mark_alone_has_its_name_at_its_right():
    place = places([(100, 100)])[0]
    assert place.x > 100
    assert place.y == 100
    assert not place.led


def test_no_name_stands_on_a_line_that_is_drawn():
    mark, line = Mark("logistic", 100, 100), (100, 99, 300, 101)
    free, beside = name_places([mark], TEXT, ROOM), name_places([mark], TEXT, ROOM, [line])
    assert overlap(box(free[0]), line)
    assert not overlap(box(beside[0]), line)
