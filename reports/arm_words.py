"""What the arms of a run are, in a few words each, for readers who didn't choose them."""

from collections.abc import Mapping
from typing import Any

WORDS = {
    "majority": "always gives the most frequent training answer; no language model",
    "nearest": "gives the answer of the training row most like the input; no language model",
    "logistic": "a classic classifier, logistic regression; no language model",
    "zero_shot": "a language model with the instruction alone",
    "few_shot": "a language model with worked examples in the prompt",
    "few_shot_nearest": "a language model with the training rows most like the input as examples",
    "cot": "a language model that reasons first, then answers",
    "rag": "a language model that is given passages found for the input (retrieval)",
    "rag_shots": "retrieval, with worked examples besides",
    "qlora": "a language model trained on the training rows by a small adapter, its own weights held in 4 bits",
    "lora": "a language model trained on the training rows by a small adapter",
    "full": "a language model all of whose weights were trained on the training rows",
    "scratch": "a language model trained from nothing on the training rows",
    "rag_qlora": "retrieval and training together, weights held in 4 bits",
    "rag_lora": "retrieval and training together",
    "adapter": "a language model with an adapter that was trained before this run",
}


def arm_words(results: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return each arm that ran with what it is; an arm on a model of its own (``few_shot@big``) by its kind."""
    ran = [arm["name"] for arm in results["arms"] if arm["status"] != "skipped"]
    return [(name, WORDS[kind]) for name in ran if (kind := name.partition("@")[0]) in WORDS]
