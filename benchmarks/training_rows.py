"""Rows to train on: a user's own rows in the engine's rendering, or made ones whose lengths vary likewise."""

import json
import random
from pathlib import Path

from baselines.local_model import LocalModel
from benchmarks.shapes import SHAPES, builtin_tokenizer, new_module
from evals.example import Prompt
from finetune.encode import EncodedRow

LONGEST = 1000
"""Tokens of a row, at most; TRL cuts at 1,024 by default."""

ANSWER_PIECES = 64
"""Made answers are drawn from this many tokens, the first ones most often, so that there is something to learn."""


def made_rows(count: int, vocabulary: int, seed: int) -> list[EncodedRow]:
    """Return rows of random tokens: prompts of about 150 tokens (log-normal), answers of 2 to 40."""
    draw = random.Random(seed)
    rows = []
    for number in range(count):
        prompt = max(20, min(LONGEST - 50, round(draw.lognormvariate(5.0, 0.5))))
        answer = draw.randint(2, 40)
        given = [draw.randrange(2, vocabulary) for _ in range(prompt)]
        learnt = [2 + min(int(draw.expovariate(0.15)), ANSWER_PIECES) for _ in range(answer)]
        rows.append(EncodedRow(str(number), (*given, *learnt, 0), prompt))
    return rows


def read_rows(folder: Path, count: int, seed: int) -> list[EncodedRow]:
    """Return ``count`` training rows of a data set's folder (task.json, train.jsonl), by the built-in tokenizer."""
    import torch

    instruction = json.loads((folder / "task.json").read_text(encoding="utf-8"))["instruction"]
    lines = (folder / "train.jsonl").read_text(encoding="utf-8").splitlines()
    random.Random(seed).shuffle(lines)
    engine = LocalModel.from_module(new_module(SHAPES["tiny"], "cpu", torch.float32), builtin_tokenizer(), name="rows")
    rows: list[EncodedRow] = []
    for line in lines:
        row = json.loads(line)
        given = engine.encode_prompt(Prompt(instruction=instruction, input=row["input"]))
        ids = (*given, *engine.encode_answer(row["target"]), engine.answer_end_id or 0)
        if len(ids) <= LONGEST:
            rows.append(EncodedRow(row["id"], ids, len(given)))
        if len(rows) == count:
            return rows
    raise SystemExit(f"{folder} has {len(rows)} rows of at most {LONGEST} tokens; {count} are asked for")


def full_rows(count: int, vocabulary: int, tokens: int, learnt: int) -> list[EncodedRow]:
    """Return rows that are all ``tokens`` long and learn their last ``learnt`` tokens."""
    draw = random.Random(0)
    return [
        EncodedRow(str(number), tuple(draw.randrange(2, vocabulary) for _ in range(tokens)), tokens - learnt)
        for number in range(count)
    ]
