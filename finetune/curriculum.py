"""The course of the built-in model: which kind of lesson comes next, and how hard it is.

Every kind has levels. A kind goes one level up when held-out accuracy at its present one is above ``PASS``,
or when it has had its share of tokens there; a kind opens when another has come far enough. Batches hold one
kind and one level, rows of like length. Any batch follows from seed, step and place in the course alone.
"""

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from finetune.pretrain_batch import Batch, pack_rows
from finetune.pretrain_plan import Validation
from finetune.world_rows import LessonRow, encode_lessons
from finetune.worlds import BROAD_KINDS, KINDS, make_lesson

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

PASS = 0.8
SHARES = {"reading": 4.0, "labels_shots": 2.5, "labels_rule": 1.5, "format_shots": 2.0, "format_rule": 1.0}
"""How often each open kind comes, relative to the others."""

OPENS = {"labels_rule": ("labels_shots", 2), "format_rule": ("format_shots", 2)}
"""A kind opens when another has reached a level; kinds not named are open from the start."""

AT_FRONTIER = 0.7
"""Share of a kind's batches at its present level; the rest repeats earlier ones."""

TESTED = 16

LATE_AT = 4000
LATE_SHARES = {"reading": 3.0, "labels_shots": 2.5, "labels_rule": 2.5, "format_shots": 2.0, "format_rule": 1.0}
"""From this step on, the course's last part: whatever was passed, all kinds come at all levels of ``BROAD_KINDS``, with
words and wordings drawn broadly. What is left of a course goes to what the model will be asked."""

DOUBLED_AT = 3000
"""From this step on a batch holds twice the tokens: rows are long by then, and the workers share them evenly."""


class Curriculum(Iterator[Batch]):
    """An endless stream of batches that grows harder as the model passes its levels.

    ``rung_tokens`` is the most that a kind gets at one level before it goes on all the same.
    """

    def __init__(
        self,
        tokenizer: "Tokenizer",
        end_id: int,
        pad_id: int,
        seed: int,
        *,
        batch_tokens: int = 4096,
        rung_tokens: int = 1_500_000,
        prompt_weight: float = 0.15,
    ) -> None:
        self.tokenizer, self.end_id, self.pad_id, self.seed = tokenizer, end_id, pad_id, seed
        self.batch_tokens, self.rung_tokens, self.prompt_weight = batch_tokens, rung_tokens, prompt_weight
        self.step = 0
        self.levels = {kind: 0 for kind in KINDS if kind not in OPENS}
        self.spent = dict.fromkeys(KINDS, 0)

    def __next__(self) -> Batch:
        """Return the batch of the next step."""
        rng = random.Random(f"{self.seed}/step/{self.step}")
        if self.step == LATE_AT:
            self.levels = {kind: len(levels) - 1 for kind, levels in BROAD_KINDS.items()}
        shares = SHARES if self.step < LATE_AT else LATE_SHARES
        kind = rng.choices(list(self.levels), [shares[kind] for kind in self.levels])[0]
        level = self._level(kind, rng)
        rows = self._rows(kind, level, rng)
        self.step += 1
        batch = pack_rows([row.row for row in rows], self.pad_id)
        if self.step <= LATE_AT and level == self.levels[kind]:
            self.spent[kind] += batch.tokens
            if self.spent[kind] > self.rung_tokens:
                self._go_up(kind)
        return batch

    def state(self) -> dict[str, Any]:
        """Return the place in the course."""
        return {"step": self.step, "levels": dict(self.levels), "spent": dict(self.spent)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go to a place that ``state`` returned."""
        self.step = state["step"]
        self.levels = dict(state["levels"])
        self.spent = dict(state["spent"])

    def validate(self, module: "torch.nn.Module", step: int) -> Validation:
        """Test every open kind at its present level on lessons of another seed; passed kinds go up."""
        losses, scores = [], {}
        for kind, level in list(self.levels.items()):
            broad = step > LATE_AT
            lessons = [
                make_lesson(kind, level, f"{self.seed}/validation/{step}/{index}", broad=broad)
                for index in range(TESTED)
            ]
            rows = encode_lessons(lessons, self.tokenizer, self.end_id, self.prompt_weight)
            loss, accuracy = answer_accuracy(module, rows, self.pad_id)
            losses.append(loss)
            scores[f"{kind}_{level}"] = accuracy
            if accuracy > PASS and not broad:
                self._go_up(kind)
        return Validation(sum(losses) / len(losses), scores)

    def _level(self, kind: str, rng: random.Random) -> int:
        top = self.levels[kind]
        if self.step >= LATE_AT:
            return rng.randint(0, top)
        if top == 0 or rng.random() < AT_FRONTIER:
            return top
        return rng.randrange(max(0, top - 3), top)

    def _go_up(self, kind: str) -> None:
        """Take ``kind`` to its next level, if it has one, and open the kinds that waited for it."""
        levels = len(KINDS[kind])
        if self.levels[kind] < levels - 1:
            self.levels[kind] += 1
            self.spent[kind] = 0
        for waiting, (other, level) in OPENS.items():
            if waiting not in self.levels and other in self.levels and self.levels[other] >= level:
                self.levels[waiting] = 0

    def _rows(self, kind: str, level: int, rng: random.Random) -> list[LessonRow]:
        """Return rows of like length that fill a batch: a run from three times as many, sorted by length."""
        made: list[LessonRow] = []
        padded, wanted = 0, self.batch_tokens * (2 if self.step >= DOUBLED_AT else 1)
        while padded < 3 * wanted:
            first = len(made)
            broad = self.step >= LATE_AT
            lessons = [
                make_lesson(kind, level, f"{self.seed}/{self.step}/{first + index}", broad=broad) for index in range(8)
            ]
            made += encode_lessons(lessons, self.tokenizer, self.end_id, self.prompt_weight)
            padded = sum(len(row.row.ids) for row in made)
        made.sort(key=lambda row: len(row.row.ids))
        last = rng.randrange(len(made) // 3, len(made)) if len(made) > 1 else 0
        width = len(made[last].row.ids)
        return made[max(0, last + 1 - max(1, wanted // width)) : last + 1]


def answer_accuracy(
    module: "torch.nn.Module", rows: list[LessonRow], pad_id: int, size: int = 16
) -> tuple[float, float]:
    """Return mean loss per answer token (nats) and the share of final answers whose every token is the likeliest.

    That share equals exact match under greedy decoding, since an answer is right as a whole when each token
    is the likeliest after right ones.
    """
    import torch

    right, answers, total, tokens = 0, 0, 0.0, 0
    device = next(module.parameters()).device
    with torch.no_grad():
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            batch = pack_rows([row.row for row in part], pad_id)
            logits = module(input_ids=torch.from_numpy(batch.ids).to(device), use_cache=False).logits.float().cpu()
            targets = torch.from_numpy(batch.targets)
            losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
            losses, hits = losses.view(targets.shape), logits.argmax(-1) == targets
            for index, row in enumerate(part):
                for first, end in row.answers:
                    right += int(hits[index, first:end].all())
                    total += float(losses[index, first:end].sum())
                    tokens += end - first
                    answers += 1
    return total / max(1, tokens), right / max(1, answers)
