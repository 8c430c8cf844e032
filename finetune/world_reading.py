"""Reading lessons: passages of invented facts, questions whose answers stand in them, and some that don't."""

from dataclasses import dataclass, replace

from evals.example import Passage, Prompt, Shot
from finetune.world_broad_wordings import BROAD_READING, BROAD_UNKNOWN
from finetune.world_facts import RELATIONS, Fact, Relation, invented_relation
from finetune.world_lesson import Lesson, with_more
from finetune.world_sentences import ask, state
from finetune.world_wordings import filler, with_setting
from finetune.world_words import Words

UNKNOWN = "unknown"

PLAIN = (
    "Answer the question.",
    "Answer the question from the passage.",
    "Read the passages and answer.",
    "Answer with the words of the passage.",
    "Use the passages to answer the question. Be brief.",
    "Find the answer in the text.",
)
WITH_UNKNOWN = (
    "Answer the question from the passage. If it isn't there, answer unknown.",
    "Answer the question, or say unknown when the passages don't tell.",
    "Use only the passages; if they don't say, write unknown.",
    "Find the answer in the text. Answer unknown if it can't be found.",
)
HELD_OUT_PLAIN = ("Look into the passages and give a short answer.", "What do the passages say? Answer briefly.")
HELD_OUT_UNKNOWN = ("Give a short answer from the passages; where they are silent, answer unknown.",)

SAME_QUESTION = ({"location", "home town", "room"}, {"limit", "allowance"}, {"day", "birthday", "deadline"})
"""Relations that one question may ask for; an entity has one of each set at most."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How hard a reading lesson is.

    ``entities`` and ``facts`` (per entity) are ranges, both ends included; ``spread`` puts each entity into a
    passage of its own; ``alike`` is the chance that an entity's name resembles another's; ``unknown`` the
    chance that a lesson has questions without an answer (with ``answered`` off, no others); ``warned`` the
    chance that the instruction speaks of unknown answers all the same; ``generic`` the share of noun wordings;
    ``asked`` how many questions at most; ``shared`` gives all entities the same relations;
    ``shots`` is the chance of worked examples, of other worlds, before the passages; ``filler`` the chance of a
    sentence without a fact behind each fact; ``invented`` the share of relations whose noun is drawn for the lesson;
    ``simple`` keeps to that many of the generic wordings.
    """

    entities: tuple[int, int]
    facts: tuple[int, int]
    spread: bool = False
    alike: float = 0.0
    unknown: float = 0.0
    warned: float = 0.0
    answered: bool = True
    generic: float = 1.0
    asked: int = 8
    shared: bool = False
    shots: float = 0.0
    filler: float = 0.0
    invented: float = 0.5
    simple: int | None = None


SHAPES = (
    Shape((1, 1), (1, 1), simple=3),
    Shape((4, 8), (1, 1), asked=16, shared=True, simple=3),
    Shape((6, 8), (1, 1), asked=16, shared=True),
    Shape((1, 1), (4, 6)),
    Shape((3, 4), (2, 3), asked=12, shared=True),
    Shape((2, 4), (2, 4), generic=0.6, alike=0.1, unknown=0.3, warned=0.3, asked=12),
    Shape((2, 3), (3, 4), generic=0.6, alike=0.3, unknown=0.4, warned=0.4, asked=12, filler=0.1, shots=0.1),
    Shape((3, 5), (2, 4), True, generic=0.6, alike=0.4, unknown=0.4, warned=0.4, asked=14, filler=0.15, shots=0.1),
    Shape((4, 5), (3, 6), True, generic=0.6, alike=0.6, unknown=0.4, warned=0.4, asked=16, filler=0.15, shots=0.1),
)
"""The steps of the course: copy, choose the entity, choose the attribute, both, then wordings, unknowns, passages.

Choosing the entity is learnt from many entities with one fact each: between two or three, a model lives with
guessing (measured: at chance for 2.5 million tokens, where eight entities took half a million).
"""

BROAD_SHAPES = (
    replace(SHAPES[5], generic=0.5, unknown=0.4, warned=0.5),
    replace(SHAPES[6], generic=0.5, warned=0.5),
    replace(SHAPES[7], generic=0.5),
    replace(SHAPES[8], generic=0.5),
)
"""The levels of the course's last part, drawn side by side."""


