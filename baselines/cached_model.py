"""A language model that never computes an answer twice: what it was asked before comes from the cache.

An answer is taken from there only if all that decides it is the same: weights, adapter, tokenizer and template (the
model's fingerprint), device, number format and library versions, the kind of call, the prompt as rendered, the limits
or labels, and the repeat. A model whose weights were changed after it was wrapped - trained further, an adapter merged
or switched off - is another model, so a tuned model never gets its base's answers. Errors aren't kept. While single
requests are timed (``serve``) nothing is read from the cache and nothing written to it.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from baselines.answering import ScoresLabelEnds, cool, serve
from baselines.model_identity import ModelIdentity
from baselines.stored_answers import Answer, read_answer, write_answer
from evals.example import Prompt
from evals.protocols import Choice, Generation, LanguageModel, Limits
from evals.response_cache import ResponseCache

ANSWERS_VERSION = 1
"""Raised when the engine would answer the same prompt in another way; part of every key."""


class CachedModel:
    """``model`` behind a cache; what else a local model offers is there too.

    Wrap a model as soon as it's loaded, before anything changes its weights. ``repeat`` tells answers apart that
    are drawn several times from a model that isn't greedy. ``run`` names the run that asks: what it computed itself
    isn't marked as cached, so that a run which was stopped and resumed reports what one does that wasn't.
    """

    def __init__(self, model: LanguageModel, answers: ResponseCache, *, repeat: int = 0, run: str = "") -> None:
        self.model = model
        self.answers = answers
        self.repeat = repeat
        self.run = run
        self._identity = ModelIdentity(model)
        self._serving = False

    @property
    def name(self) -> str:
        """How the user called it."""
        return self.model.name

    @property
    def context(self) -> int:
        """The longest prompt plus answer, in tokens."""
        return self.model.context

    @property
    def fingerprint(self) -> str:
        """The model's own."""
        return self.model.fingerprint

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (whatever the model has by that name)
        if name == "model":  # not there yet: a copy is being made
            raise AttributeError(name)
        return getattr(self.model, name)

    def render(self, prompt: Prompt) -> str:
        """The very text that the model reads for ``prompt``."""
        return self.model.render(prompt)

    def count_tokens(self, text: str) -> int:
        """Tokens of ``text``, without special tokens."""
        return self.model.count_tokens(text)

    def labels_need_end(self, labels: Sequence[str]) -> bool:
        """Tell whether ``choose`` scores ``labels`` with their ends."""
        return isinstance(self.model, ScoresLabelEnds) and self.model.labels_need_end(labels)

    def serve(self, *, on: bool) -> None:
        """Answer as a server does that has no cache of answers (``on``), so that its time can be taken, or not."""
        self._serving = on
        serve(self.model, on=on)

    def forget_prefix(self) -> None:
        """Drop what the model keeps between calls."""
        cool(self.model)

    def choose(self, prompts: Sequence[Prompt], labels: Sequence[str]) -> list[Choice]:
        """Score every label after every prompt; see ``LanguageModel``. What another run computed is marked."""

        def ask(missing: Sequence[Prompt]) -> list[Choice]:
            return self.model.choose(missing, labels)

        return self._answer("choose", list(labels), prompts, ask, Choice)

    def generate(self, prompts: Sequence[Prompt], limits: Limits) -> list[Generation]:
        """Write an answer to every prompt; see ``LanguageModel``. What another run computed is marked."""

        def ask(missing: Sequence[Prompt]) -> list[Generation]:
            return self.model.generate(missing, limits)

        asked = [limits.max_new_tokens, *limits.stop]
        return self._answer("generate", asked, prompts, ask, Generation)

    def _answer(
        self,
        kind: str,
        asked: Sequence[object],
        prompts: Sequence[Prompt],
        ask: Callable[[Sequence[Prompt]], list[Answer]],
        form: type[Answer],
    ) -> list[Answer]:
        """Return kept answers, and those of ``ask`` for the prompts that have none; equal prompts are asked once."""
        if self._serving or not prompts or self.answers.problem is not None:
            return ask(prompts)
        texts = [self.model.render(prompt) for prompt in prompts]
        keys = self._keys(kind, asked, texts)
        kept = self.answers.get(list(dict.fromkeys(keys)))
        found: dict[bytes, Answer] = {}
        for key, text in zip(keys, texts, strict=True):
            if key in kept and (answer := read_answer(form, text, kept[key], self.run)) is not None:
                found[key] = answer
        missing = {key: prompt for key, prompt in zip(keys, prompts, strict=True) if key not in found}
        made = dict(zip(missing, ask(list(missing.values())), strict=True)) if missing else {}
        whole = {key: write_answer(answer, self.run) for key, answer in made.items() if answer.error is None}
        self.answers.put(kind, whole)
        answers = []
        for key in keys:
            answers.append(made[key] if key in made else found[key])
            if key in made and made[key].error is None:  # the next row that asks the same costs nothing
                found[key] = replace(made.pop(key), cached=not self.run)
        return answers

    def _keys(self, kind: str, asked: Sequence[object], texts: Sequence[str]) -> list[bytes]:
        """Return the key of each rendered prompt."""
        parts = [ANSWERS_VERSION, self._identity.now(), kind, list(asked), self.repeat]
        common = hashlib.blake2b(json.dumps(parts).encode() + b"\n", digest_size=16)
        keys = []
        for text in texts:
            digest = common.copy()
            digest.update(text.encode("utf-8", "surrogatepass"))
            keys.append(digest.digest())
        return keys


def cached_like(base: LanguageModel, model: LanguageModel) -> LanguageModel:
    """Return ``model``, just loaded, behind the cache that ``base`` has; as it is where ``base`` has none."""
    if not isinstance(base, CachedModel):
        return model
    return CachedModel(model, base.answers, repeat=base.repeat, run=base.run)
