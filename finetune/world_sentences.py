"""Sentences that state a fact, and questions that ask for it."""

from finetune.world_broad_wordings import BROAD_FACTS, BROAD_OWN, BROAD_QUESTIONS, OPENINGS
from finetune.world_facts import Fact
from finetune.world_wordings import GENERIC_FACTS, GENERIC_QUESTIONS, HELD_OUT_FACTS, HELD_OUT_QUESTIONS
from finetune.world_words import Words

NONE: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())


def state(fact: Fact, words: Words, generic: float = 0.5, subject: str | None = None, simple: int | None = None) -> str:
    """Return a sentence that states ``fact``; ``subject`` stands in for the entity ("It").

    ``simple`` keeps to that many of the generic wordings.
    """
    more, _ = BROAD_OWN.get(fact.relation.noun, NONE) if words.broad else NONE
    any_fact = (*GENERIC_FACTS, *BROAD_FACTS) if words.broad else GENERIC_FACTS[:simple]
    wording = _wording(words, generic, fact.relation.facts, more, any_fact, HELD_OUT_FACTS)
    if words.broad and not words.held_out and words.rng.random() < 0.1:
        wording = words.rng.choice(OPENINGS) + (wording[0].lower() + wording[1:])
    return _fill(wording, fact, subject)


def ask(fact: Fact, words: Words, generic: float = 0.5, simple: int | None = None) -> str:
    """Return a question whose answer is the value of ``fact``; ``simple`` as in ``state``."""
    _, more = BROAD_OWN.get(fact.relation.noun, NONE) if words.broad else NONE
    any_question = (*GENERIC_QUESTIONS, *BROAD_QUESTIONS) if words.broad else GENERIC_QUESTIONS[:simple]
    wording = _wording(words, generic, fact.relation.questions, more, any_question, HELD_OUT_QUESTIONS)
    return _fill(wording, fact, None)


def _wording(
    words: Words,
    generic: float,
    own: tuple[str, ...],
    more: tuple[str, ...],
    any_relation: tuple[str, ...],
    held_out: tuple[str, ...],
) -> str:
    """Return a wording of the relation's own, or by the chance ``generic`` one that fits any relation."""
    if words.held_out:
        pool = held_out if words.rng.random() < generic or len(own) < 3 else own[-1:]
    else:
        pool = any_relation if not own or words.rng.random() < generic else own[: max(2, len(own) - 1)] + more
    return words.rng.choice(pool)


def _fill(wording: str, fact: Fact, subject: str | None) -> str:
    if subject is not None:
        wording = wording.replace("{e}'s", "its")
    text = wording.format(n=fact.relation.noun, e=subject or fact.entity, v=fact.value)
    return text[0].upper() + text[1:]
