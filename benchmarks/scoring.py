"""Scoring and writing answers: our engine against lm-evaluation-harness's ``hf`` backend, in turns, same answers.

::

    python -m benchmarks.scoring --model 135M [--work labels77] [--device cuda] [--data FOLDER]

``135M``, ``1.1B``: a Llama shape with random weights; ``builtin``: the model in the repository. Both get the same
module, prompts, threads and number format; the peer gets the batch size that a short trial finds best. The peer
answers fewer rows where it's slow; times are compared a row. Needs ``pip install 'tuneworthy[bench]'``.
"""

import argparse
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from baselines.device import quiet_transformers
from baselines.local_model import LocalModel
from benchmarks.figures import RESULTS, machine, paired, versions, write_result
from benchmarks.peak import counted_flops, matmul_peak
from benchmarks.scoring_peer import Peer
from benchmarks.scoring_rows import Work, train_tokenizer, works
from benchmarks.shapes import SHAPES, builtin_tokenizer, new_module
from evals.row_order import BATCH_ROWS

Answers = list[Any]

PEER_ROWS = {"labels77": 1, "rag": 32}
"""Rows that the peer answers in a run, drawn evenly from all."""


def load(model: str, device: str, data: Path | None) -> LocalModel:
    """Return the model to be asked: fp32 on a CPU, bf16 on a GPU."""
    import torch

    if model == "builtin":
        from transformers import AutoModelForCausalLM

        import baselines

        folder = Path(baselines.__file__).parent / "builtin"
        module = AutoModelForCausalLM.from_pretrained(str(folder), local_files_only=True).to(device)
        return LocalModel.from_module(module, builtin_tokenizer(), name=model)
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    return LocalModel.from_module(new_module(SHAPES[model], device, dtype), train_tokenizer(data), name=model)


def answer(engine: LocalModel, work: Work, rows: Sequence[int]) -> Answers:
    """Answer ``rows`` from nothing but the weights, in the batches and the order of an arm; answers as rows stand."""
    engine.forget_prefix()
    asked = sorted(rows, key=lambda row: [passage.id for passage in work.prompts[row].passages])
    found: dict[int, Any] = {}
    for start in range(0, len(asked), BATCH_ROWS):
        batch = asked[start : start + BATCH_ROWS]
        prompts = [work.prompts[row] for row in batch]
        if work.limits is None:
            choices = engine.choose(prompts, work.labels)
            found |= {row: (it.by_sum, it.loglikelihoods) for row, it in zip(batch, choices, strict=True)}
        else:
            written = engine.generate(prompts, work.limits)
            found |= {row: (it.text.strip(), ()) for row, it in zip(batch, written, strict=True)}
    return [found[row] for row in rows]


def compare(engine: LocalModel, work: Work, *, pairs: int, peer_rows: int) -> dict[str, Any]:
    """Let both answer in turns ``pairs`` times and return the figures."""
    device = engine.module.device.type
    peer = Peer(engine)
    rows = range(len(work.prompts))
    batch = peer.best_batch(work)
    answer(engine, work, rows[:4])
    peak = matmul_peak(device, engine.module.dtype)
    times: dict[str, list[float]] = {"ours": [], "peer": []}
    differing, largest, compared = 0, 0.0, 0
    for turn in range(pairs):
        part = spread(len(rows), peer_rows, turn / pairs)
        started = time.perf_counter()
        mine = answer(engine, work, rows)
        _wait(device)
        times["ours"].append((time.perf_counter() - started) / len(rows))
        started = time.perf_counter()
        theirs = peer.answer(work, part, batch)
        _wait(device)
        times["peer"].append((time.perf_counter() - started) / len(part))
        for row, other in zip(part, theirs, strict=True):
            compared += 1
            differing += mine[row][0] != other[0]
            largest = max([largest, *(abs(a - b) for a, b in zip(mine[row][1], other[1], strict=True))])
        print(
            f"{work.name} {engine.name} {device}: ours {1e3 * times['ours'][-1]:,.1f} ms a row, "
            f"peer {1e3 * times['peer'][-1]:,.1f} (batch {batch}), {differing} of {compared} rows differ",
            flush=True,
        )
    flops = counted_flops(lambda: answer(engine, work, rows)) / len(rows)
    figures = paired(times["ours"], times["peer"], smaller_is_better=True)
    return {
        "work": f"{work.title}, {engine.name}, {device}",
        "unit": "seconds a row",
        "peer_is": "lm-evaluation-harness, hf backend",
        **figures,
        "goal": work.goal,
        "differing_rows": differing,
        "compared_rows": compared,
        "largest_loglikelihood_difference": largest if work.limits is None else None,
        "rows": len(rows),
        "peer_rows_a_run": peer_rows,
        "peer_batch": batch,
        "prompt_tokens": sorted(len(engine.encode_prompt(prompt)) for prompt in work.prompts)[len(rows) // 2],
        "gigaflop_a_row": round(flops / 1e9, 3),
        "matmul_peak_gflops": round(peak / 1e9, 1),
        "share_of_peak": round(flops / figures["ours"] / peak, 3),
        "versions": versions("torch", "transformers", "lm-eval", "tokenizers"),
        "machine": machine(device),
    }


def spread(rows: int, count: int, shift: float) -> list[int]:
    """Return ``count`` of ``rows`` rows at even distances; a ``shift`` between 0 and 1 gives others between them."""
    count = min(count, rows)
    return [int((place + shift) * rows / count) for place in range(count)]


def _wait(device: str) -> None:
    import torch

    if device == "cuda":
        torch.cuda.synchronize()


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the command line asks for and write one result for each piece of work."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=("builtin", *SHAPES), default="135M")
    parser.add_argument("--work", action="append", choices=("labels77", "labels6", "short", "rag"))
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument(
        "--data", type=Path, help="a folder of data sets (banking77, trec6, squad_xquad); default: made"
    )
    parser.add_argument("--rows", type=int, help="default: 520 for passages, else 64")
    parser.add_argument("--peer-rows", type=int, help="default: 1 for 77 labels, 32 with passages, else 16")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    quiet_transformers()
    if asked.data is not None and not asked.data.is_dir():
        print(f"{asked.data} isn't there: rows are made up, of like lengths")
    engine = load(asked.model, asked.device, asked.data)
    for work in works(asked.data, asked.rows, engine.tokenizer):
        if asked.work and work.name not in asked.work:
            continue
        peer_rows = asked.peer_rows or PEER_ROWS.get(work.name, 16)
        figures = compare(engine, work, pairs=asked.pairs, peer_rows=peer_rows)
        path = write_result(f"scoring-{work.name}-{asked.model}-{asked.device}", figures, asked.out)
        print(f"{figures['work']}: {figures['ratio']:.2f} times the peer; {path}", flush=True)


if __name__ == "__main__":
    main()
