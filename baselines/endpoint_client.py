"""Requests to a server that speaks the OpenAI protocol: several at a time, tried again where that can help.

Tried again, after a wait that doubles and has jitter, are answers 429, 408 and 5xx, timeouts and lost connections, and
nothing else; a ``Retry-After`` is honoured. A request that fails all the same is a failure of its own row. The key is
read from the environment, goes into one header, and is taken out of whatever a server says of a failure before anyone
sees it, with what may be a part of it; out of an answer only whole.
"""

import asyncio
import os
import random
import re
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import httpx2

from baselines.endpoint_session import Session
from baselines.endpoint_waiting import QUIET, Waiting
from baselines.endpoint_words import SHOWN, json_object, message, retry_after
from evals.errors import ModelError, SpendingError, TuneworthyError, UsageError
from evals.model_ref import Endpoint

FIRST_WAIT = 0.5
"""Seconds before the second try; each further wait is twice as long."""

LONGEST_WAIT = 60.0
"""Seconds that a wait of our own choice may take."""

LONGEST_ASKED_WAIT = 600.0
"""Seconds that a server may ask us to wait; a longer ``Retry-After`` is a failure."""

WHOLE_KEY = 16
"""Characters that a key has at least, for its place in a successful answer to be no chance."""

_CHANCE = random.SystemRandom()
"""Waits of several runs mustn't be alike; no result depends on them."""

T = TypeVar("T")
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one request: the server's JSON object, or the problem; ``retries`` are its further tries.

    ``lost``: the server couldn't be reached or had no time for us, so the problem says nothing about the request.
    ``ms`` are its milliseconds, waits and all. ``kept``: it was had before, and comes from the run's journal.
    ``timeouts`` are the tries that we gave up on: the server may have read the prompt all the same.
    """

    data: Json | None
    problem: str | None = None
    retries: int = 0
    lost: bool = False
    ms: float = 0.0
    kept: bool = False
    timeouts: int = 0


class _Again(Exception):  # noqa: N818 -- no error: a reason to try again
    """The request may be tried again; ``wait`` is what the server asks for, in seconds.

    ``failed``: it answered 5xx; ``timeout``: it didn't answer in time.
    """

    def __init__(self, why: str, wait: float | None = None, *, failed: bool = False, timeout: bool = False) -> None:
        super().__init__(why)
        self.wait = wait
        self.failed = failed
        self.timeout = timeout


def read_key(endpoint: Endpoint) -> str | None:
    """Return the key out of the environment, or None. Raises ``UsageError`` for one that can't be sent."""
    key = os.environ.get(endpoint.key_env, "").strip()
    if key and not (key.isascii() and key.isprintable()):
        raise UsageError(f"the key in {endpoint.key_env} holds characters that can't be sent; set it anew")
    return key or None


