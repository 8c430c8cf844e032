"""The ability test: fair to a perfect model, hard on one that says the same to everything."""

from dataclasses import dataclass, field

import pytest

from baselines.render import render_plain
from evals.errors import UsageError
from evals.protocols import Generation
from finetune.abilities import TESTS, Ability, as_markdown, lesson_for, measure_abilities
from finetune.world_lesson import text_of
from finetune.world_reading import UNKNOWN

ROWS = 12


@dataclass
class Oracle:
    """Knows the answers of the ability test by heart; ``fails`` are prompts that give an error instead."""

    seed: int = 0
    fails: int = 0
    name: str = "oracle"
    asked: list = field(default_factory=list)

    def generate(self, prompts, limits):
        known = {}
        for test in TESTS:
            for index in range(ROWS):
                lesson = lesson_for(test, f"{self.seed}/{index}")
                known[render_plain(lesson.prompt)] = lesson.answer
        texts = [render_plain(prompt) for prompt in prompts]
        self.asked += texts
        return [
            Generation(
                text, "" if index < self.fails else known[text], 1, 1, 0.0, "too long" if index < self.fails else None
            )
            for index, text in enumerate(texts)
        ]


class Parrot:
    """Says one thing to everything."""

    def __init__(self, says):
        self.says = says

    def generate(self, prompts, limits):
        return [Generation("", self.says, 1, 1, 0.0) for _ in prompts]


def scores(model, **options):
    return {ability.name: ability.score for ability in measure_abilities(model, rows=ROWS, **options)}


def test_a_model_that_knows_everything_has_every_ability():
    assert set(scores(Oracle(seed=3), seed=3).values()) == {1.0}


def test_a_model_that_always_says_unknown_has_one_ability_only():
    found = scores(Parrot(UNKNOWN))
    assert found.pop("say unknown when the passage doesn't tell") == 1.0
    assert found.pop("not say unknown when it does") == 0.0
    assert max(found.values()) <= 0.5


def test_a_model_that_never_says_unknown_has_not_the_other():
    found = scores(Parrot("nonsense"))
    assert found.pop("not say unknown when it does") == 1.0
    assert set(found.values()) == {0.0}


def test_errors_are_counted_not_scored():
    ability = measure_abilities(Oracle(fails=2), rows=ROWS)[0]
    assert (ability.errors, ability.score) == (2, 1.0)
    assert f"| {ROWS - 2} |" in as_markdown([ability])


def test_equal_seeds_ask_equal_questions():
    first, second, other = Oracle(), Oracle(), Oracle(seed=1)
    measure_abilities(first, rows=ROWS)
    measure_abilities(second, rows=ROWS)
    measure_abilities(other, rows=ROWS, seed=1)
    assert first.asked == second.asked
    assert not set(first.asked) & set(other.asked)


def test_questions_are_of_the_announced_kind():
    by_name = {test.name: lesson_for(test, "0/0") for test in TESTS}
    assert len(by_name["read 5 passages about similar names"].prompt.passages) == 5
    one = by_name["read one passage of 6 facts"].prompt
    assert (len(one.passages), len(one.shots)) == (1, 0)
    assert len(by_name["sort by 16 shots into 4 invented labels"].prompt.shots) == 16
    assert len({shot.output for shot in by_name["sort by 16 shots into 4 invented labels"].prompt.shots}) == 4
    assert len(by_name["rewrite records by 4 shots"].prompt.shots) == 4
    assert all(not by_name[name].prompt.shots for name in by_name if "instruction" in name)
    assert by_name["say unknown when the passage doesn't tell"].answer == UNKNOWN
    assert UNKNOWN in by_name["not say unknown when it does"].prompt.instruction
    assert by_name["not say unknown when it does"].answer != UNKNOWN
    assert all(text_of(lesson).isascii() for lesson in by_name.values())


def test_the_goal_decides_whether_an_ability_is_reached():
    assert Ability("read", 0.9, 0.9, 10).reached
    assert not Ability("read", 0.89, 0.9, 10).reached


def test_no_rows_are_refused():
    with pytest.raises(UsageError, match="at least 1"):
        measure_abilities(Oracle(), rows=0)


def test_some_goals_are_upper_bounds():
    assert Ability("know it already", 0.4, 0.5, 10, at_most=True).reached
    assert not Ability("know it already", 0.6, 0.5, 10, at_most=True).reached
    assert "≤ 50%" in as_markdown([Ability("know it already", 0.6, 0.5, 10, at_most=True)])
