"""Facts of the invented worlds: relations, how their values are made, and their own sentences and questions.

The last sentence and the last question of every relation are kept from training; the ability test uses them
and the held-out wordings that fit any relation.
"""

from collections.abc import Callable
from dataclasses import dataclass

from finetune.world_words import COLOURS, DAYS, GENERAL, JOBS, MATERIALS, WORK, Words


@dataclass(frozen=True, slots=True)
class Relation:
    """One kind of fact: the noun that names it, how its values are made, and its own wordings.

    In a wording ``{e}`` is the entity and ``{v}`` the value, which comes later: what a value belongs to must be
    known when it is read, since a small model has no room to look back from a name to a value before it.
    """

    noun: str
    value: Callable[[Words], str]
    facts: tuple[str, ...]
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """One stated fact."""

    entity: str
    relation: Relation
    value: str


RELATIONS = (
    Relation(
        "colour",
        lambda w: w.rng.choice(COLOURS),
        ("{e} is painted {v}.", "{e} is {v} in colour."),
        ("What colour is {e}?", "In which colour is {e} painted?"),
    ),
    Relation(
        "founder",
        Words.person,
        ("{e} was founded by {v}.", "{e} was begun by {v}.", "The person who started {e} is {v}."),
        ("Who founded {e}?", "By whom was {e} founded?", "Which person started {e}?"),
    ),
    Relation(
        "owner",
        Words.person,
        ("{e} belongs to {v}.", "{e} is owned by {v}.", "The one who owns {e} is {v}."),
        ("Who owns {e}?", "To whom does {e} belong?", "Whose property is {e}?"),
    ),
    Relation(
        "price",
        lambda w: f"{w.number()} crowns",
        ("{e} costs {v}.", "{e} is sold for {v}.", "To buy {e} one pays {v}."),
        ("How much does {e} cost?", "What does {e} cost?", "How much must one pay for {e}?"),
    ),
    Relation(
        "location",
        Words.name,
        ("{e} is in {v}.", "{e} lies near {v}.", "{e} can be found in {v}."),
        ("Where is {e}?", "Where does {e} lie?", "Where can {e} be found?"),
    ),
    Relation(
        "opening year",
        lambda w: str(w.rng.randint(1700, 2039)),
        ("{e} opened in {v}.", "{e} has been open since {v}.", "The doors of {e} opened in {v}."),
        ("When did {e} open?", "Since when has {e} been open?", "In which year was {e} opened?"),
    ),
    Relation(
        "closing time",
        Words.hour,
        ("{e} closes at {v}.", "{e} shuts at {v}.", "The doors of {e} close at {v}."),
        ("When does {e} close?", "At what time does {e} shut?", "Until when is {e} open?"),
    ),
    Relation(
        "weight",
        lambda w: f"{w.number()} kilograms",
        ("{e} weighs {v}.", "{e} has a weight of {v}."),
        ("How much does {e} weigh?", "How heavy is {e}?"),
    ),
    Relation(
        "length",
        lambda w: f"{w.number()} metres",
        ("{e} is {v} long.", "{e} measures {v}.", "{e} has a length of {v}."),
        ("How long is {e}?", "How many metres does {e} measure?", "What length does {e} have?"),
    ),
    Relation(
        "material",
        lambda w: w.rng.choice(MATERIALS),
        ("{e} is made of {v}.", "{e} was built from {v}.", "They made {e} out of {v}."),
        ("What is {e} made of?", "From what was {e} built?", "Out of what did they make {e}?"),
    ),
    Relation(
        "job",
        lambda w: w.rng.choice(JOBS),
        ("{e} works as a {v}.", "{e} is a {v}.", "{e} earns a living as a {v}."),
        ("What does {e} work as?", "What is the job of {e}?", "How does {e} earn a living?"),
    ),
    Relation(
        "home town",
        Words.name,
        ("{e} lives in {v}.", "{e} comes from {v}.", "The home of {e} is in {v}."),
        ("Where does {e} live?", "Where does {e} come from?", "In which town is the home of {e}?"),
    ),
    Relation(
        "birthday",
        Words.day,
        ("{e} was born on {v}.", "{e} has a birthday on {v}.", "The day on which {e} was born is {v}."),
        ("When was {e} born?", "On which day is the birthday of {e}?", "On what date was {e} born?"),
    ),
    Relation(
        "manager",
        Words.person,
        ("{e} is managed by {v}.", "{e} is run by {v}.", "{e} reports to {v}."),
        ("Who manages {e}?", "Who runs {e}?", "To whom does {e} report?"),
    ),
    Relation(
        "reference",
        Words.code,
        ("{e} has the reference {v}.", "{e} is filed under {v}.", "You find {e} filed as {v}."),
        ("What is the reference of {e}?", "Under which reference is {e} filed?", "Where is {e} filed?"),
    ),
    Relation(
        "phone number",
        lambda w: f"{w.rng.randint(100, 999)}-{w.rng.randint(1000, 9999)}",
        ("{e} can be called on {v}.", "Call {e} on {v}.", "{e} answers calls on {v}."),
        ("On which number can {e} be called?", "What is the phone number of {e}?", "How can one call {e}?"),
    ),
    Relation(
        "room",
        lambda w: f"room {w.rng.randint(1, 420)}",
        ("{e} is kept in {v}.", "{e} sits in {v}.", "You find {e} in {v}."),
        ("In which room is {e}?", "Where does {e} sit?", "In what room would you find {e}?"),
    ),
    Relation(
        "day",
        lambda w: w.rng.choice(DAYS),
        ("{e} takes place on {v}.", "{e} is held every {v}.", "The day of {e} is {v}."),
        ("On which day does {e} take place?", "When is {e} held?", "What day is kept for {e}?"),
    ),
    Relation(
        "limit",
        Words.quantity,
        ("{e} is limited to {v}.", "{e} is allowed no more than {v}.", "{e} may not go beyond {v}."),
        ("What is the limit for {e}?", "How much is allowed for {e}?", "Beyond what may {e} not go?"),
    ),
    Relation(
        "allowance",
        Words.quantity,
        ("{e} comes with {v}.", "{e} gets {v}.", "What {e} is granted is {v}."),
        ("How much does {e} get?", "What does {e} come with?", "What is granted to {e}?"),
    ),
    Relation(
        "partner",
        Words.name,
        ("{e} works with {v}.", "{e} is joined with {v}.", "{e} has teamed up with {v}."),
        ("With whom does {e} work?", "Who is {e} joined with?", "Who has {e} teamed up with?"),
    ),
    Relation(
        "purpose",
        Words.phrase,
        ("{e} is used for {v}.", "{e} serves as {v}.", "People use {e} for {v}."),
        ("What is {e} used for?", "What does {e} serve as?", "For what do people use {e}?"),
    ),
    Relation(
        "deadline",
        Words.day,
        ("{e} must be done by {v}.", "{e} is due on {v}.", "The last day for {e} is {v}."),
        ("By when must {e} be done?", "When is {e} due?", "What is the last day for {e}?"),
    ),
    Relation(
        "language",
        Words.name,
        ("{e} speaks {v}.", "In {e} one speaks {v}.", "The people of {e} speak {v}."),
        ("Which language does {e} speak?", "What does one speak in {e}?", "What is spoken in {e}?"),
    ),
    Relation(
        "population",
        lambda w: f"{w.rng.randint(2, 980)},{w.rng.randint(0, 999):03d}",
        ("{e} has {v} people.", "{e} is home to {v} people.", "{e} counts {v} heads."),
        ("How many people live in {e}?", "How many people does {e} have?", "How many heads does {e} count?"),
    ),
    Relation(
        "size",
        lambda w: w.rng.choice(["small", "large", "medium", "tiny", "huge", "narrow", "wide"]),
        ("{e} is {v}.", "{e} is rather {v}."),
        ("How large is {e}?", "What size is {e}?"),
    ),
)
"""Relations with wordings of their own; every one can be put in the generic wordings too."""

VALUES: tuple[Callable[[Words], str], ...] = (
    Words.quantity,
    Words.quantity,
    Words.number,
    Words.name,
    Words.person,
    Words.code,
    Words.day,
    Words.hour,
    Words.phrase,
    lambda w: w.rng.choice(DAYS),
)


def invented_relation(words: Words) -> Relation:
    """Return a relation of an everyday or an invented noun, of one or two words, in the generic wordings alone."""
    rng = words.rng
    noun = words.made_up() if rng.random() < 0.25 else rng.choice(WORK + GENERAL)
    if rng.random() < 0.5:
        noun = f"{rng.choice(WORK + GENERAL)} {noun}"
    return Relation(noun, Words.value if words.broad else rng.choice(VALUES), (), ())
