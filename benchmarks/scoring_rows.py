"""The four pieces of scoring work: prompts as the arms would make them, of data sets on disk or of made text."""

import json
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baselines.chunking import chunk_documents
from baselines.index import build_index
from baselines.rag_arms import FROM_PASSAGES
from baselines.tfidf import TfidfEmbedder
from evals.example import Document, Passage, Prompt, Shot
from evals.protocols import Limits

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

PIECES = 8_192
"""Pieces of the tokenizer that is trained on the rows themselves: about four characters a token."""

ROWS, ROWS_WITH_PASSAGES = 64, 520
"""Prompts of a piece of work; how many rows find the same passages depends on how many there are: a whole eval set."""

PLACE = 30
"""Words of a made document among which a question stands."""

CHUNK_TOKENS, OVERLAP_TOKENS, PASSAGES = 120, 20, 4


@dataclass(frozen=True)
class Work:
    """A piece of work: ``labels`` to choose from, or ``limits`` to write within; ``goal`` times the peer's speed."""

    name: str
    title: str
    goal: float
    prompts: list[Prompt]
    labels: tuple[str, ...] = ()
    limits: Limits | None = None


@dataclass(frozen=True)
class Texts:
    """A data set: what to do, rows to learn from and to answer, documents."""

    instruction: str
    labels: tuple[str, ...]
    train: list[dict[str, str]]
    eval: list[dict[str, str]]
    documents: list[Document]


def read_texts(folder: Path | None, name: str, seed: int) -> Texts:
    """Return the data set ``folder/name``; where there is none, a made one with rows of like lengths."""
    if folder is None or not (folder / name / "task.json").is_file():
        return _made(name, seed)
    place = folder / name
    task = json.loads((place / "task.json").read_text(encoding="utf-8"))
    documents = _rows(place / "docs.jsonl") if (place / "docs.jsonl").exists() else []
    return Texts(
        task["instruction"],
        tuple(task.get("labels", ())),
        _rows(place / "train.jsonl"),
        _rows(place / "eval.jsonl"),
        [Document(row["id"], row.get("title", ""), row["text"]) for row in documents],
    )


def works(folder: Path | None, asked: int | None, tokenizer: "PreTrainedTokenizerBase", seed: int = 0) -> list[Work]:
    """Return the four pieces of work of the table, with as many prompts each as ``asked`` for."""
    rows, with_passages = asked or ROWS, asked or ROWS_WITH_PASSAGES
    many, few = read_texts(folder, "banking77", seed), read_texts(folder, "trec6", seed)
    answers = read_texts(folder, "squad_xquad", seed)
    many_told = f"{many.instruction}\nLabels: {', '.join(many.labels)}"
    short = "Answer the question with as few words as possible."
    limits = Limits(16)
    from_passages = f"{answers.instruction} {FROM_PASSAGES}"
    passages = _passages(answers, tokenizer, with_passages)
    return [
        Work(
            "labels77",
            "label choice: 77 labels, 10 shots",
            100,
            [Prompt(many_told, row["input"], _shots(many, 10)) for row in many.eval[:rows]],
            many.labels,
        ),
        Work(
            "labels6",
            "label choice: 6 labels, no shots",
            5,
            [Prompt(few.instruction, row["input"]) for row in few.eval[:rows]],
            few.labels,
        ),
        Work(
            "short",
            "short answers: up to 16 tokens, 8 shots",
            4,
            [Prompt(short, row["input"], _shots(answers, 8)) for row in answers.eval[:rows]],
            limits=limits,
        ),
        Work(
            "rag",
            "RAG answers: 4 passages of 120 tokens, up to 16 tokens",
            1.5,
            [
                Prompt(from_passages, row["input"], passages=found)
                for row, found in zip(answers.eval[:with_passages], passages, strict=True)
            ],
            limits=limits,
        ),
    ]


def train_tokenizer(folder: Path | None, seed: int = 0) -> "PreTrainedTokenizerBase":
    """Return a byte-level BPE of ``PIECES`` pieces, trained on the texts that it will read."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    corpus: list[str] = []
    for name in ("banking77", "trec6", "squad_xquad"):
        texts = read_texts(folder, name, seed)
        corpus += [text for row in texts.train for text in (row["input"], row["target"])]
        corpus += [texts.instruction, *texts.labels, *(document.text for document in texts.documents)]
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=PIECES,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["</s>", "<pad>"],
        show_progress=False,
    )
    inner.train_from_iterator(corpus, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="</s>", pad_token="<pad>", padding_side="left", model_max_length=2048
    )


def _rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _shots(texts: Texts, count: int) -> tuple[Shot, ...]:
    return tuple(Shot(row["input"], row["target"]) for row in texts.train[:count])


def _passages(texts: Texts, tokenizer: "PreTrainedTokenizerBase", rows: int) -> list[tuple[Passage, ...]]:
    """Return what the arm ``rag`` finds for each row: the four nearest passages, by the built-in embedder."""

    def count_tokens(text: str) -> int:
        return len(tokenizer(text, add_special_tokens=False)["input_ids"])

    chunks = chunk_documents(texts.documents, count_tokens, size=CHUNK_TOKENS, overlap=OVERLAP_TOKENS)
    with tempfile.TemporaryDirectory() as folder:
        index = build_index(chunks, TfidfEmbedder(), Path(folder))
        return [tuple(found) for found in index.search([row["input"] for row in texts.eval[:rows]], PASSAGES)]


def _made(name: str, seed: int) -> Texts:
    """Return a data set of invented words, with the number of labels and the lengths of the real one."""
    draw = random.Random(f"{name}{seed}")
    words = [
        "".join(draw.choice("bdfgklmnprstv") + draw.choice("aeiou") for _ in range(draw.randint(1, 3)))
        for _ in range(3000)
    ]

    def text(low: int, high: int) -> str:
        return " ".join(draw.choice(words) for _ in range(draw.randint(low, high)))

    sizes: dict[str, dict[str, Any]] = {
        "banking77": {"labels": 77, "words": (6, 18), "label": (2, 4)},
        "trec6": {"labels": 6, "words": (6, 14), "label": (1, 1)},
        "squad_xquad": {"labels": 0, "words": (7, 16), "label": (1, 4)},
    }
    size = sizes[name]
    labels: list[str] = []
    while len(labels) < size["labels"]:
        label = text(*size["label"]).replace(" ", "_")
        if not any(label.startswith(other) or other.startswith(label) for other in labels):
            labels.append(label)
    documents = [] if labels else [Document(f"d{number}", "", text(80, 160)) for number in range(240)]
    rows = [
        {"id": str(number), "input": text(*size["words"]), "target": draw.choice(labels) if labels else text(1, 4)}
        for number in range(1500)
    ]
    if documents:
        rows = [row | _question(draw, documents, size["words"]) for row in rows]
    return Texts("Say which of the labels fits the text.", tuple(labels), rows[:1000], rows[1000:], documents)


def _question(draw: random.Random, documents: Sequence[Document], words: tuple[int, int]) -> dict[str, str]:
    """Return a question in words of one place in a document, and an answer from there: there is something to find."""
    known = draw.choice(documents).text.split()
    start = draw.randrange(len(known) - PLACE)
    place = known[start : start + PLACE]
    asked = draw.sample(place, draw.randint(*words))
    return {"input": " ".join(asked), "target": " ".join(place[: draw.randint(1, 4)])}
