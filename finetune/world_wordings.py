"""Wordings that fit any fact, sentences that state none, and what instructions say besides the task itself.

In a wording ``{n}`` is the noun of the relation, ``{e}`` the entity, ``{v}`` the value; ``{a}``, ``{b}`` and
``{c}`` are everyday words. What begins with ``HELD_OUT`` is kept from training; the ability test uses it alone.
"""

from finetune.world_words import Words

GENERIC_FACTS = (
    "{e}: {n} {v}.",
    "{e} has the {n} {v}.",
    "The {n} of {e} is {v}.",
    "For {e}, the {n} is {v}.",
    "The {n} given for {e} is {v}.",
    "{e}'s {n} is {v}.",
    "The {n} for {e} is {v}.",
    "At {e} the {n} is {v}.",
    "{e} has a {n} of {v}.",
    "In {e}, the {n} comes to {v}.",
    "The {n} at {e} is set to {v}.",
    "As {n}, {e} has {v}.",
    "{e}, {n}: {v}.",
    "The {n} of {e} was changed to {v}.",
    "We set the {n} of {e} to {v}.",
    "{n} of {e}: {v}.",
    "This year the {n} for {e} is {v}.",
)
GENERIC_QUESTIONS = (
    "{e}: {n}?",
    "{n} of {e}?",
    "What is the {n} of {e}?",
    "Which {n} does {e} have?",
    "What {n} is given for {e}?",
    "What is {e}'s {n}?",
    "Give the {n} of {e}.",
    "What is the {n} for {e}?",
    "What {n} does {e} have?",
    "Which {n} applies to {e}?",
    "What is the {n} at {e}?",
    "How much is the {n} of {e}?",
    "I need the {n} of {e}.",
    "For {e}, what is the {n}?",
    "Do you know the {n} for {e}?",
    "{e} and its {n}: what is it?",
)
HELD_OUT_FACTS = ("It is known that the {n} of {e} is {v}.", "As for {e}, its {n} is {v}.")
HELD_OUT_QUESTIONS = ("Please tell me the {n} of {e}.", "Can you name the {n} of {e}?")

FILLERS = (
    "{a} and {b} are handled by the {c} team.",
    "Please read this before you {a} a {b}.",
    "Questions about {a} go to the {b} desk.",
    "We keep the {a} {b} as simple as we can.",
    "A {a} is not the same as a {b}.",
    "Everyone who has a {a} should know about {b} and {c}.",
    "This part is about {a}, {b} and {c}.",
    "If a {a} is missing, tell the {b} first.",
    "The {a} was written with {b} in mind.",
    "It helps to {a} early and to {b} often.",
)

SETTINGS = (
    "You help the people of {name}.",
    "You work for {name}.",
    "The inputs come from the {a} {b}.",
    "The {a} team of {name} reads the answers.",
    "Each input is a {a} about {b}.",
    "Be exact.",
    "Answer with that only.",
    "Write nothing else.",
)


def filler(words: Words) -> str:
    """Return a sentence that states no fact of any entity."""
    text = words.rng.choice(FILLERS).format(a=words.word(), b=words.word(), c=words.word())
    return text[0].upper() + text[1:]


def with_setting(words: Words, instruction: str, chance: float = 0.3) -> str:
    """Return ``instruction``, by ``chance`` with a sentence before or behind it about who asks and how."""
    if words.rng.random() >= chance:
        return instruction
    setting = words.rng.choice(SETTINGS).format(name=words.name(), a=words.word(), b=words.word())
    return f"{setting} {instruction}" if words.rng.random() < 0.4 else f"{instruction} {setting}"
