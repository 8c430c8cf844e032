"""Sorting lessons: texts with invented labels, told apart by what the shots or the instruction show."""

from collections.abc import Callable
from dataclasses import dataclass

from evals.example import Prompt, Shot
from finetune.world_broad_wordings import BROAD_RULES, BROAD_SORTING
from finetune.world_lesson import Lesson, as_passages, with_more
from finetune.world_wordings import with_setting
from finetune.world_words import TOPICS, Words

PLAIN = (
    "Classify the input.",
    "Give the label of the input.",
    "Choose the right label.",
    "Sort the text into one of the classes.",
    "Which label fits? Follow the examples.",
    "Answer with the label.",
)
HELD_OUT_PLAIN = ("Decide which class each text belongs to.", "Name the category of the text.")
WORD_RULES = (
    "Answer {label} if the text has the word {sign}.",
    "{label} means that the text contains {sign}.",
    "If {sign} occurs, answer {label}.",
    "{sign}: {label}.",
    "Use {label} for texts with {sign}.",
)
TOPIC_RULES = (
    "Answer {label} if the text names a {sign}.",
    "{label} means that there's a {sign} in it.",
    "If it is about a {sign}, answer {label}.",
    "Use {label} for a {sign}.",
)
HELD_OUT_WORD_RULES = ("A text in which {sign} appears gets {label}.",)
HELD_OUT_TOPIC_RULES = ("A text that mentions a {sign} gets {label}.",)
RULES: dict[tuple[bool, bool], tuple[str, ...]] = {
    (False, False): WORD_RULES,
    (False, True): HELD_OUT_WORD_RULES,
    (True, False): TOPIC_RULES,
    (True, True): HELD_OUT_TOPIC_RULES,
}
"""Wordings by whether labels stand for topics and whether they are kept from training."""

SENTENCES = (
    "The {a} {b} is {c}.",
    "Please {a} the {b} before {c}.",
    "{a} {b} {c}",
    "Is the {a} in the {b} {c}?",
    "We saw a {a} with {b} and {c}.",
    "I want {a} {b}, not {c}!",
    "{a}: {b} / {c}",
)


@dataclass(frozen=True, slots=True)
class Shape:
    """How hard a sorting lesson is: ranges of labels, shots, signs per label and filler words per text.

    ``topics`` is the chance that a label stands for a topic whose words are its signs, ``sentences`` that a text is
    a sentence, ``stand_in`` that the shots are put as passages (retrieved rows, say).
    """

    labels: tuple[int, int]
    shots: tuple[int, int]
    signs: tuple[int, int]
    filler: tuple[int, int]
    topics: float = 0.0
    sentences: float = 0.0
    stand_in: float = 0.0


SHAPES = (
    Shape((6, 8), (24, 28), (1, 1), (0, 0)),
    Shape((5, 8), (24, 28), (1, 1), (0, 1)),
    Shape((4, 6), (20, 26), (1, 1), (0, 3)),
    Shape((3, 5), (16, 22), (1, 2), (1, 5), topics=0.2, sentences=0.3),
    Shape((2, 8), (12, 28), (1, 3), (1, 8), topics=0.3, sentences=0.5, stand_in=0.1),
)
"""The steps of the course: many labels with short texts first (see ``world_reading.SHAPES``)."""

BROAD_SHAPES = (
    Shape((4, 8), (20, 28), (1, 1), (0, 2)),
    Shape((3, 6), (16, 28), (1, 1), (0, 4), sentences=0.2),
    Shape((3, 6), (14, 24), (1, 2), (1, 5), sentences=0.3, stand_in=0.1),
    Shape((2, 8), (12, 28), (1, 3), (1, 6), sentences=0.4, stand_in=0.1),
)
"""The levels of the course's last part, drawn side by side. Topics are left out: they stayed at chance."""


@dataclass(frozen=True, slots=True)
class Sorting:
    """The hidden rule of one lesson: for each label, what makes its signs, and the words for filling."""

    labels: list[str]
    signs: dict[str, tuple[str, ...]]
    names: dict[str, str]
    by_topic: bool


