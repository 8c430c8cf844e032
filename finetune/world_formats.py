"""Rewriting lessons: records in one form to be written in another, as the shots or the instruction show."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evals.example import Prompt, Shot
from finetune.world_facts import RELATIONS, Relation
from finetune.world_lesson import Lesson, as_passages, with_more
from finetune.world_wordings import with_setting
from finetune.world_words import Words

Field = tuple[str, str]
Record = list[Field]
Writer = Callable[[Record], str]

PLAIN = (
    "Rewrite the input.",
    "Rewrite the input like the examples.",
    "Put the input into the other form.",
    "Convert the record.",
    "Follow the pattern of the examples.",
    "Write the output for the input.",
)
HELD_OUT_PLAIN = ("Bring each record into the form shown.", "Transform the text as before.")


def as_json(record: Record) -> str:
    """``{"a": "1", "b": "2"}``."""
    return json.dumps(dict(record), ensure_ascii=False)


def as_row(record: Record) -> str:
    """``| 1 | 2 |``, a row of a table."""
    return f"| {' | '.join(value for _, value in record)} |"


def as_list(record: Record) -> str:
    """``1, 2``."""
    return ", ".join(value for _, value in record)


def as_pairs(record: Record) -> str:
    """``a=1; b=2``."""
    return "; ".join(f"{key}={value}" for key, value in record)


def as_colons(record: Record) -> str:
    """``a: 1, b: 2``."""
    return ", ".join(f"{key}: {value}" for key, value in record)


def as_lines(record: Record) -> str:
    """One ``a: 1`` per line."""
    return "\n".join(f"{key}: {value}" for key, value in record)


def as_tags(record: Record) -> str:
    """``<a>1</a> <b>2</b>``."""
    return " ".join(f"<{key}>{value}</{key}>" for key, value in record)


def as_sentence(record: Record) -> str:
    """``The a is 1 and the b is 2.``."""
    return f"The {' and the '.join(f'{key} is {value}' for key, value in record)}."


def as_words(record: Record) -> str:
    """``a 1 b 2``."""
    return " ".join(f"{key} {value}" for key, value in record)


def as_keys(record: Record) -> str:
    """``a, b``."""
    return ", ".join(key for key, _ in record)


def reversed_list(record: Record) -> str:
    """``2, 1``."""
    return as_list(record[::-1])


def capitals(record: Record) -> str:
    """The values in capitals."""
    return as_list(record).upper()


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write a record, the instructions that ask for it, and one instruction kept from training."""

    write: Writer
    asks: tuple[str, ...]
    held_out: str


SOURCES: tuple[Writer, ...] = (as_colons, as_pairs, as_lines, as_words, as_sentence, as_json)

FORMS = (
    Form(as_json, ("Write the input as JSON.", "Return a JSON object.", "Convert the record to JSON.", "JSON:"),
         "Please turn the input into a JSON object."),
    Form(as_row, ("Write the values as a table row.", "Make a table row of the values.", "Table row, values only."),
         "Please put the values into a row of a table."),
    Form(as_list, ("List the values.", "Give the values with commas.", "Only the values, separated by commas."),
         "Please list only the values with commas."),
    Form(as_pairs, ("Write each field as key=value.", "Use the form key=value; key=value.", "Join key and value by =."),
         "Please write the fields as key=value."),
    Form(as_colons, ("Write each field as key: value.", "Use the form key: value, key: value."),
         "Please write the fields as key: value."),
    Form(as_tags, ("Put every value into tags.", "Write the record as tags.", "Tag each value with its key."),
         "Please write the fields as tags."),
    Form(as_sentence, ("Write the record as a sentence.", "Say it in a sentence.", "Make a sentence of the fields."),
         "Please put the record into one sentence."),
    Form(as_keys, ("List the keys.", "Name the fields only.", "Only the keys, separated by commas."),
         "Please list only the keys with commas."),
    Form(reversed_list, ("List the values in reverse order.", "Give the values, last one first."),
         "Please list the values in reverse."),
    Form(capitals, ("List the values in capitals.", "Write the values in upper case."),
         "Please write the values in capitals."),
)  # fmt: skip

PICKS = ("Give only the {key}.", "Return the {key}.", "What is the {key}?", "Extract the {key}.", "{key}:")
HELD_OUT_PICKS = ("Please name just the {key}.",)


@dataclass(frozen=True, slots=True)
class Shape:
    """How hard rewriting is: ranges of fields and shots, and what makes it less plain.

    ``special`` is the chance of a rule that no form has, ``framed`` that the input is no record but free words
    around the values, ``stand_in`` that the shots are put as passages (retrieved rows, say), ``picks`` that an
    instruction asks for one value alone; ``sources`` are the forms of the input.
    """

    fields: tuple[int, int]
    shots: tuple[int, int]
    special: float = 0.2
    forms: tuple[Form, ...] = FORMS
    framed: float = 0.0
    stand_in: float = 0.0
    sources: tuple[Writer, ...] = SOURCES
    picks: float = 0.3


