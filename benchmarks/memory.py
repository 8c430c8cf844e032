"""Peak GPU memory of our trainer against the advisor's estimate, for LoRA and QLoRA on Llama shapes.

::

    python -m benchmarks.memory --shape 1.1B --shape 7B

Rows are learnt whole or at their end only; the measured peak is what PyTorch reserved, plus
what CUDA itself took of the card, so that it stands beside the estimate's total.
"""

import argparse
import gc
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from advisor.memory_estimate import GIB, Decoder, Method, TrainingSetup, estimate_memory
from baselines.device import quiet_transformers
from baselines.quantised import prepare_quantised, quiet_bitsandbytes
from benchmarks.figures import RESULTS, machine, versions, write_result
from benchmarks.shapes import SHAPES, Shape, in_four_bits, new_module
from benchmarks.training_rows import full_rows
from evals.task_file import Tune
from finetune.activations import ForwardPlan
from finetune.adapters import add_lora
from finetune.schedule import Schedule
from finetune.trainer import TrainingRows, train_module

STEPS = 3


def decoder(shape: Shape) -> Decoder:
    """Return the shape as the estimate knows it."""
    width = shape.hidden // shape.heads * shape.key_value
    layer = 2 * shape.hidden * (shape.hidden + width) + 3 * shape.hidden * shape.intermediate + 2 * shape.hidden
    embedding = shape.vocabulary * shape.hidden * (1 if shape.tied else 2)
    return Decoder(
        weights=layer * shape.layers + embedding + shape.hidden,
        layers=shape.layers,
        hidden=shape.hidden,
        intermediate=shape.intermediate,
        vocabulary=shape.vocabulary,
        key_value=width,
        tied=shape.tied,
    )


def measured(shape: Shape, method: Method, tokens: int, rows: int, learnt: int, *, recompute: bool) -> dict[str, float]:
    """Return the peak of a short training in GiB: allocated by tensors, reserved, and of the whole card."""
    import torch

    before = _used()
    module = new_module(shape, "cuda", torch.bfloat16)
    if method == "qlora":
        module = prepare_quantised(in_four_bits(module, torch.bfloat16))
    tune = Tune(batch_size=rows)
    adapted = add_lora(module, tune, seed=0)
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    lesson = TrainingRows(tuple(full_rows(rows * STEPS, shape.vocabulary, tokens, learnt)), (), rows, 1)
    schedule = Schedule(1e-4, STEPS, STEPS, 1, STEPS, cut_by_budget=False)
    plan = ForwardPlan(rows, recompute)
    with tempfile.TemporaryDirectory() as folder, mock.patch("finetune.trainer.plan_forward", return_value=plan):
        train_module(adapted, lesson, schedule, seed=0, folder=Path(folder) / "training")
    allocated, reserved = torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved()
    del module, adapted
    gc.collect()
    torch.cuda.empty_cache()
    return {"allocated": allocated / GIB, "reserved": reserved / GIB, "card": (reserved + before) / GIB}


def _used() -> int:
    """Return what is taken of the card besides PyTorch's tensors: contexts of CUDA and its libraries."""
    import torch

    torch.zeros(1, device="cuda")
    free, whole = torch.cuda.mem_get_info()
    return int(whole - free - torch.cuda.memory_reserved())


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the shapes that the command line names and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=SHAPES, action="append")
    parser.add_argument("--tokens", type=int, default=512, help="of a row")
    parser.add_argument("--rows", type=int, default=4, help="of a step")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    quiet_bitsandbytes()
    quiet_transformers()
    table: list[dict[str, Any]] = []
    for name in asked.shape or ["1.1B", "7B"]:
        for method in ("lora", "qlora"):
            for recompute in (False, True):
                for learnt in (asked.tokens - 1, 32):
                    found = measured(SHAPES[name], method, asked.tokens, asked.rows, learnt, recompute=recompute)
                    setup = TrainingSetup(asked.tokens, asked.rows, recompute, dropout=False)
                    told = estimate_memory(decoder(SHAPES[name]), method, setup)
                    line = {
                        "shape": name,
                        "method": method,
                        "recompute": recompute,
                        "learnt_tokens": learnt,
                        **{key: round(value, 3) for key, value in found.items()},
                        "estimate": round(told.total, 3),
                        "estimate_without_runtime": round(told.total - told.runtime, 3),
                        "estimate_over_card": round(told.total / found["card"], 3),
                    }
                    table.append(line)
                    print(*(f"{key}={value}" for key, value in line.items()), flush=True)
                    figures = {
                        "work": "peak GPU memory of training against the advisor's estimate, GiB",
                        "row_tokens": asked.tokens,
                        "rows_a_step": asked.rows,
                        "table": table,
                        "versions": versions("torch", "transformers", "peft", "bitsandbytes"),
                        "machine": machine("cuda"),
                    }
                    write_result("memory-cuda", figures, asked.out)


if __name__ == "__main__":
    main()