def sorting_by_shots(words: Words, shape: Shape) -> Lesson:
    """Return a lesson whose labels can be told from earlier shots; every later shot is learnt too."""
    rng = words.rng
    rule = _rule(words, shape)
    texts = _texts(words, rule, shape, rng.randint(*shape.shots))
    seen: set[str] = set()
    known: list[bool] = []
    for _, label, sign in texts:
        mark = label if rule.by_topic else sign
        known.append(mark in seen)
        seen.add(mark)
    last = _last(words, rule, shape, seen)
    shots = tuple(Shot(text, label) for text, label, _ in texts)
    if rng.random() < shape.stand_in:
        asked = [last, *(_last(words, rule, shape, seen) for _ in range(5))]
        prompt = Prompt(_instruction(words, rule, 0.5), "", (), as_passages(shots))
        return with_more("labels_shots", prompt, [Shot(text, label) for text, label in asked])
    return Lesson("labels_shots", Prompt(_instruction(words, rule, 0.5), last[0], shots), last[1], (), tuple(known))


def sorting_by_rule(words: Words, shape: Shape, asked: int = 12) -> Lesson:
    """Return a lesson whose instruction tells the rule; there are no shots."""
    rng = words.rng
    rule = _rule(words, shape)
    if words.broad and not rule.by_topic and not words.held_out:
        wording = rng.choice(BROAD_RULES)
    else:
        wording = rng.choice(RULES[rule.by_topic, words.held_out])
    order = rng.sample(rule.labels, len(rule.labels))
    told = [
        wording.format(label=label, sign=rule.names.get(label) or " or ".join(rule.signs[label])) for label in order
    ]
    instruction = f"{_instruction(words, rule, 0.3)} {' '.join(told)}" if rng.random() < 0.7 else " ".join(told)
    texts = _texts(words, rule, shape, 20 if words.broad else min(asked, 3 * len(rule.labels)))
    return with_more("labels_rule", Prompt(instruction, ""), [Shot(text, label) for text, label, _ in texts])


def _instruction(words: Words, rule: Sorting, listed: float) -> str:
    """Return the wording, half the time with the line of labels that label tasks get."""
    plain = (*PLAIN, *BROAD_SORTING) if words.broad else PLAIN
    text = words.rng.choice(HELD_OUT_PLAIN) if words.held_out else with_setting(words, words.rng.choice(plain))
    if words.rng.random() < listed:
        return f"{text}\nLabels: {', '.join(sorted(rule.labels))}"
    return text


def _rule(words: Words, shape: Shape) -> Sorting:
    rng = words.rng
    labels = words.distinct(words.label, rng.randint(*shape.labels))
    if rng.random() < shape.topics:
        topics = rng.sample(sorted(TOPICS), len(labels))
        signs = {label: TOPICS[topic] for label, topic in zip(labels, topics, strict=True)}
        return Sorting(labels, signs, dict(zip(labels, topics, strict=True)), True)
    make: Callable[[], str] = words.made_up if words.held_out or rng.random() < 0.7 else words.word
    counts = [rng.randint(*shape.signs) for _ in labels]
    pool = words.distinct(make, sum(counts))
    return Sorting(
        labels, {label: tuple(pool.pop() for _ in range(n)) for label, n in zip(labels, counts, strict=True)}, {}, False
    )


def _texts(words: Words, rule: Sorting, shape: Shape, count: int) -> list[tuple[str, str, str]]:
    """Return ``count`` rows of text, label and the sign in it; labels come up about equally often."""
    rng = words.rng
    rows = []
    for index in range(count):
        label = rule.labels[index % len(rule.labels)]
        sign = rng.choice(rule.signs[label])
        rows.append((_text(words, rule, shape, sign), label, sign))
    rng.shuffle(rows)
    return rows


def _last(words: Words, rule: Sorting, shape: Shape, seen: set[str]) -> tuple[str, str]:
    """Return a text and its label whose sign has been shown."""
    rng = words.rng
    label = rng.choice([label for label in rule.labels if label in seen or seen.intersection(rule.signs[label])])
    signs = rule.signs[label] if rule.by_topic else sorted(seen.intersection(rule.signs[label]))
    return _text(words, rule, shape, rng.choice(signs)), label


def _text(words: Words, rule: Sorting, shape: Shape, sign: str) -> str:
    """Return a text that holds ``sign`` and no sign of another label."""
    rng = words.rng
    taken = {other for signs in rule.signs.values() for other in signs}
    sentence = rng.random() < shape.sentences
    count = 2 if sentence else rng.randint(*shape.filler)
    filler: list[str] = []
    while len(filler) < count:
        word = words.made_up() if rng.random() < 0.3 else words.word()
        if word not in taken:
            filler.append(word)
    filler.insert(rng.randint(0, len(filler)), sign)
    if sentence:
        text = rng.choice(SENTENCES).format(a=filler[0], b=filler[1], c=filler[2])
        return text[0].upper() + text[1:] if rng.random() < 0.5 else text
    return " ".join(filler)
