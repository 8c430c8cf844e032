"""Words of the invented worlds: names, labels, values, everyday vocabulary; one seed, one sequence.

An invented word belongs to training or to the ability test by a hash of its spelling, so the two never
share one, whatever the seeds.
"""

import hashlib
import random
from collections.abc import Callable, Sequence

HELD_OUT_SHARE = 8
"""Every eighth invented word, by its hash, is kept from training."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ONSETS = _words("b c d f g h j k l m n p r s t v w z")
CLUSTERS = _words("bl br ch cl cr dr fl fr gl gr kr ll pl pr qu sh sl sm sn st str th tr wh y")
VOWELS = _words("a e i o u")
DIPHTHONGS = _words("ai au ea ee ei ia ie oa oo ou ay")
CODAS = _words("b d g k l ll m n nd ng nt p r rd rk rn s sk ss st t th x")

COLOURS = _words("red blue green yellow black white grey brown purple orange pink teal amber ivory crimson olive")
ANIMALS = _words("dog cat horse cow goat sheep fox wolf bear otter rabbit eagle owl trout salmon beetle spider whale")
FOODS = _words("bread cheese soup rice apple pear onion carrot cake honey butter pasta bean plum salad stew")
TOOLS = _words("hammer saw drill chisel wrench pliers ladder shovel rake axe screwdriver clamp spade lathe")
VEHICLES = _words("car bus train truck ferry bicycle tram plane boat scooter van tractor wagon ship")
CLOTHES = _words("shirt coat hat scarf glove sock boot jacket dress belt skirt sweater apron shoe")
WEATHER = _words("rain snow fog wind storm hail frost sunshine thunder drizzle cloud breeze")
BODY = _words("arm leg knee hand foot back head ear eye tooth shoulder elbow finger neck")
FURNITURE = _words("table chair desk lamp shelf sofa bed mirror carpet cupboard stool bench")
MATERIALS = _words("wood steel glass copper clay paper cotton leather stone silver wool marble bronze plastic")
MONTHS = _words("January February March April May June July August September October November December")
DAYS = _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
UNITS = _words("metres kilograms litres miles hours days weeks crowns dollars pages seats rooms percent")
JOBS = _words("baker nurse farmer teacher pilot engineer painter lawyer driver tailor doctor miner potter clerk")
GENERAL = _words(
    "old new small large quick slow quiet loud early late open closed first last long short warm cold full empty "
    "north south east west house garden river road bridge market school station office window door letter book "
    "morning evening summer winter water fire light music game story word number place person child friend "
    "bring take send keep hold make find leave call ask buy sell move turn build repair clean paint order return "
    "account card payment refund delivery service support request question answer problem change report update "
    "cancel booking ticket travel flight hotel restaurant menu list table score film song album artist playlist "
    "country city town street village company team member staff customer price cost amount rate value type name "
    "date time year month week day hour minute when where what which who why how many much before after between "
    "about into over under with without from near again always never often today tomorrow yesterday"
)
WORK = _words(
    "leave holiday salary bonus contract notice manager employee colleague department project meeting budget invoice "
    "expense receipt claim insurance pension training course exam certificate policy rule form signature approval "
    "deadline schedule shift overtime break lunch parking badge key laptop phone printer network password software "
    "hardware server error crash warning login screen button file folder backup upgrade version licence device cable "
    "battery charger warranty replacement spare part stock supplier warehouse parcel shipment address label tracking "
    "damaged missing broken faulty delayed wrong duplicate expired blocked locked lost stolen free available required "
    "bank transfer cash balance interest loan debit credit currency exchange fee charge statement limit tax discount "
    "patient hospital medicine treatment symptom disease blood heart pain risk study result group trial evidence "
    "president minister war battle empire king queen church university island ocean mountain desert forest planet "
    "energy force power speed pressure heat metal oxygen cell plant insect bird fish theory method system process"
)
PLACES = _words("office team shop plant school clinic club store branch desk lab hall group shift plan site depot unit")
COMMON = _words(
    "the of and to in a is that for it as was with be by on not he his but at are this have from or had an they one "
    "you were her all she there would their we him been has when who will more no if out so said up its than them can "
    "only other new some could these two may then do first any my now such like our over man me even most made after "
    "also did many must through back years where much your way well down should because each just those people how too "
    "little state good very make world still own see men work long get here between both life being under never day "
    "same another know while last might us great old year off come since against go came right used take three please "
    "thanks hello want need help try does did done can't don't isn't I'm it's I've cannot able tell show give got let"
)
TOPICS: dict[str, tuple[str, ...]] = {
    "colour": COLOURS,
    "animal": ANIMALS,
    "food": FOODS,
    "tool": TOOLS,
    "vehicle": VEHICLES,
    "clothing": CLOTHES,
    "weather": WEATHER,
    "body part": BODY,
    "furniture": FURNITURE,
    "material": MATERIALS,
    "job": JOBS,
    "month": MONTHS,
}
LABELS = _words(
    "positive negative neutral urgent routine billing technical sales spam ham yes no true false high low medium "
    "person place thing number date event complaint praise request refund delivery account other news sport "
    "science culture politics alpha beta gamma delta first second third"
)


def is_held_out(word: str) -> bool:
    """Whether an invented word is kept from training; spelling alone decides, case doesn't count."""
    return hashlib.blake2b(word.lower().encode(), digest_size=1).digest()[0] % HELD_OUT_SHARE == 0


