"""``tuneworthy builtin``: what the built-in model is, or what it can do, as text."""

import json
from dataclasses import asdict

from advisor.engine import lazy_model
from finetune.abilities import as_markdown, measure_abilities
from finetune.private_rule import measure_learning


def describe_model(ref: str, *, as_json: bool) -> str:
    """Return name, context and fingerprint of the model ``ref``. Raises ``ModelError``."""
    engine = lazy_model(ref)()
    facts = {"model": engine.name, "context": engine.context, "fingerprint": engine.fingerprint}
    return json.dumps(facts, indent=1) if as_json else "\n".join(f"{key}: {value}" for key, value in facts.items())


def describe_abilities(ref: str, *, rows: int, seed: int, as_json: bool) -> str:
    """Return what the model ``ref`` gets right of ``rows`` new questions per ability, and whether it can be taught.

    Raises ``ModelError`` when it can't be loaded, ``ArmError`` when it can't be trained.
    """
    engine = lazy_model(ref)()
    measured = measure_abilities(engine, rows=rows, seed=seed) + measure_learning(ref, engine, rows=rows, seed=seed)
    return json.dumps([asdict(ability) for ability in measured], indent=1) if as_json else as_markdown(measured)
