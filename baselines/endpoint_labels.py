"""How likely a label is behind a prompt, out of a completion with ``echo`` and ``logprobs``.

The server is given prompt and label as one text and says how likely each of its tokens was. The label's tokens are
found from the end, since a server may put tokens of its own in front (BOS), and may or may not count offsets in
characters. Some servers take both fields and answer with the written tokens alone (llama.cpp does), others ignore
them: then, or where no token ends right before the label, there is no score, and none is made up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from baselines.endpoint_wire import BadReplyError, first_choice, read_usage
from evals.extraction import extract
from evals.protocols import Choice, Generation

LEAST = -1e9
"""The log-likelihood of a token is never below this, unless the server tells nonsense."""


@dataclass(frozen=True, slots=True)
class LabelScore:
    """The summed log-likelihood of a label's tokens, and how many these are."""

    loglikelihood: float
    tokens: int


def label_score(data: Mapping[str, Any], label: str) -> LabelScore:
    """Return the score of ``label``, the end of the text that ``data`` answers to. Raises ``BadReplyError``."""
    choice = first_choice(data)
    told = choice.get("logprobs")
    if not isinstance(told, Mapping):
        raise BadReplyError("the server gives no log-likelihoods")
    tokens, values = told.get("tokens"), told.get("token_logprobs")
    if not isinstance(tokens, list) or not isinstance(values, list) or len(tokens) != len(values):
        raise BadReplyError("the server gives no log-likelihoods by token")
    written = read_usage(data).completion
    end = len(tokens) - (1 if written is None else written)
    start, rest = end, label
    while rest and start > 0 and isinstance(token := tokens[start - 1], str) and token and rest.endswith(token):
        rest = rest.removesuffix(token)
        start -= 1
    if rest:
        raise BadReplyError("the server gives no log-likelihoods of a prompt's last tokens, or other tokens than asked")
    if start == 0:
        raise BadReplyError("the server gives log-likelihoods of the label alone, not behind its prompt")
    mine = values[start:end]
    # Compared, not converted: an integer of hundreds of digits is JSON too. NaN is not between the two.
    if not all(isinstance(value, int | float) and LEAST <= value <= 1e-6 for value in mine):
        raise BadReplyError("the server leaves out log-likelihoods of a prompt's tokens")
    return LabelScore(float(sum(mine)), end - start)


def read_label(answer: Generation, labels: Sequence[str]) -> Choice:
    """Return the label that a written answer names, or the answer as it is; it has no log-likelihoods."""
    tokens = (answer.prompt_tokens, answer.completion_tokens, answer.ms)
    if answer.error is not None:
        return Choice(answer.prompt, "", "", (), *tokens, answer.error)
    found = extract(answer.text, "label", labels, strict=False) or answer.text
    return Choice(answer.prompt, found, found, (), *tokens, cached_tokens=answer.cached_tokens)


def one_begins_another(labels: Sequence[str]) -> bool:
    """Tell whether one label's text begins another's: the shorter one's sum would always win."""
    ranked = sorted(set(labels))
    return any(later.startswith(first) for first, later in zip(ranked, ranked[1:], strict=False))
