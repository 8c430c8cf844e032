"""Asks an endpoint a batch of requests: from the run's journal what it holds, the rest counted and within the limit."""

from collections.abc import Sequence
from pathlib import Path

from baselines.endpoint_client import Answer, EndpointClient
from baselines.endpoint_journal import Journal, request_key
from baselines.endpoint_tokens import estimate_tokens
from baselines.endpoint_wire import (
    PATHS,
    BadReplyError,
    Json,
    Usage,
    answer_body,
    first_choice,
    read_reply,
    read_usage,
    render,
)
from evals.errors import ModelError, SpendingError
from evals.example import Prompt
from evals.model_ref import Endpoint
from evals.protocols import Limits
from evals.spending import Meter, Taken

GREETING = Prompt("Say yes.", "Are you there?")
GREETING_TOKENS = 16
"""Some servers take no smaller limit."""


class Asker:
    """Sends requests for one model; ``alias`` is what ``models:`` calls it.

    With ``serving`` every request is sent, so that its time can be taken. ``seed`` is whose answers are drawn, where
    chance plays a part in them.
    """

    def __init__(self, endpoint: Endpoint, client: EndpointClient, meter: Meter, alias: str | None) -> None:
        self.serving = False
        self.seed = 0
        self._endpoint = endpoint
        self._client = client
        self._meter = meter
        self._alias = alias
        self._expected, self._counted = 0, 0
        self._journals: dict[Path, Journal] = {}

    def greet(self) -> None:
        """Send a small request: a wrong address, key, name or field is known before anything is loaded or trained.

        It's counted like any other. Raises ``ModelError`` when it isn't answered.
        """
        limits = Limits(GREETING_TOKENS)
        body = answer_body(self._endpoint, GREETING, limits)
        size, most = estimate_tokens(render(self._endpoint, GREETING)), _most_written(body, GREETING_TOKENS)
        try:
            self._meter.check(self._alias, Taken(size, most))
        except SpendingError:
            return  # the run itself says so, and how to go on
        answer = self._client.post_one(PATHS[self._endpoint.api], body)
        self._count(answer, size, most)
        if answer.data is None:
            told = f"{self._endpoint.endpoint}: a small first request failed: {answer.problem}"
            raise ModelError(f"{told}; check endpoint, name, api and parameters, and whether the server is well")

    def ask(self, bodies: Sequence[Json], sizes: Sequence[int], most: int) -> list[Answer]:
        """Return the answers in order; ``sizes`` are about the tokens that each reads, ``most`` what it may write.

        Raises ``ModelError`` when the server refuses us, ``SpendingError`` at the limit on costs.
        """
        journal, url = self._journal(), f"{self._endpoint.endpoint}{PATHS[self._endpoint.api]}"
        keys = [request_key(url, body, self.seed) for body in bodies]
        kept = {key: found for key in keys if journal is not None and (found := journal.get(key)) is not None}
        asked = [place for place, key in enumerate(keys) if key not in kept]
        if asked:
            read = self._likely(sum(sizes[place] for place in asked))
            written = sum(_most_written(bodies[place], most) for place in asked)
            self._meter.check(self._alias, Taken(read, written))

        def done(number: int, answer: Answer) -> None:
            place = asked[number]
            self._count(answer, sizes[place], _most_written(bodies[place], most))
            if journal is not None and answer.data is not None and self._is_whole(bodies[place], answer.data):
                journal.put(keys[place], answer.data, answer.ms / self._endpoint.concurrency)

        made = self._client.post_all(
            PATHS[self._endpoint.api],
            [bodies[place] for place in asked],
            check=lambda: self._meter.check(self._alias),
            done=done,
        )
        sent = dict(zip(asked, made, strict=True))
        return [
            sent[place] if place in sent else Answer(kept[key][0], ms=kept[key][1], kept=True)
            for place, key in enumerate(keys)
        ]

    def _journal(self) -> Journal | None:
        """Return the run's journal; None while single requests are timed, and before there's a run."""
        folder = self._meter.folder
        if self.serving or folder is None:
            return None
        if folder not in self._journals:
            self._journals[folder] = Journal(folder)
        return self._journals[folder]

    def _likely(self, size: int) -> int:
        """Return the tokens of what is ``size`` by our estimate, going by what the server counted so far."""
        return round(size * self._counted / self._expected) if self._expected and self._counted else size

    def _count(self, answer: Answer, size: int, most: int) -> None:
        usage = Usage() if answer.data is None else read_usage(answer.data)
        if usage.prompt is not None:
            self._expected += size
            self._counted += usage.prompt
        answered = answer.data is not None
        read = usage.prompt if usage.prompt is not None else size * answered
        read += self._likely(size) * answer.timeouts  # the server read that too, and says nothing of it
        written = usage.completion if usage.completion is not None else most * answered
        self._meter.add(self._alias, Taken(read, written, usage.cached, answer.retries, not answered))

    def _is_whole(self, body: Json, data: Json) -> bool:
        """Tell whether an answer is one that can be read: of another the next try may be better."""
        try:
            if body.get("echo"):
                return isinstance(first_choice(data).get("logprobs"), dict)
            read_reply(self._endpoint, data, ())
        except BadReplyError:
            return False
        return True


def _most_written(body: Json, most: int) -> int:
    """Return the tokens that an answer may have: what the request allows, ``most`` where it says nothing."""
    told = [body.get("max_tokens"), body.get("max_completion_tokens")]
    return max((limit for limit in told if isinstance(limit, int) and not isinstance(limit, bool)), default=most)
