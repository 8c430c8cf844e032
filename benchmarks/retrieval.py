"""Retrieval as it grows: time to embed and index, queries a second, memory, and how fast a kept index opens again.

::

    python -m benchmarks.retrieval [--passages 1000 10000 100000] [--vectors 1000000] [--embedder builtin]

Passages are made of invented words with the frequencies of a language (Zipf), some 100 words each, on a few hundred
topics; queries are parts of passages. ``--vectors`` takes made vectors (384 wide, round 5,000 centres), not texts,
to see the choice between exact search and cells, and its recall.
"""

import argparse
import gc
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from baselines.embedding import load_embedder
from baselines.index import build_index
from baselines.vector_index import found_share, make_index, open_index, write_index
from benchmarks.figures import RESULTS, machine, versions, write_result
from evals.example import Passage
from evals.memory import PeakMemory
from evals.protocols import FloatMatrix

WORDS, TOPICS, TOPIC_WORDS = 30_000, 300, 200
K = 5
BATCHES = (1, 64)
QUERIES = 512
WIDTH, CENTRES, SPREAD = 384, 5_000, 0.6
GOAL_SECONDS, GOAL_RECALL = 1.0, 0.95


def made_passages(count: int, seed: int = 0) -> list[Passage]:
    """Return ``count`` passages of 60 to 140 words: half of them common ones, half of the passage's topic."""
    draw = random.Random(seed)
    syllables = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
    words = ["".join(draw.choice(syllables) for _ in range(draw.randint(1, 4))) for _ in range(WORDS)]
    weights = [1 / (rank + 3) for rank in range(WORDS)]
    topics = [draw.sample(words, TOPIC_WORDS) for _ in range(TOPICS)]
    common = draw.choices(words, weights, k=1_000_000)
    passages = []
    for number in range(count):
        topic, size, start = draw.choice(topics), draw.randint(30, 70), draw.randrange(len(common) - 70)
        text = [*common[start : start + size], *draw.choices(topic, k=size)]
        draw.shuffle(text)
        passages.append(Passage(f"p{number}", f"d{number}", "", " ".join(text)))
    return passages


def grown(count: int, embedder_name: str) -> dict[str, Any]:
    """Return the figures of an index over ``count`` passages."""
    passages = made_passages(count)
    draw = random.Random(1)
    picked = [draw.choice(passages).text.split() for _ in range(QUERIES)]
    queries = [" ".join(text[:12]) for text in picked]
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder)
        gc.collect()
        embedder = load_embedder(embedder_name)
        with PeakMemory() as peak:
            started = time.perf_counter()
            index = build_index(passages, embedder, cache)
            built = time.perf_counter() - started
        speeds = {}
        for batch in BATCHES:
            asked = queries[: 64 if batch == 1 else QUERIES]
            index.search(asked[:batch], K)
            started = time.perf_counter()
            for start in range(0, len(asked), batch):
                index.search(asked[start : start + batch], K)
            speeds[f"queries_a_second_by_{batch}"] = round(len(asked) / (time.perf_counter() - started), 1)
        (file,) = cache.glob("*.faiss")
        started = time.perf_counter()
        open_index(file).search(index.vectors()[:1], K)
        opened = time.perf_counter() - started
        started = time.perf_counter()
        build_index(passages, embedder, cache)
        return {
            "passages": count,
            "embedder": embedder.name,
            "build_seconds": round(built, 2),
            "passages_a_second": round(count / built, 1),
            **speeds,
            "peak_memory_mb": peak.megabytes,
            "file_mb": round(file.stat().st_size / 1e6, 1),
            "open_and_first_query_seconds": round(opened, 4),
            "build_again_seconds": round(time.perf_counter() - started, 2),
        }


def made_vectors(count: int, seed: int = 0) -> FloatMatrix:
    """Return unit vectors round ``CENTRES`` centres, as texts of some topics have."""
    draw = np.random.default_rng(seed)
    centres = draw.standard_normal((CENTRES, WIDTH), dtype=np.float32)
    vectors = np.empty((count, WIDTH), dtype=np.float32)
    for start in range(0, count, 100_000):
        part = vectors[start : start + 100_000]
        part[:] = draw.standard_normal(part.shape, dtype=np.float32) * SPREAD
        part += centres[draw.integers(CENTRES, size=len(part))]
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return vectors


