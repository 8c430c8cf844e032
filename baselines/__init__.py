"""The language-model engine, prompts, retrieval and the classic baselines."""
