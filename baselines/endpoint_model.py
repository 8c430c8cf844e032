"""A model behind an OpenAI-compatible server, as the house's ``LanguageModel``.

Answers are asked for greedily. Labels are chosen by likelihood where the server tells how likely the tokens of a
given text are (completions with ``echo`` and ``logprobs``); else they are written, and read out of the answer by the
bench's extraction. A chat never tells that: the ``top_logprobs`` of its first token say nothing sure about labels of
several tokens, and how a label falls into tokens isn't known here.
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from functools import cached_property

from baselines.answering import WRITTEN_LABEL_TOKENS
from baselines.encoding import RENDERING_VERSION
from baselines.endpoint_asker import Asker
from baselines.endpoint_client import Answer, EndpointClient
from baselines.endpoint_labels import LabelScore, label_score, one_begins_another, read_label
from baselines.endpoint_tokens import token_counter
from baselines.endpoint_wire import (
    BadReplyError,
    Json,
    Reply,
    Usage,
    answer_body,
    read_from_cache,
    read_reply,
    read_usage,
    render,
    score_body,
    stops,
)
from baselines.render import render_plain
from evals.errors import ModelError, UsageError
from evals.example import Prompt
from evals.model_ref import Endpoint
from evals.protocols import Choice, Generation, Limits
from evals.spending import Meter

DEFAULT_CONTEXT = 8192
"""Tokens of context when neither the task nor the server says."""

CONTEXT_KEYS = ("max_model_len", "context_length", "context_window", "max_context_length")
"""What servers call it in their list of models."""

STABLE_KEYS = ("id", "root", "owned_by", "object", *CONTEXT_KEYS)
"""What a list of models says that stays the same from day to day; ``created`` is the time of asking on some."""

WRITTEN = "written by the model and read out of its answer"
PROBE = "Say yes or no.\n\nInput: Is it so?\nOutput:"
NOTE = "weights behind an endpoint can't be hashed: the fingerprint is of address, name, parameters and what it says"


class EndpointModel:
    """A model behind an endpoint; see ``evals.protocols.LanguageModel``."""

    def __init__(self, endpoint: Endpoint, client: EndpointClient, meter: Meter, *, alias: str | None = None) -> None:
        """Nothing is asked yet; ``alias`` is what the task's ``models:`` calls it, for prices."""
        self.endpoint = endpoint
        self._client = client
        self._asker = Asker(endpoint, client, meter, alias)
        self._rules: dict[tuple[str, ...], str | None] = {}

    def greet(self) -> None:
        """Ask for the list of models and one short answer. Raises ``ModelError`` for what no later request mends."""
        _ = self._told
        self._asker.greet()

    @property
    def name(self) -> str:
        """The model's name and its server's host."""
        return self.endpoint.called

    @property
    def fingerprint_note(self) -> str:
        """What the fingerprint doesn't cover."""
        return NOTE

    @cached_property
    def context(self) -> int:
        """The longest prompt plus answer: the task's word, else the server's, else ``DEFAULT_CONTEXT``."""
        if self.endpoint.context is not None:
            return self.endpoint.context
        meta = self._told.get("meta")
        named = [self._told.get(key) for key in CONTEXT_KEYS] + [meta.get("n_ctx") if isinstance(meta, dict) else None]
        return next((value for value in named if isinstance(value, int) and value > 0), DEFAULT_CONTEXT)

    @cached_property
    def fingerprint(self) -> str:
        """Hex digest over address, name, api, parameters and what the server says: weights can't be seen from here."""
        told = {key: self._told[key] for key in STABLE_KEYS if key in self._told}
        decides = {"endpoint", "name", "api", "system", "parameters", "tokenizer"}
        about = self.endpoint.model_dump(mode="json", include=decides)
        everything = ["endpoint", RENDERING_VERSION, about, told, self._scores_text, self.context]
        return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()

    def render(self, prompt: Prompt) -> str:
        """What is sent for ``prompt``, as text; the template of a chat is the server's own."""
        return render(self.endpoint, prompt)

    def count_tokens(self, text: str) -> int:
        """Tokens of ``text`` by ``tokenizer:``, else an estimate (see ``baselines.endpoint_tokens``)."""
        return self._counter(text)

    @cached_property
    def _counter(self) -> Callable[[str], int]:
        return token_counter(self.endpoint.tokenizer)

    def how_counted(self) -> str:
        """How a report says that tokens are counted."""
        how = "its tokenizer" if self.endpoint.tokenizer else "an estimate"
        return f"usage as the server counts it; room and passages by {how}, context {self.context:,}"

    def serve(self, *, on: bool) -> None:
        """Send every single request to the server (``on``), so that its time can be taken, or take what is kept."""
        self._asker.serving = on

    def draw(self, seed: int) -> None:
        """Draw the next answers for ``seed``, where chance plays a part in them: what another drew isn't taken."""
        self._asker.seed = seed

    def forget_prefix(self) -> None:
        """What a server keeps between requests can't be dropped from here: cold requests are as warm as it likes."""

    def why_written(self, labels: Sequence[str]) -> str | None:
        """Return why ``labels`` must be written by the model, one clause; None where they can be scored."""
        key = tuple(labels)
        if key not in self._rules:
            self._rules[key] = self._find_rule(labels)
        return self._rules[key]

    def choose(self, prompts: Sequence[Prompt], labels: Sequence[str]) -> list[Choice]:
        """Score every label after every prompt where the server lets us; else let it write, and read the label.

        A label that was read has no ``loglikelihoods``; an answer that names no label stands as it is. What's wrong
        with a row stands in its ``error``; ``prompt_tokens`` are those of all the requests that a row took.
        Raises ``ModelError`` when the server refuses us, ``SpendingError`` at the limit on costs.
        """
        if not labels or not all(label.strip() for label in labels):
            raise UsageError(f"can't choose between the labels {list(labels)!r}: give at least one, and none empty")
        if self.why_written(labels) is None:
            return self._score(prompts, labels)
        longest = max(map(self.count_tokens, labels))
        found = self.generate(prompts, Limits(max(WRITTEN_LABEL_TOKENS, longest + max(4, longest // 10))))
        return [read_label(answer, labels) for answer in found]

    def generate(self, prompts: Sequence[Prompt], limits: Limits) -> list[Generation]:
        """Write an answer to every prompt; one result per prompt, in order.

        ``ms`` is the row's share of the call. What's wrong with a row stands in its ``error``. Raises
        ``ModelError`` when the server refuses us, ``SpendingError`` at the limit on costs.
        """
        if not prompts:
            return []
        started = time.perf_counter()
        texts = [self.render(prompt) for prompt in prompts]
        bodies = [answer_body(self.endpoint, prompt, limits) for prompt in prompts]
        answers = self._ask(bodies, texts, limits.max_new_tokens)
        ms = 1e3 * (time.perf_counter() - started) / max(1, sum(not answer.kept for answer in answers))
        ends = stops(self.endpoint, limits)
        return [self._generation(text, answer, ends, ms) for text, answer in zip(texts, answers, strict=True)]

    @cached_property
    def _told(self) -> Json:
        """What the server's list of models says about the model; empty where it has no list, or not this model."""
        answer = self._client.get("/models")
        if answer.lost:
            raise ModelError(f"{self.endpoint.endpoint} can't be reached: {answer.problem}; does the server run?")
        listed = (answer.data or {}).get("data")
        models = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
        return next((entry for entry in models if entry.get("id") == self.endpoint.name), {})

    @cached_property
    def _scores_text(self) -> bool:
        """Whether the server tells how likely the tokens of a given text are: asked once, with one short request."""
        return self.endpoint.api == "completions" and self._scores_labels(["yes"]) is None

    def _find_rule(self, labels: Sequence[str]) -> str | None:
        if self.endpoint.api == "chat":
            return "a chat doesn't tell how likely a given answer is"
        if not self._scores_text:
            return "the server gives no log-likelihoods of a given text (echo and logprobs)"
        if one_begins_another(labels):
            return "one label begins another, and how likely it ends there isn't told"
        return self._scores_labels(labels)

    def _scores_labels(self, labels: Sequence[str]) -> str | None:
        """Return why some label can't be scored behind a short prompt, or None."""
        texts = [f"{PROBE} {label}" for label in labels]
        answers = self._ask([score_body(self.endpoint, text) for text in texts], texts, 1)
        if lost := next((answer for answer in answers if answer.lost), None):
            raise ModelError(f"{self.endpoint.endpoint} can't be asked whether it scores labels: {lost.problem}")
        try:
            for label, answer in zip(labels, answers, strict=True):
                _scored(answer, label)
        except BadReplyError as error:
            return self._told_of(error)
        return None

    def _score(self, prompts: Sequence[Prompt], labels: Sequence[str]) -> list[Choice]:
        started = time.perf_counter()
        texts = [render_plain(prompt) for prompt in prompts]
        asked = [f"{text} {label}" for text in texts for label in labels]
        answers = self._ask([score_body(self.endpoint, text) for text in asked], asked, 1)
        ms = 1e3 * (time.perf_counter() - started) / max(1, len(prompts))
        size = len(labels)
        return [
            self._choice(text, answers[row * size : (row + 1) * size], labels, ms) for row, text in enumerate(texts)
        ]

    def _choice(self, text: str, answers: Sequence[Answer], labels: Sequence[str], ms: float) -> Choice:
        usages = [read_usage(answer.data) for answer in answers if answer.data is not None]
        read = sum(usage.prompt or 0 for usage in usages)
        from_cache = read_from_cache(usages)
        try:
            scores = [_scored(answer, label) for answer, label in zip(answers, labels, strict=True)]
        except BadReplyError as error:
            return Choice(text, "", "", (), read, 0, ms, self._told_of(error))
        best = max(range(len(labels)), key=lambda place: scores[place].loglikelihood)
        mean = max(range(len(labels)), key=lambda place: scores[place].loglikelihood / scores[place].tokens)
        sums = tuple(score.loglikelihood for score in scores)
        kept = all(answer.kept for answer in answers)
        took = sum(answer.ms for answer in answers) if kept else ms
        tokens = scores[best].tokens
        return Choice(text, labels[best], labels[mean], sums, read, tokens, took, cached_tokens=from_cache)

    def _generation(self, text: str, answer: Answer, ends: Sequence[str], ms: float) -> Generation:
        usage = Usage() if answer.data is None else read_usage(answer.data)
        asked = self.count_tokens(text) if usage.prompt is None else usage.prompt
        try:
            reply = self._reply(answer, ends)
        except BadReplyError as error:
            return Generation(text, "", asked, usage.completion or 0, ms, self._told_of(error))
        written = self.count_tokens(reply.text) if usage.completion is None else usage.completion
        took = answer.ms if answer.kept else ms
        from_cache = read_from_cache([usage])
        return Generation(text, reply.text, asked, written, took, cut=reply.cut, cached_tokens=from_cache)

    def _told_of(self, error: BadReplyError) -> str:
        return self._client.hide_key(str(error))  # a server's own words may stand in it

    def _reply(self, answer: Answer, ends: Sequence[str]) -> Reply:
        if answer.data is None:
            raise BadReplyError(answer.problem or "no answer")
        return read_reply(self.endpoint, answer.data, ends)

    def _ask(self, bodies: Sequence[Json], texts: Sequence[str], most: int) -> list[Answer]:
        return self._asker.ask(bodies, [self.count_tokens(text) for text in texts], most)


def _scored(answer: Answer, label: str) -> LabelScore:
    if answer.data is None:
        raise BadReplyError(answer.problem or "no answer")
    return label_score(answer.data, f" {label}")
