"""How many tokens a text has for a model whose tokenizer isn't here.

With ``tokenizer:`` the texts are counted by that tokenizer. Without it by an estimate that is meant to be rather too
high than too low: a piece for every six letters of a Latin word, three digits, a sign of punctuation, two bytes of any
other script. What a request really took is told by the server; the estimate only cuts passages, decides how many
shots fit, and says beforehand what a batch may cost.
"""

import re
from collections.abc import Callable

from evals.errors import ModelError

_PIECE = re.compile(r"[A-Za-z]+|[0-9]+|[^\S\n]{2,}|\n+|[^\x00-\x7f]+|[^\sA-Za-z0-9]")
LETTERS, DIGITS, BYTES = 6, 3, 2
"""Letters, digits, and bytes of other scripts that make a token."""


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a large model's tokenizer makes of ``text``."""
    return sum(map(_tokens, _PIECE.findall(text)))


def token_counter(tokenizer: str | None) -> Callable[[str], int]:
    """Return what counts tokens: the tokenizer in a folder (or ``builtin``), or the estimate.

    Raises ``ModelError`` when the tokenizer can't be loaded.
    """
    if tokenizer is None:
        return estimate_tokens
    from transformers import AutoTokenizer

    from baselines.loading import find_folder
    from baselines.model_folder import first_line

    folder = find_folder(tokenizer)
    try:
        loaded = AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
    except Exception as error:  # each tokenizer class raises its own
        raise ModelError(
            f"the tokenizer in {folder} can't be loaded ({first_line(error)}); copy or download it again"
        ) from error
    return lambda text: len(loaded(text, add_special_tokens=False)["input_ids"])


def _tokens(piece: str) -> int:
    if not piece.isascii():
        return -(-len(piece.encode("utf-8", "surrogatepass")) // BYTES)
    if piece.isalpha():
        return -(-len(piece) // LETTERS)
    return -(-len(piece) // DIGITS) if piece.isdigit() else 1
