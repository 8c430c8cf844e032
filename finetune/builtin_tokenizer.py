"""The built-in model's tokenizer: byte-level BPE, so that any text has tokens, trained on generated text."""

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

from finetune.world_lesson import text_of
from finetune.world_words import COMMON, GENERAL, LABELS, PLACES, TOPICS, WORK, Words
from finetune.worlds import KINDS, make_lesson

if TYPE_CHECKING:
    from tokenizers import Tokenizer

END, PAD = "<|end|>", "<|pad|>"
END_ID, PAD_ID = 0, 1
PIECES = 1024
PATTERN = r" ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
"""Words with the space before them, single digits, runs of signs, white space: pieces never reach over these."""


def train_tokenizer(seed: int, lessons: int = 12_000) -> "Tokenizer":
    """Return a tokenizer of ``PIECES`` pieces trained on ``lessons`` generated lessons and a list of words."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=PIECES,
        special_tokens=[END, PAD],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(seed, lessons), trainer)
    return tokenizer


def _texts(seed: int, lessons: int) -> Iterator[str]:
    """Yield lessons of every kind and level, then everyday and invented words in several cases."""
    rungs = [(kind, level) for kind, levels in KINDS.items() for level in range(len(levels))]
    for index in range(lessons):
        kind, level = rungs[index % len(rungs)]
        yield text_of(make_lesson(kind, level, f"tokenizer/{seed}/{index}"))
    words = Words(random.Random(f"tokenizer/{seed}"))
    everyday = [word for topic in TOPICS.values() for word in topic] + [*LABELS, *WORK, *COMMON, *GENERAL, *PLACES]
    for _ in range(lessons // 4):
        picked = [words.rng.choice(everyday), words.made_up(), words.word()]
        yield " ".join([*picked, picked[0].capitalize(), picked[1].upper(), f'"{picked[1]}"', f"({picked[2]})"])