class EndpointClient:
    """Talks to one endpoint; ``transport``, ``sleep`` and ``jitter`` (0…1) are there for tests to take the place of."""

    def __init__(
        self,
        endpoint: Endpoint,
        key: str | None,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = _CHANCE.random,
        quiet: float = QUIET,
    ) -> None:
        self.endpoint = endpoint
        self._key = key
        self._transport = transport
        self._sleep = sleep
        self._jitter = jitter
        self._session: Session | None = None
        self._waiting = Waiting(endpoint.endpoint, endpoint.timeout, quiet)

    def get(self, path: str) -> Answer:
        """Return what the server says at ``path``. Raises ``ModelError`` when it can't be reached or refuses us."""
        return self._run(self._tried("GET", path, None, min(1, self.endpoint.retries)))

    def post_one(self, path: str, body: Json) -> Answer:
        """Return the answer to one request, tried twice at most. Raises ``ModelError`` when the server refuses us."""
        return self._run(self._tried("POST", path, body, min(1, self.endpoint.retries)))

    def post_all(
        self, path: str, bodies: Sequence[Json], *, check: Callable[[], None], done: Callable[[int, Answer], None]
    ) -> list[Answer]:
        """Send every body and return the answers in order.

        ``check`` is called before each request and may raise ``SpendingError``. Raises ``ModelError`` when the server
        refuses us altogether (401, 403, 404, a redirect). In both cases no further request is begun or tried again,
        and those under way are finished: they are paid for. ``done`` is called after each with its place and answer.
        """
        return self._run(self._post_all(path, bodies, check, done))

    def hide_key(self, text: str) -> str:
        """Return ``text`` without the key, or a part of it that a server masked but for its beginning."""
        if not self._key:
            return text
        text = text.replace(self._key, "***")
        return re.sub(re.escape(self._key[:6]) + r"[\w*.\-]*", "***", text) if len(self._key) >= 12 else text

    def _without_whole_key(self, text: str) -> str:
        """Return an answer as it is; of a leaked key alone it's cleaned. A short one may be a word of any answer."""
        return text.replace(self._key, "***") if self._key and len(self._key) >= WHOLE_KEY else text

    async def _post_all(
        self, path: str, bodies: Sequence[Json], check: Callable[[], None], done: Callable[[int, Answer], None]
    ) -> list[Answer]:
        free = asyncio.Semaphore(self.endpoint.concurrency)
        stopped: list[TuneworthyError] = []

        async def one(place: int) -> Answer:
            async with free:
                try:
                    check()
                except SpendingError as error:
                    stopped.append(error)
                if stopped:
                    return Answer(None, "not asked")
                started = time.perf_counter()
                try:
                    answer = await self._tried("POST", path, bodies[place], self.endpoint.retries, stopped)
                except ModelError as error:
                    stopped.append(error)
                    return Answer(None, "refused")
                answer = replace(answer, ms=1e3 * (time.perf_counter() - started))
                done(place, answer)
                return answer

        tasks = [asyncio.ensure_future(one(place)) for place in range(len(bodies))]
        try:
            answers = await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise
        if stopped:
            raise stopped[0]
        return answers

    async def _tried(
        self, method: str, path: str, body: Json | None, retries: int, stopped: Sequence[TuneworthyError] = ()
    ) -> Answer:
        with self._waiting.watch(retries + 1):
            return await self._in_turn(method, path, body, retries, stopped)

    async def _in_turn(
        self, method: str, path: str, body: Json | None, retries: int, stopped: Sequence[TuneworthyError]
    ) -> Answer:
        timeouts = 0
        for tries in range(retries + 1):
            try:
                return replace(await self._once(method, path, body, tries), timeouts=timeouts)
            except _Again as again:
                why, asked, lost = str(again), again.wait, not again.failed
                self._waiting.problem = why
                timeouts += again.timeout
            if asked is not None and asked > LONGEST_ASKED_WAIT:
                return Answer(None, f"{why} and asks us to wait {asked:,.0f} s", tries, lost, timeouts=timeouts)
            if stopped:
                return Answer(None, why, tries, lost, timeouts=timeouts)
            if tries < retries:
                own = min(FIRST_WAIT * 2**tries, LONGEST_WAIT) * (0.5 + self._jitter() / 2)
                await self._sleep(own if asked is None else asked + own)
        times = f", {retries + 1} times in a row" if retries else ""
        return Answer(None, f"{why}{times}", retries, lost, timeouts=timeouts)

    async def _once(self, method: str, path: str, body: Json | None, tries: int) -> Answer:
        url = f"{self.endpoint.endpoint}{path}"
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        session = self._opened()
        try:
            async with asyncio.timeout(self.endpoint.timeout):
                response = await session.client.request(method, url, json=body, headers=headers)
        except (TimeoutError, httpx2.TimeoutException):
            raise _Again(f"no answer within {self.endpoint.timeout:g} s", timeout=True) from None
        except (httpx2.NetworkError, httpx2.RemoteProtocolError) as error:
            raise _Again(f"the connection failed ({self._said(str(error)) or type(error).__name__})") from None
        except httpx2.HTTPError as error:
            return Answer(None, f"the answer can't be read ({self._said(str(error))})", tries)
        if response.is_success:
            text = self._without_whole_key(response.text)
            if (data := json_object(text)) is not None:
                return Answer(data, None, tries)
            kind = response.headers.get("content-type", "no type").partition(";")[0]
            told = f"the answer is no JSON object ({kind}, {len(response.content):,} bytes): {self._said(text)}"
            return Answer(None, told, tries)
        text = self.hide_key(response.text)
        why = self._refused(response, self._said(message(json_object(text), text)), optional=method == "GET")
        return Answer(None, why, tries)

    def _refused(self, response: httpx2.Response, said: str, *, optional: bool) -> str:
        """Return why a single request is refused; raise when all would be, or when trying again may help."""
        status, server = response.status_code, self.endpoint.endpoint
        told = f"the server answers {status}" + (f" ({said})" if said else "")
        if status in (408, 429) or status >= 500:
            raise _Again(told, retry_after(response.headers.get("retry-after")), failed=status >= 500)
        if status in (401, 403):
            held = "holds a key that it refuses" if self._key else "holds no key"
            raise ModelError(f"{server}: {told}; {self.endpoint.key_env} {held}")
        if status == 404 and not optional:
            raise ModelError(f"{server}: {told}; check endpoint (it ends with /v1, mostly), name and api")
        if response.is_redirect:
            raise ModelError(f"{server}: {told}, a redirect; give the address that it leads to")
        return told

    def _said(self, text: str) -> str:
        """Return a server's words on one line, cut, without the key."""
        line = " ".join(self.hide_key(text).split())
        return line[:SHOWN] + "…" if len(line) > SHOWN else line

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        session = self._opened()
        try:
            return session.runner.run(work)
        except BaseException:  # also Ctrl-C: what was under way mustn't go on at the next call
            self._session = None
            session.close()
            raise

    def _opened(self) -> Session:
        if self._session is None:
            self._session = Session(self._transport, self.endpoint.concurrency)
        return self._session
