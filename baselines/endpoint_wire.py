"""What is sent to an endpoint and what is read out of its answers (OpenAI's chat completions and completions)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from baselines.endpoint_words import SHOWN, message
from baselines.render import STOPS, render_messages, render_plain
from evals.example import Prompt
from evals.model_ref import Endpoint
from evals.protocols import Limits

PATHS = {"chat": "/chat/completions", "completions": "/completions"}
MOST_TOKENS = 10**9
"""A server that counts more in one request has told nothing: it would end in no number that can be reckoned with."""

MOST_STOPS = 4
"""Stop strings that the protocol takes in one request; further ones are cut off here."""

Json = dict[str, Any]


class BadReplyError(Exception):
    """The server's answer lacks what an answer must have; ``str()`` says what."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of a request as the server counts them; None where it says nothing. ``cached`` are part of ``prompt``."""

    prompt: int | None = None
    completion: int | None = None
    cached: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its text without space around it, whether it was cut at its limit, and what it took."""

    text: str
    cut: bool
    usage: Usage


def render(endpoint: Endpoint, prompt: Prompt) -> str:
    """Return what is sent, as text; a chat's turns are named in brackets, since its template is the server's."""
    if endpoint.api == "completions":
        return render_plain(prompt)
    turns = render_messages(prompt, system_role=endpoint.system)
    return "\n\n".join(f"[{turn['role']}]\n{turn['content']}" for turn in turns)


def stops(endpoint: Endpoint, limits: Limits) -> tuple[str, ...]:
    """Return the strings that end an answer."""
    own = STOPS if endpoint.api == "completions" else ()
    return tuple(dict.fromkeys(stop for stop in (*limits.stop, *own) if stop))


def answer_body(endpoint: Endpoint, prompt: Prompt, limits: Limits) -> Json:
    """Return the request for an answer to ``prompt``, greedy unless ``parameters`` say otherwise."""
    body: Json = {"model": endpoint.name, "temperature": 0, "max_tokens": limits.max_new_tokens}
    if endpoint.api == "chat":
        body["messages"] = render_messages(prompt, system_role=endpoint.system)
    else:
        body["prompt"] = render_plain(prompt)
    if ends := stops(endpoint, limits):
        body["stop"] = list(ends[:MOST_STOPS])
    return _with_parameters(endpoint, body)


def score_body(endpoint: Endpoint, text: str) -> Json:
    """Return the request for the likelihood of every token of ``text``; servers want to write one more."""
    body: Json = {"model": endpoint.name, "temperature": 0, "max_tokens": 1, "prompt": text}
    return _with_parameters(endpoint, body | {"echo": True, "logprobs": 1})


def read_reply(endpoint: Endpoint, data: Mapping[str, Any], ends: Sequence[str]) -> Reply:
    """Return the answer in ``data``, cut off at the first of ``ends``. Raises ``BadReplyError``."""
    choice = first_choice(data)
    if endpoint.api == "chat":
        message = choice.get("message")
        text = message.get("content") if isinstance(message, Mapping) else None
    else:
        text = choice.get("text")
    reason = choice.get("finish_reason")
    if reason == "content_filter":
        raise BadReplyError("the server's filter held the answer back")
    if not isinstance(text, str):
        if reason == "length":
            raise BadReplyError("the limit was used up before any text was written; raise generate.max_new_tokens")
        raise BadReplyError(f"the server's answer holds no text (finish_reason: {reason})")
    places = [place for place in (text.find(end) for end in ends) if place >= 0]
    return Reply(text[: min(places, default=len(text))].strip(), reason == "length" and not places, read_usage(data))


def first_choice(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the first of an answer's choices. Raises ``BadReplyError``."""
    choices = data.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        said = message(data, "") if "error" in data else ""
        raise BadReplyError("the server's answer holds no choices" + (f" ({said[:SHOWN]})" if said else ""))
    return choices[0]


def read_usage(data: Mapping[str, Any]) -> Usage:
    """Return the tokens that the server counted."""
    usage = data.get("usage")
    if not isinstance(usage, Mapping):
        return Usage()
    details = usage.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, Mapping) else None
    return Usage(_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")), cached or 0)


def read_from_cache(usages: Sequence[Usage]) -> int | None:
    """Return the prompt tokens that the server read from its cache; None where it didn't count those of a prompt."""
    if not usages or any(usage.prompt is None for usage in usages):
        return None
    return sum(min(usage.cached, usage.prompt or 0) for usage in usages)


def _count(value: object) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= MOST_TOKENS else None


def _with_parameters(endpoint: Endpoint, body: Json) -> Json:
    return {key: value for key, value in (body | endpoint.parameters).items() if value is not None}
