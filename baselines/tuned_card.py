"""What our own training leaves beside a model or an adapter: ``tuneworthy.json``, a card of its origin."""

import json
from dataclasses import dataclass
from pathlib import Path

from evals.errors import ModelError

CARD = "tuneworthy.json"
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class TunedCard:
    """What a trained folder says of itself: the base it belongs to and how it was made.

    ``base_fingerprint`` is the engine's, of the base without any adapter. ``key`` is a digest over all
    that decided the training: an interrupted run takes up a finished fit only when it's equal.
    """

    base: str
    base_fingerprint: str
    method: str
    quantised: bool
    seed: int
    key: str = ""


def read_card(folder: Path) -> TunedCard | None:
    """Return the card in ``folder``, or None when there is none (an adapter made elsewhere).

    Raises ``ModelError`` when the card can't be read or is of another schema.
    """
    path = folder / CARD
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        schema = record.pop("schema", None)
        if schema != SCHEMA:
            raise ValueError(f"schema {schema}, not {SCHEMA}")
        return TunedCard(**record)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path} can't be used ({error}); train again, or delete that file to load the folder unchecked"
        ) from error