class Words:
    """Draws words from one random sequence; ``held_out`` chooses which side the invented ones come from.

    ``broad`` widens what is drawn: any word may be a unit, a key or a part of a name, and invented words may be
    pieced together from real ones. What a model copies must not depend on how likely it is.
    """

    def __init__(self, rng: random.Random, held_out: bool = False, broad: bool = False) -> None:
        self.rng = rng
        self.held_out = held_out
        self.broad = broad

    def made_up(self, least: int = 1, most: int = 3) -> str:
        """Return an invented lower-case word of ``least`` to ``most`` syllables."""
        rng = self.rng
        while True:
            if self.broad and rng.random() < 0.4:
                word = self._blend()
            else:
                word = "".join(self._syllable() for _ in range(rng.randint(least, most)))
            if len(word) >= 3 and is_held_out(word) == self.held_out:
                return word

    def _blend(self) -> str:
        """Return the beginning of one everyday word with the end of another."""
        first, second = self.word().lower(), self.word().lower()
        return first[: self.rng.randint(2, 4)] + second[-self.rng.randint(2, 4) :]

    def _syllable(self) -> str:
        rng = self.rng
        onset = rng.choice(ONSETS if rng.random() < 0.75 else CLUSTERS)
        vowel = rng.choice(VOWELS if rng.random() < 0.85 else DIPHTHONGS)
        return onset + vowel + (rng.choice(CODAS) if rng.random() < 0.3 else "")

    def name(self) -> str:
        """Return an invented proper name, one word."""
        return self.made_up(2, 3).capitalize()

    def person(self) -> str:
        """Return an invented person's first and last name."""
        return f"{self.made_up(1, 2).capitalize()} {self.made_up(1, 3).capitalize()}"

    def entity(self) -> str:
        """Return the name of something that has facts: one word, a person, or a name with an everyday noun."""
        kind = self.rng.random()
        if self.broad and kind < 0.3:
            return f"the {self.word()} {self.rng.choice([self.word(), self.rng.choice(PLACES)])}"
        if kind < 0.55:
            return self.name()
        return self.person() if kind < 0.75 else f"{self.name()} {self.rng.choice(PLACES)}"

    def similar(self, name: str) -> str:
        """Return a name that shares its beginning or its last word with ``name`` but differs from it."""
        head, _, tail = name.rpartition(" ")
        if head and (tail.islower() or self.rng.random() < 0.5):
            return f"{self.made_up(1, 2).capitalize()} {tail}"
        half = max(2, len(tail) // 2)
        while True:
            word = tail[:half] + self._syllable()
            if is_held_out(word) == self.held_out and word != tail:
                return f"{head} {word}".strip()

    def code(self) -> str:
        """Return an identifier such as ``KX-482`` or ``T7391``."""
        letters = "".join(self.rng.choice("ABCDEFGHJKLMNPRSTUVWXYZ") for _ in range(self.rng.randint(1, 3)))
        return f"{letters}{self.rng.choice(['-', '', '/'])}{self.rng.randint(10, 9999)}"

    def number(self) -> str:
        """Return a number, mostly of a few digits."""
        return str(self.rng.randint(2, self.rng.choice([20, 100, 1000, 10_000])))

    def quantity(self) -> str:
        """Return a number with a unit."""
        if self.broad and self.rng.random() < 0.6:
            return f"{self.number()} {self.rng.choice([self.word, self.made_up])()}"
        return f"{self.number()} {self.rng.choice(UNITS)}"

    def value(self) -> str:
        """Return anything that could be the value of something: words, names, numbers, codes, and mixtures."""
        rng = self.rng
        makers: tuple[Callable[[], str], ...] = (
            self.quantity,
            self.number,
            self.name,
            self.person,
            self.code,
            self.day,
            self.hour,
            self.word,
            self.made_up,
            lambda: f"{self.word()} {self.word()}",
            lambda: f"{self.word()} {self.made_up()}",
            lambda: self.word().capitalize(),
            lambda: f"{self.word()} {rng.randint(1, 999)}",
            lambda: f"{rng.randint(100, 999)}-{rng.randint(100, 9999)}",
            lambda: f"{self.code()}-{rng.choice('ABCDEFGHKLMNPRST')}-{rng.randint(10, 99_999)}",
        )
        return rng.choice(makers)()

    def day(self) -> str:
        """Return a date in one of a few spellings."""
        day, month, year = self.rng.randint(1, 28), self.rng.randint(1, 12), self.rng.randint(1900, 2039)
        name = MONTHS[month - 1]
        return self.rng.choice(
            [f"{day} {name}", f"{name} {day}", f"{day} {name} {year}", f"{year}-{month:02d}-{day:02d}", f"{year}"]
        )

    def hour(self) -> str:
        """Return a time of day."""
        minute = self.rng.choice(["00", "15", "30", "45", "05", "50"])
        return f"{self.rng.randint(0, 23)}:{minute}"

    def phrase(self) -> str:
        """Return two or three everyday words."""
        pool: Sequence[str] = self.rng.choice([GENERAL, MATERIALS, COLOURS, JOBS, TOOLS, FOODS])
        return f"{self.rng.choice(COLOURS + GENERAL[:20])} {self.rng.choice(pool)}"

    def word(self) -> str:
        """Return one everyday word."""
        return self.rng.choice(self.rng.choice([GENERAL, WORK, WORK, COMMON, *TOPICS.values()]))

    def label(self, invented: float = 0.7) -> str:
        """Return a label word; ``invented`` is the chance of one that doesn't exist."""
        if self.held_out or self.rng.random() < invented:
            return self.made_up(1, 2)
        return self.rng.choice(LABELS)

    def distinct(self, make: Callable[[], str], count: int) -> list[str]:
        """Return ``count`` different words from ``make``."""
        found: dict[str, None] = {}
        while len(found) < count:
            found[make()] = None
        return list(found)
