"""Training tokens a second: our trainer against TRL's SFTTrainer with its defaults, in turns on one machine.

::

    python -m benchmarks.training --shape 135M --method lora [--device cuda] [--rows FOLDER]

Both start from the same random weights with the same adapter and see the same rows equally often, by the same
learning rates; all else is each trainer's own. Every pair has a seed of its own, for the adapter's start and the order
of rows, so that the spread of held-out losses tells what is noise. Tokens are those of the rows, without padding.
Needs ``pip install 'tuneworthy[bench]'``.
"""

import argparse
import contextlib
import gc
import logging
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baselines.device import pick_dtype, quiet_transformers
from baselines.quantised import prepare_quantised, quiet_bitsandbytes
from benchmarks.figures import RESULTS, machine, paired, versions, write_result
from benchmarks.shapes import SHAPES, builtin_tokenizer, in_four_bits, new_module
from benchmarks.training_rows import made_rows, read_rows
from evals.memory import PeakMemory
from evals.task_file import Tune
from finetune.adapters import add_lora
from finetune.batches import validation_loss
from finetune.encode import EncodedRow
from finetune.schedule import Schedule, default_learning_rate
from finetune.trainer import TrainingRows, train_module
from finetune.tuning import count_parameters

if TYPE_CHECKING:
    from transformers import PreTrainedModel

GOAL = 1.3
PAD = 1
WARM_STEPS = 3
"""Steps of a throw-away training before the clock: kernels get compiled and chosen, on a GPU for every row length."""


@dataclass(frozen=True)
class Course:
    """One training's outcome. ``losses`` are (step, training loss); memory is what it came on top of, in MB."""

    seconds: float
    tokens_per_second: float
    peak_memory_mb: float
    held_out_loss: float
    losses: list[tuple[int, float]]


@dataclass(frozen=True)
class Setting:
    """What is trained, on what, how far."""

    shape: str
    quantised: bool
    device: str
    tune: Tune
    rows: tuple[EncodedRow, ...]
    held_out: tuple[EncodedRow, ...]
    steps: int

    def schedule(self, steps: int, parameters: int) -> Schedule:
        """Return the steps and the learning rate that both trainers follow."""
        rate = self.tune.learning_rate or default_learning_rate(parameters, low_rank=True)
        return Schedule(rate, steps, self.steps, max(1, round(0.06 * steps)), steps, cut_by_budget=False)


def base(setting: Setting) -> "PreTrainedModel":
    """Return the frozen base as it is loaded, in the number format that loading picks for the device and its size."""
    import torch

    shape = SHAPES[setting.shape]
    weights = 4 * sum(weight.numel() for weight in new_module(shape, "meta", torch.float32).parameters())
    half = pick_dtype(setting.device, weights)
    compute = half if setting.device == "cuda" else torch.float32
    module = new_module(shape, setting.device, half)
    return in_four_bits(module, compute) if setting.quantised else module


def ours(setting: Setting, steps: int, seed: int) -> Course:
    """Train by our trainer."""
    module = base(setting)
    if setting.quantised:
        module = prepare_quantised(module)
    adapted = add_lora(module, setting.tune, seed=seed)
    schedule = setting.schedule(steps, count_parameters(adapted)[1])
    rows = TrainingRows(setting.rows, (), setting.tune.batch_size, PAD)
    with tempfile.TemporaryDirectory() as folder, _watched(setting.device) as peak:
        training = train_module(adapted, rows, schedule, seed=seed, folder=Path(folder) / "training")
    losses = [(point.step, float(point.train)) for point in training.losses if point.train is not None]
    return _course(setting, adapted, training.seconds, steps, peak(), losses)