def searched(count: int) -> dict[str, Any]:
    """Return the figures of an index over made vectors, beside the exact search of the same queries."""
    import faiss

    vectors = made_vectors(count)
    noise = np.random.default_rng(1).standard_normal((QUERIES, WIDTH), dtype=np.float32) * SPREAD / 2 / WIDTH**0.5
    queries = vectors[np.random.default_rng(2).integers(count, size=QUERIES)] + noise
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    with PeakMemory() as peak:
        started = time.perf_counter()
        index = make_index(vectors)
        built = time.perf_counter() - started
    exact_queries = queries[:128]
    started = time.perf_counter()
    _, true = faiss.knn(exact_queries, vectors, K, metric=faiss.METRIC_INNER_PRODUCT)
    exact = len(exact_queries) / (time.perf_counter() - started)
    del vectors
    started = time.perf_counter()
    found = np.concatenate([index.search(queries[start : start + 64], K)[1] for start in range(0, QUERIES, 64)])
    speed = QUERIES / (time.perf_counter() - started)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.faiss"
        write_index(index, path)
        size = path.stat().st_size
        del index
        gc.collect()
        started = time.perf_counter()
        opened = open_index(path)
        opened.search(queries[:1], K)
        reopened = time.perf_counter() - started
    cells = isinstance(opened, faiss.IndexIVF)
    return {
        "vectors": count,
        "kind": f"cells: {opened.nprobe} of {opened.nlist} looked into" if cells else "exact",
        "build_seconds": round(built, 2),
        "queries_a_second_by_64": round(speed, 1),
        "exact_queries_a_second": round(exact, 1),
        f"recall_at_{K}": round(found_share(found[: len(true)], true), 4),
        "peak_memory_mb": peak.megabytes,
        "file_mb": round(size / 1e6, 1),
        "open_and_first_query_seconds": round(reopened, 4),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passages", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--vectors", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--embedder", default="builtin")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    if asked.passages:
        runs = _each(asked.passages, lambda count: grown(count, asked.embedder))
        figures = {
            "work": f"retrieval: embed and index {asked.passages[-1]:,} passages, {asked.embedder} embedder; "
            f"opened again in {runs[-1]['open_and_first_query_seconds']:.2g} s",
            "ours": runs[-1]["passages_a_second"],
            "unit": "passages/s",
            "goal": f"opened in < {GOAL_SECONDS:g} s",
        }
        _write("retrieval-passages", figures, runs, asked.out)
    if asked.vectors:
        runs = _each(asked.vectors, searched)
        last = runs[-1]
        fast, exact = last["queries_a_second_by_64"], last["exact_queries_a_second"]
        opened = last["open_and_first_query_seconds"]
        figures = {
            "work": f"retrieval: {asked.vectors[-1]:,} vectors, k={K}, queries in batches of 64; "
            f"recall {last[f'recall_at_{K}']:.3g}, opened again in {opened:.2g} s",
            "ours": fast,
            "unit": "queries/s",
            "peer": exact,
            "peer_is": "exact search",
            "ratio": round(fast / exact, 2),
            "goal": f"recall ≥ {GOAL_RECALL}, opened in < {GOAL_SECONDS:g} s",
        }
        _write("retrieval-vectors", figures, runs, asked.out)


def _each(counts: Sequence[int], measure: Callable[[int], dict[str, Any]]) -> list[dict[str, Any]]:
    runs = []
    for count in counts:
        runs.append(measure(count))
        print(runs[-1], flush=True)
    return runs


def _write(name: str, figures: dict[str, Any], runs: Sequence[dict[str, Any]], out: Path) -> None:
    further = {"runs": runs, "versions": versions("faiss-cpu", "scikit-learn", "numpy"), "machine": machine()}
    print(write_result(name, figures | further, out))


if __name__ == "__main__":
    main()