def reading(words: Words, shape: Shape) -> Lesson:
    """Return one reading lesson of ``shape``."""
    rng = words.rng
    count = rng.randint(*shape.entities)
    names = _names(words, count, shape.alike)
    facts = _facts(words, names, shape)
    silent = rng.random() < shape.unknown
    passages = _passages(words, names, facts, shape)
    questions = [fact for fact in facts if fact.value]
    rng.shuffle(questions)
    pairs = [Shot(ask(fact, words, shape.generic, shape.simple), fact.value) for fact in questions[: shape.asked]]
    if silent:
        missing = [_absent(words, names, facts) for _ in range(max(1, len(pairs) // 2))]
        pairs = pairs if shape.answered else []
        pairs += [Shot(ask(fact, words, shape.generic, shape.simple), UNKNOWN) for fact in missing]
        rng.shuffle(pairs)
        pairs = pairs[: shape.asked]
    mentions = silent or rng.random() < shape.warned
    shots = _shots(words, shape) if rng.random() < shape.shots else ()
    prompt = Prompt(_instruction(words, mentions), "", shots, passages)
    return with_more("reading", prompt, pairs)


def _shots(words: Words, shape: Shape) -> tuple[Shot, ...]:
    """Return one to three questions with answers about entities that no passage names."""
    facts = _facts(words, _names(words, words.rng.randint(1, 3), 0.0), replace(shape, facts=(1, 1), shared=False))
    return tuple(Shot(ask(fact, words, shape.generic, shape.simple), fact.value) for fact in facts)


def _instruction(words: Words, mentions_unknown: bool) -> str:
    if words.held_out:
        return words.rng.choice(HELD_OUT_UNKNOWN if mentions_unknown else HELD_OUT_PLAIN)
    pool: tuple[str, ...] = WITH_UNKNOWN if mentions_unknown else PLAIN
    if words.broad:
        pool += BROAD_UNKNOWN if mentions_unknown else BROAD_READING
    return with_setting(words, words.rng.choice(pool))


def _names(words: Words, count: int, alike: float) -> list[str]:
    """Return ``count`` different entity names, some of them like an earlier one."""
    rng = words.rng
    found: list[str] = []
    while len(found) < count:
        name = words.similar(rng.choice(found)) if found and rng.random() < alike else words.entity()
        if name not in found:
            found.append(name)
    return found


def _facts(words: Words, names: list[str], shape: Shape) -> list[Fact]:
    """Return the facts of every entity; with ``shared`` all entities have the same relations."""
    rng = words.rng
    common = _relations(words, rng.randint(*shape.facts), shape.invented) if shape.shared else None
    facts: list[Fact] = []
    for name in names:
        for relation in common or _relations(words, rng.randint(*shape.facts), shape.invented):
            facts.append(Fact(name, relation, relation.value(words)))
    return facts


def _relations(words: Words, count: int, invented: float) -> list[Relation]:
    """Return ``count`` different relations, no two of which one question could mean."""
    chosen: list[Relation] = []
    known = iter(words.rng.sample(RELATIONS, len(RELATIONS)))
    while len(chosen) < count:
        relation = invented_relation(words) if words.rng.random() < invented else next(known)
        clash = any(relation.noun in group and other.noun in group for group in SAME_QUESTION for other in chosen)
        if not clash and relation.noun not in {other.noun for other in chosen}:
            chosen.append(relation)
    return chosen


def _passages(words: Words, names: list[str], facts: list[Fact], shape: Shape) -> tuple[Passage, ...]:
    """Return the passages that state ``facts``: one for all, or one per entity, in random order."""
    rng = words.rng
    groups = [[fact for fact in facts if fact.entity == name] for name in names] if shape.spread else [facts]
    rng.shuffle(groups)
    made: list[Passage] = []
    for number, group in enumerate(groups):
        order = rng.sample(group, len(group))
        single = len({fact.entity for fact in order}) == 1 and len(order) > 1
        short = single and shape.generic < 1 and rng.random() < 0.4
        sentences: list[str] = []
        for index, fact in enumerate(order):
            sentences.append(state(fact, words, shape.generic, "it" if short and index else None, shape.simple))
            if rng.random() < shape.filler:
                sentences.append(filler(words))
        title = _title(words, order[0].entity) if single or shape.filler else ""
        made.append(Passage(f"p{number}", f"d{number}", title, " ".join(sentences)))
    return tuple(made)


def _title(words: Words, entity: str) -> str:
    """Return a passage's title: mostly none, else its entity, everyday words, or both."""
    topic = f"{words.word()} and {words.word()}"
    return words.rng.choice(["", "", "", entity, topic, f"{entity}: {topic}"])


def _absent(words: Words, names: list[str], facts: list[Fact]) -> Fact:
    """Return a fact that no passage states: a stranger's, or another relation of someone who is there.

    Half the time its relation is one that the passages tell of somebody else.
    """
    rng = words.rng
    name = rng.choice(names)
    if rng.random() < 0.5:
        stranger = words.similar(name) if rng.random() < 0.5 else words.entity()
        if stranger not in names:
            return Fact(stranger, rng.choice(facts).relation if rng.random() < 0.7 else _any(words), UNKNOWN)
    told = {fact.relation.noun for fact in facts if fact.entity == name}
    barred = told.union(*(group for group in SAME_QUESTION if group & told))
    others = [fact.relation for fact in facts if fact.relation.noun not in barred]
    if others and rng.random() < 0.5:
        return Fact(name, rng.choice(others), UNKNOWN)
    while (relation := _any(words)).noun in barred:
        pass
    return Fact(name, relation, UNKNOWN)


def _any(words: Words) -> Relation:
    return invented_relation(words) if words.rng.random() < 0.5 else words.rng.choice(RELATIONS)