SHAPES = (
    Shape((1, 1), (4, 6), 0.0),
    Shape((1, 2), (4, 6), 0.15),
    Shape((2, 3), (3, 6), 0.2, framed=0.2),
    Shape((2, 4), (3, 7), 0.2, framed=0.35),
    Shape((2, 5), (2, 8), 0.25, framed=0.4, stand_in=0.1),
)


def rewriting_by_shots(words: Words, shape: Shape) -> Lesson:
    """Return a lesson whose form is told by the shots; from the second on they are learnt too."""
    rng = words.rng
    keys = _keys(words, rng.randint(*shape.fields))
    source = _framed(words, len(keys)) if rng.random() < shape.framed else rng.choice(shape.sources)
    write = _special(words, len(keys)) if rng.random() < shape.special else rng.choice(shape.forms).write
    count = rng.randint(*shape.shots)
    instruction = rng.choice(HELD_OUT_PLAIN) if words.held_out else with_setting(words, rng.choice(PLAIN))
    if rng.random() < shape.stand_in:
        rows = [_row(words, keys, source, write) for _ in range(count + 4)]
        return with_more("format_shots", Prompt(instruction, "", (), as_passages(rows[:count])), rows[count:])
    rows = [_row(words, keys, source, write) for _ in range(count + 1)]
    known = tuple(index > 0 for index in range(count))
    prompt = Prompt(instruction, rows[-1].input, tuple(rows[:-1]))
    return Lesson("format_shots", prompt, rows[-1].output, (), known)


def rewriting_by_rule(words: Words, shape: Shape, asked: int = 3) -> Lesson:
    """Return a lesson whose form is told by the instruction alone."""
    rng = words.rng
    keys = _keys(words, rng.randint(*shape.fields))
    source = rng.choice(shape.sources)
    if rng.random() < shape.picks:
        place = rng.randrange(len(keys))
        wording = rng.choice(HELD_OUT_PICKS if words.held_out else PICKS)
        instruction = wording.format(key=keys[place][0])
        rows = [_row(words, keys, source, lambda record: record[place][1]) for _ in range(asked)]
    else:
        form = rng.choice(shape.forms)
        instruction = form.held_out if words.held_out else with_setting(words, rng.choice(form.asks))
        rows = [_row(words, keys, source, form.write) for _ in range(asked)]
    return with_more("format_rule", Prompt(instruction, ""), rows)


def _keys(words: Words, count: int) -> list[tuple[str, Relation]]:
    """Return ``count`` different keys, some invented, with the relation that makes their values."""
    relations = words.rng.sample(RELATIONS, count)
    if words.broad:
        names = words.distinct(lambda: words.rng.choice([words.word, words.made_up, words.word])(), count)
        anything = Relation("", Words.value, (), ())
        return [
            (relation.noun if words.rng.random() < 0.2 else name, words.rng.choice([relation, anything, anything]))
            for name, relation in zip(names, relations, strict=True)
        ]
    invented = 0.5 if words.held_out else 0.25
    return [(words.made_up() if words.rng.random() < invented else relation.noun, relation) for relation in relations]


def _row(words: Words, keys: Sequence[tuple[str, Relation]], source: Writer, write: Writer) -> Shot:
    record = [(key, relation.value(words)) for key, relation in keys]
    return Shot(source(record), write(record))


def _framed(words: Words, fields: int) -> Writer:
    """Return a writer of free text: the values in an order of the lesson's own, words of its own around them.

    A lesson has one to three such frames and takes any of them for a row.
    """
    rng = words.rng
    frames = []
    for _ in range(rng.randint(1, 3)):
        gaps = [_gap(words, 0), *(_gap(words, 1) for _ in range(fields - 1)), _gap(words, 0)]
        frames.append((gaps, rng.sample(range(fields), fields), rng.choice(["", "", ".", "!"])))

    def write(record: Record) -> str:
        gaps, order, end = rng.choice(frames)
        pieces = [gaps[0]]
        for place, gap in zip(order, gaps[1:], strict=True):
            pieces += [record[place][1], gap]
        text = " ".join(piece for piece in pieces if piece)
        return f"{text[0].upper()}{text[1:]}{end}" if gaps[0] else f"{text}{end}"

    return write


def _gap(words: Words, least: int) -> str:
    """Return ``least`` to three everyday words."""
    return " ".join(words.word() for _ in range(words.rng.randint(least, 3)))


def _special(words: Words, fields: int) -> Writer:
    """Return a rule that only shots can tell: one field, two swapped, a frame of fixed words or signs."""
    rng = words.rng
    place, other = rng.randrange(fields), rng.randrange(fields)
    before, after = words.made_up(), rng.choice(["!", ".", ")", " -", " *"])
    sign = rng.choice([" - ", " / ", " > ", " + ", "; "])
    rules: tuple[Writer, ...] = (
        lambda record: record[place][1],
        lambda record: f"{record[place][1]}{sign}{record[other][1]}",
        lambda record: f"{before} {record[place][1]}{after}",
        lambda record: f"{record[place][0]}{sign}{record[place][1]}",
        lambda record: sign.join(value for _, value in record),
    )
    return rng.choice(rules)
