"""A transformers model on this machine, as the house's ``LanguageModel``."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from baselines.encoding import Encoding
from baselines.end_tokens import end_ids
from evals.errors import UsageError
from evals.example import Prompt
from evals.protocols import Choice, Generation, Limits

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedConfig, PreTrainedTokenizerBase

STRANGER = "§"
"""An input that begins like no other: where a prompt with it parts from the rest, the shared prefix ends."""

LEAST_ROOM = 16
"""An answer gets at least this many tokens, or what it's allowed if that's fewer; else its row is an error."""

NO_LIMIT = 1_048_576
"""The context of a model that names none (a recurrent one)."""


class LocalModel:
    """A causal language model in this process; see ``evals.protocols.LanguageModel``.

    Call ``forget()`` after changing the weights by hand (merging or switching an adapter): the kept
    prompt prefix and the fingerprint are of the old ones. An optimiser's step is noticed by itself.
    """

    def __init__(
        self,
        module: "torch.nn.Module",
        tokenizer: "PreTrainedTokenizerBase",
        *,
        name: str,
        folder: Path | None = None,
        adapter: Path | None = None,
    ) -> None:
        """Wrap a module that stands ready on its device.

        ``folder`` holds the files that the weights were loaded from and ``adapter`` those of a PEFT
        adapter; where they're given the fingerprint is read off them, else off the weights in memory.
        """
        from baselines.forward import Forward

        module.eval()
        self.module = module
        self.tokenizer = tokenizer
        self.folder = folder
        self.adapter = adapter
        self._name = name
        self._fingerprint: str | None = None
        self._forward = Forward(module)
        self._encoding = Encoding(tokenizer, end_ids(module))

    @classmethod
    def from_module(cls, module: "torch.nn.Module", tokenizer: "PreTrainedTokenizerBase", *, name: str) -> "LocalModel":
        """Wrap a module that lives in memory only: one just trained, PEFT or quantised ones too."""
        return cls(module, tokenizer, name=name)

    @property
    def name(self) -> str:
        """How the user called it."""
        return self._name

    @property
    def context(self) -> int:
        """The longest prompt plus answer, in tokens."""
        return _context(self._forward.config, self.tokenizer)

    @property
    def fingerprint(self) -> str:
        """Hex digest over weights, adapter, tokenizer and template; computed once, on first use."""
        if self._fingerprint is None:
            from baselines.fingerprint import fingerprint

            self._fingerprint = fingerprint(self.module, self.tokenizer, folder=self.folder, adapter=self.adapter)
        return self._fingerprint

    def forget(self) -> None:
        """Drop what was kept from the weights as they were: the prompt prefix and the fingerprint."""
        self._fingerprint = None
        self._forward.forget()

    def serve(self, *, on: bool) -> None:
        """Let single requests use the prefix that earlier ones have left (``on``), or not, which is the rule."""
        self._forward.serving = on

    def forget_prefix(self) -> None:
        """Drop the prefix that is kept between calls; the next call computes it again."""
        self._forward.forget()

    def render(self, prompt: Prompt) -> str:
        """The very text that the model reads for ``prompt``."""
        return self._encoding.render(prompt)

    def count_tokens(self, text: str) -> int:
        """Tokens of ``text``, without special tokens."""
        return self._encoding.count_tokens(text)

    def encode_prompt(self, prompt: Prompt) -> list[int]:
        """The ids that the model reads for ``prompt``; a BOS stands first where the model expects one."""
        return self._encoding.encode_texts([self.render(prompt)])[0]

    def encode_answer(self, answer: str) -> list[int]:
        """The ids of ``answer`` as it stands behind a prompt, without an end token."""
        return self._encoding.encode_answers([answer])[0]

    @property
    def answer_end_id(self) -> int | None:
        """The token that closes an answer: end of turn in a chat, else end of sequence; None without one."""
        return self._encoding.answer_end_id

    @property
    def end_token_ids(self) -> frozenset[int]:
        """Every token at which generation ends."""
        return self._encoding.end_token_ids

    def choose(self, prompts: Sequence[Prompt], labels: Sequence[str]) -> list[Choice]:
        """Score every label after every prompt; one result per prompt, in order.

        A label's score is the log-likelihood of its tokens. Where one label's tokens begin another's ("1",
        "10"), the shorter one would always win, so every label is scored with its end: the log of the summed
        probability of the tokens that can end an answer there is added, and counts as one token in ``by_mean``.
        ``completion_tokens`` are those of the label chosen by sum, ``ms`` the row's share of the call.
        Raises ``UsageError`` for no labels or an empty one; what's wrong with a row stands in its ``error``.
        """
        from baselines.choose import score_labels

        if not prompts:
            return []
        if not labels or not all(label.strip() for label in labels):
            raise UsageError(f"can't choose between the labels {list(labels)!r}: give at least one, and none empty")
        started = time.perf_counter()
        tokens = self._encoding.encode_answers(labels)
        ends = self._ends(tokens)
        longest = max(map(len, tokens))
        texts, rows, problems = self._read(prompts, longest, longest)
        good = [row for row, problem in enumerate(problems) if problem is None]
        stranger = self._stranger(prompts[0])
        scored = score_labels(self._forward, [rows[row] for row in good], stranger, tokens, ends)
        found = dict(zip(good, scored, strict=True))
        lengths = [len(label) + bool(ends) for label in tokens]
        ms = 1e3 * (time.perf_counter() - started) / len(prompts)
        choices = []
        for row, (text, ids) in enumerate(zip(texts, rows, strict=True)):
            scores = found.get(row, problems[row])
            if scores is None or isinstance(scores, str):
                choices.append(Choice(text, "", "", (), len(ids), 0, ms, scores))
                continue
            sums: list[float] = scores.tolist()
            by_sum = max(range(len(labels)), key=sums.__getitem__)
            by_mean = max(range(len(labels)), key=lambda label: sums[label] / lengths[label])
            choices.append(
                Choice(text, labels[by_sum], labels[by_mean], tuple(sums), len(ids), len(tokens[by_sum]), ms)
            )
        return choices

    def labels_need_end(self, labels: Sequence[str]) -> bool:
        """Tell whether ``choose`` scores ``labels`` with their ends, since one of them begins another."""
        return bool(self._ends(self._encoding.encode_answers(labels)))

    def generate(self, prompts: Sequence[Prompt], limits: Limits) -> list[Generation]:
        """Write an answer to every prompt, greedily; one result per prompt, in order.

        ``completion_tokens`` counts every token written, the end token and a stop string too; ``ms`` is
        the row's share of its batch and of the call's preparation. Where the context doesn't hold prompt and
        limit, the answer gets the rest of it, at least ``LEAST_ROOM`` tokens. Raises ``UsageError`` for a
        limit below one token; what's wrong with a row stands in its ``error``.
        """
        from baselines.generate import Ending, write_answers

        if limits.max_new_tokens < 1:
            raise UsageError(f"max_new_tokens must be at least 1, not {limits.max_new_tokens}")
        if not prompts:
            return []
        started = time.perf_counter()
        most = limits.max_new_tokens
        texts, rows, problems = self._read(prompts, min(most, LEAST_ROOM), most)
        good = [row for row, problem in enumerate(problems) if problem is None]
        stops = tuple(stop for stop in (*limits.stop, *self._encoding.stops) if stop)
        asked = [rows[row] for row in good]
        rooms = [min(most, self.context - len(ids)) for ids in asked]
        answers = write_answers(self._forward, asked, rooms, self._stranger(prompts[0]), Ending(self._encoding, stops))
        written = dict(zip(good, answers, strict=True))
        in_batches = sum(result.seconds for result in written.values())
        besides = (time.perf_counter() - started - in_batches) / len(prompts)
        generations = []
        for row, (text, ids) in enumerate(zip(texts, rows, strict=True)):
            result = written.get(row)
            if result is None or result.error is not None:
                error = problems[row] if result is None else result.error
                generations.append(Generation(text, "", len(ids), 0, 1e3 * besides, error))
            else:
                ms = 1e3 * (result.seconds + besides)
                new = len(result.tokens)
                generations.append(Generation(text, result.text, len(ids), new, ms, cut=result.cut))
        return generations

    def _read(
        self, prompts: Sequence[Prompt], least: int, most: int
    ) -> tuple[list[str], list[list[int]], list[str | None]]:
        """Return each prompt's text, ids, and why it can't be asked (None: it can).

        An answer takes ``most`` tokens; ``least`` of them must fit behind the prompt.
        """
        texts = [self.render(prompt) for prompt in prompts]
        rows = self._encoding.encode_texts(texts)
        problems: list[str | None] = []
        for ids in rows:
            problem = None
            if len(ids) + least > self.context:
                needed = f"prompt is {len(ids)} tokens and its answer needs up to {most}"
                problem = f"{needed}, the model's context is {self.context}"
            elif not ids:
                problem = "prompt is empty"
            elif max(ids) >= self._forward.vocabulary:
                problem = f"prompt holds token {max(ids)}, the model knows {self._forward.vocabulary}"
            problems.append(problem)
        return texts, rows, problems

    def _ends(self, labels: Sequence[Sequence[int]]) -> list[int]:
        """Return the tokens that can end an answer if labels (as tokens) must be scored with their end, else none."""
        from baselines.label_tree import one_begins_another

        if not one_begins_another(labels):
            return []
        return sorted(end for end in self._encoding.after_answer_ids if end < self._forward.vocabulary)

    def _stranger(self, prompt: Prompt) -> list[int]:
        return self.encode_prompt(replace(prompt, input=STRANGER, passages=()))


def _context(config: "PreTrainedConfig", tokenizer: "PreTrainedTokenizerBase") -> int:
    for attribute in ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length"):
        value = getattr(config, attribute, None)
        if isinstance(value, int) and value > 0:
            return value
    return min(int(tokenizer.model_max_length), NO_LIMIT)