def peer(setting: Setting, steps: int, seed: int) -> Course:
    """Train by TRL's SFTTrainer: its defaults, but for the learning rates and the rows of a step."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import set_seed
    from trl import SFTConfig, SFTTrainer

    set_seed(seed)
    module = base(setting)
    module.config.use_cache = False
    schedule = setting.schedule(steps, count_parameters(module)[1])
    adapter = LoraConfig(
        task_type="CAUSAL_LM",
        r=setting.tune.rank,
        lora_alpha=setting.tune.alpha,
        lora_dropout=setting.tune.dropout,
        target_modules="all-linear",
    )
    data = Dataset.from_list([{"input_ids": list(row.ids), "labels": list(row.labels)} for row in setting.rows])
    with tempfile.TemporaryDirectory() as folder:
        arguments = SFTConfig(
            output_dir=folder,
            per_device_train_batch_size=setting.tune.batch_size,
            max_steps=steps,
            learning_rate=schedule.learning_rate,
            lr_scheduler_type="cosine",
            warmup_steps=schedule.warmup_steps,
            use_cpu=setting.device == "cpu",
            save_strategy="no",
            logging_steps=1,
            report_to="none",
            disable_tqdm=True,
            seed=seed,
        )
        trainer = SFTTrainer(
            model=module,
            args=arguments,
            train_dataset=data,
            processing_class=builtin_tokenizer(),
            peft_config=adapter,
        )
        with _watched(setting.device) as peak, contextlib.redirect_stdout(sys.stderr):
            started = time.monotonic()
            trainer.train()
            _wait(setting.device)
            seconds = time.monotonic() - started
    losses = [(int(entry["step"]), float(entry["loss"])) for entry in trainer.state.log_history if "loss" in entry]
    return _course(setting, trainer.model, seconds, steps, peak(), losses)


def _course(
    setting: Setting,
    module: "PreTrainedModel",
    seconds: float,
    steps: int,
    peak_mb: float,
    losses: list[tuple[int, float]],
) -> Course:
    import torch

    tokens = sum(len(row.ids) for row in setting.rows) * steps / setting.steps
    with torch.no_grad():
        held_out = validation_loss(module, setting.held_out, PAD, torch.bfloat16 if setting.device == "cuda" else None)
    del module
    _free(setting.device)
    return Course(seconds, tokens / seconds, peak_mb, held_out, losses)


@contextlib.contextmanager
def _watched(device: str) -> Iterator[Callable[[], float]]:
    """Yield what tells the peak memory in MB: allocated on a GPU; resident beyond the beginning on a CPU."""
    import psutil
    import torch

    if device == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        yield lambda: round(torch.cuda.max_memory_allocated() / 1e6, 1)
        torch.cuda.synchronize()
        return
    before = psutil.Process().memory_info().rss / 1e6
    with PeakMemory() as memory:
        yield lambda: round(memory.megabytes - before, 1)


def _wait(device: str) -> None:
    import torch

    if device == "cuda":
        torch.cuda.synchronize()


def _free(device: str) -> None:
    import torch

    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()


def compare(setting: Setting, pairs: int) -> dict[str, Any]:
    """Train ``pairs`` times by each, in turns, after a warm-up, and return the figures."""
    courses: dict[str, list[Course]] = {"ours": [], "peer": []}
    trainers = {"ours": ours, "peer": peer}
    for trainer in trainers.values():
        trainer(setting, setting.steps if setting.device == "cuda" else min(WARM_STEPS, setting.steps), 0)
        _free(setting.device)
    for turn in range(pairs):
        order = list(trainers) if turn % 2 == 0 else list(trainers)[::-1]
        for name in order:
            courses[name].append(trainers[name](setting, setting.steps, turn))
            _free(setting.device)
            last = courses[name][-1]
            print(
                f"{setting.shape} {'qlora' if setting.quantised else 'lora'} {name}: "
                f"{last.tokens_per_second:,.0f} tokens/s, "
                f"held-out loss {last.held_out_loss:.3f}, peak {last.peak_memory_mb:,.0f} MB, {last.seconds:.1f} s",
                flush=True,
            )
    speeds = {name: [course.tokens_per_second for course in runs] for name, runs in courses.items()}
    lengths = sorted(len(row.ids) for row in setting.rows)
    return {
        "work": f"training, {'QLoRA' if setting.quantised else 'LoRA'}, {setting.shape}, {setting.device}",
        "unit": "tokens/s, padding left out",
        "peer_is": "TRL SFTTrainer, defaults",
        **paired(speeds["ours"], speeds["peer"], smaller_is_better=False),
        "goal": GOAL,
        "differing_rows": None,
        "held_out_loss": {name: [round(course.held_out_loss, 4) for course in runs] for name, runs in courses.items()},
        "held_out_difference": difference(
            *(tuple(one.held_out_loss for one in courses[name]) for name in ("ours", "peer"))
        ),
        "peak_memory_mb": {name: max(course.peak_memory_mb for course in runs) for name, runs in courses.items()},
        "loss_curves": {name: asdict(runs[0])["losses"] for name, runs in courses.items()},
        "rows": len(setting.rows),
        "rows_a_step": setting.tune.batch_size,
        "steps": setting.steps,
        "rank": setting.tune.rank,
        "row_tokens": {"shortest": lengths[0], "median": lengths[len(lengths) // 2], "longest": lengths[-1]},
        "versions": versions("torch", "transformers", "peft", "trl", "bitsandbytes", "accelerate"),
        "machine": machine(setting.device),
    }


def difference(ours: Sequence[float], peer: Sequence[float]) -> dict[str, float | None]:
    """Return how much higher our held-out losses are (nats), with Welch's 95% interval; None for one pair."""
    from scipy.stats import ttest_ind

    mean = sum(ours) / len(ours) - sum(peer) / len(peer)
    if len(ours) < 2:
        return {"mean": round(mean, 4), "low": None, "high": None}
    spread = ttest_ind(ours, peer, equal_var=False).confidence_interval(0.95)
    return {"mean": round(mean, 4), "low": round(float(spread.low), 4), "high": round(float(spread.high), 4)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the command line asks for and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=SHAPES, default="15M")
    parser.add_argument("--method", choices=("lora", "qlora"), default="lora")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--rows", type=Path, help="a folder with task.json and train.jsonl; default: made rows")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--batch", type=int, default=16, help="rows of a step")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE"):
        os.environ[name] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    warnings.simplefilter("ignore")
    logging.getLogger("trl").setLevel(logging.ERROR)
    quiet_bitsandbytes()
    quiet_transformers()
    tune = Tune(batch_size=asked.batch)
    count = asked.steps * asked.batch
    rows = (
        read_rows(asked.rows, count + 32, seed=0)
        if asked.rows
        else made_rows(count + 32, SHAPES[asked.shape].vocabulary, seed=0)
    )
    setting = Setting(
        asked.shape, asked.method == "qlora", asked.device, tune, tuple(rows[:count]), tuple(rows[count:]), asked.steps
    )
    figures = compare(setting, asked.pairs)
    path = write_result(f"training-{asked.method}-{asked.shape}-{asked.device}", figures, asked.out)
    print(f"{figures['work']}: {figures['ratio']:.2f} times the peer; {path}")


if __name__ == "__main__":
    main()
