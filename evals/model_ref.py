"""What a task file may name as a model: text (a hub name, a folder, ``builtin``), or an endpoint.

An endpoint is a server that speaks the OpenAI protocol. Its key comes from an environment variable and from
nowhere else: what is written here goes into ``run.json``.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    StringConstraints,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from evals.secret_text import inner_names, inner_texts, may_be_key, names_a_secret

SECRET = "secret"
"""The kind of a problem whose value is not shown: it may hold a key."""

BRANCHES = ("(text)", "(endpoint)")
"""The parts of a problem's place that tell which form of a model was read."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _url(text: str) -> str:
    try:
        parts = urlsplit(text.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise PydanticCustomError(SECRET, "must be an address as in http://localhost:8000/v1") from None
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise PydanticCustomError(
            SECRET, "must hold no key, user or query: put the key in an environment variable and name that by key_env"
        )
    if parts.scheme not in ("http", "https") or not host:
        raise PydanticCustomError(SECRET, "must be an address as in http://localhost:8000/v1")
    return text.strip().rstrip("/")


def _variable(text: str) -> str:
    if not _VARIABLE.fullmatch(text.strip()):
        raise PydanticCustomError(SECRET, "must be the name of an environment variable, never the key itself")
    return text.strip()


OURS = ("messages", "model", "n", "prompt", "stop", "stream", "echo", "logprobs")
"""Fields of a request that say what is asked, and can't be parameters."""


def _free(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    names = [*(key for key in value if key in OURS), *filter(names_a_secret, inner_names(value))]
    if names:
        shown = {"key": names[0] if re.fullmatch(r"[A-Za-z_\-]{1,24}", names[0]) else "a key"}
        raise PydanticCustomError(SECRET, "can't hold {key}; it isn't a parameter of an answer", shown)
    return value


def _typed(value: object) -> object:
    """Return a section whose scalars, which a task file leaves as text, are numbers and truth values where they can."""
    if isinstance(value, Mapping):
        return {key: _typed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_typed(inner) for inner in value]
    if isinstance(value, str):
        try:
            read = yaml.safe_load(value)
        except yaml.YAMLError:
            return value
        return read if isinstance(read, bool | int | float) else value
    return value


class Endpoint(BaseModel):
    """A model behind a server that speaks the OpenAI protocol (vLLM, Ollama, llama.cpp, hosted ones)."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    endpoint: Annotated[str, AfterValidator(_url)] = Field(
        description="The server's address up to and with /v1, as in http://localhost:8000/v1."
    )
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] = Field(
        description="The model's name as the server knows it."
    )
    api: Literal["chat", "completions"] = Field(
        "chat", description="chat: messages, for tuned chat models; completions: the plain prompt, for base models."
    )
    system: bool = Field(
        True,
        description="false for models that refuse a system message: the first turn opens with it.",
    )
    key_env: Annotated[str, AfterValidator(_variable)] = Field(
        "OPENAI_API_KEY", description="The environment variable that holds the key; without one no key is sent."
    )
    context: int | None = Field(
        None, ge=64, description="Longest prompt plus answer in tokens; default: what the server says, else 8192."
    )
    tokenizer: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] | None = Field(
        None, description="Folder of its tokenizer, or builtin, to count tokens exactly; default: an estimate."
    )
    concurrency: int = Field(4, ge=1, le=256, description="Requests under way at the same time, at most.")
    timeout: float = Field(120.0, gt=0, description="Seconds that one request may take.")
    retries: int = Field(
        5, ge=0, le=20, description="Further tries after a 429, a 5xx, a timeout or a lost connection."
    )
    parameters: Annotated[dict[str, JsonValue], BeforeValidator(_typed), AfterValidator(_free)] = Field(
        default_factory=dict, description="Further fields of each request; one that is null is left out."
    )

    @model_validator(mode="after")
    def _holds_no_key(self) -> Self:
        """Refuse what may be a key, wherever it stands, without showing it."""
        for field in ("endpoint", "name", "tokenizer", "parameters"):
            if any(may_be_key(text, self.key_env) for text in inner_texts(getattr(self, field))):
                raise PydanticCustomError(
                    SECRET,
                    "holds what looks like a key in {field}: put that in an environment variable, named by key_env",
                    {"field": field},
                )
        return self

    @property
    def called(self) -> str:
        """How a report calls it: the model's name and the server's host."""
        return f"{self.name} at {urlsplit(self.endpoint).netloc}"


def _branch(value: Any) -> str:  # noqa: ANN401 -- whatever stands in the file
    return BRANCHES[isinstance(value, Mapping | Endpoint)]


ModelRef = Annotated[
    Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), Tag(BRANCHES[0])]
    | Annotated[Endpoint, Tag(BRANCHES[1])],
    Discriminator(_branch),
]
"""A hub name, a local folder or ``builtin`` as text; or an endpoint as a section."""

Alias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
"""What ``models:`` calls a model: part of an arm's name and so of a folder's."""


def called(ref: str | Endpoint) -> str:
    """Return how a report calls the model ``ref``."""
    return ref.called if isinstance(ref, Endpoint) else ref
