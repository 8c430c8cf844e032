"""Makes the built-in model: tokenizer, weights and model folder, from nothing but a seed.

::

    python -m finetune.builtin --tokens 12000000 --seed 0 --out DIR [--resume]

The folder ends up as any transformers model folder (``config.json``, ``model.safetensors``, ``tokenizer.json``);
checkpoints and the curve lie in its ``training/``. With ``--tokens`` equal seeds give equal courses; with
``--minutes`` the course follows the clock.
"""

import argparse
import ctypes
import json
import logging
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from baselines.device import bf16_pays
from evals.errors import TuneworthyError, UsageError
from evals.protocols import ProgressHook, no_progress
from finetune.builtin_tokenizer import END, END_ID, PAD, PAD_ID, PIECES, train_tokenizer
from finetune.curriculum import Curriculum
from finetune.pretrain import train_from_scratch
from finetune.pretrain_plan import PretrainPlan, PretrainReport, Validation

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

WIDTH, LAYERS, HEADS, INNER, CONTEXT = 192, 6, 4, 512, 2048
"""The shape of the model: every width is divisible by 32, as NF4 needs it."""

LEARNING_RATE = 3e-3
DECAY_SHARE = 0.3
"""The rate stays at its peak until this share of the plan is left: a longer course begins as a shorter one does."""

RUNG_TOKENS = 1_500_000
"""A kind of lesson gets at most this many tokens at one level before it goes on all the same; more in larger batches,
since it's steps that a level takes."""

BATCH_TOKENS = 4096
MOST_WORKERS = 8
"""A batch of long rows has no more than about eight to share out."""

log = logging.getLogger("tuneworthy.builtin")


@dataclass(frozen=True)
class BuiltinReport:
    """What making the model took, where it lies and how far the course came (kind of lesson → level)."""

    folder: Path
    parameters: int
    training: PretrainReport
    levels: dict[str, int]


def new_module(seed: int) -> "LlamaForCausalLM":
    """Return the untrained model with weights drawn from ``seed``."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=PIECES,
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        intermediate_size=INNER,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=END_ID,
        pad_token_id=PAD_ID,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return LlamaForCausalLM(config)


def as_transformers(tokenizer: "Tokenizer") -> "PreTrainedTokenizerFast":
    """Return the tokenizer in the form that a model folder holds; it has no chat template and adds no tokens."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
        padding_side="left",
    )


def save_builtin(folder: Path, module: "LlamaForCausalLM", tokenizer: "Tokenizer") -> None:
    """Write the model folder's files, each moved into place when whole."""
    beside = folder / f".new-{os.getpid()}"
    try:
        module.save_pretrained(beside)
        as_transformers(tokenizer).save_pretrained(beside)
        for path in sorted(beside.iterdir()):
            os.replace(path, folder / path.name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def train_builtin(
    folder: Path,
    *,
    minutes: float | None = None,
    tokens: int | None = None,
    seed: int = 0,
    resume: bool = False,
    batch_tokens: int = BATCH_TOKENS,
    progress: ProgressHook = no_progress,
) -> BuiltinReport:
    """Train the model and write it to ``folder``; with ``resume`` go on from the checkpoint there.

    At least one of ``minutes`` and ``tokens`` must be given. Uses the GPU if there is one (compiled, in bf16; let
    ``batch_tokens`` grow there), else every core up to ``MOST_WORKERS``, in bf16 where the processor gains by it.
    Raises ``UsageError`` without a limit, ``RunError`` for a checkpoint that can't be read.
    """
    import torch

    plan = PretrainPlan(
        tokens=tokens,
        seconds=None if minutes is None else 60 * minutes,
        learning_rate=LEARNING_RATE,
        validate_every=100,
        workers=min(MOST_WORKERS, os.cpu_count() or 1),
        bf16=bf16_pays(),
        compile=torch.cuda.is_available(),
        decay_share=DECAY_SHARE,
    )
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = train_tokenizer(seed)
    module = new_module(seed).to("cuda" if torch.cuda.is_available() else "cpu")
    rung_tokens = round(RUNG_TOKENS * batch_tokens / BATCH_TOKENS)
    course = Curriculum(tokenizer, END_ID, PAD_ID, seed, batch_tokens=batch_tokens, rung_tokens=rung_tokens)

    def validate(module: "torch.nn.Module", step: int) -> Validation:
        seen = course.validate(module, step)
        log.info("step %d loss %.3f %s", step, seen.loss, " ".join(f"{k}={v:.2f}" for k, v in seen.scores.items()))
        return seen

    report = train_from_scratch(
        module, course, plan, folder=folder / "training", resume=resume, progress=progress, validate=validate
    )
    save_builtin(folder, module.to("cpu"), tokenizer)
    made = BuiltinReport(folder, sum(weight.numel() for weight in module.parameters()), report, dict(course.levels))
    curve = json.dumps({"seed": seed, "levels": made.levels, "training": asdict(report)}, indent=1)
    (folder / "training" / "curve.json").write_text(curve, encoding="utf-8")
    return made


def _keep_freed_memory() -> None:
    """Ask glibc to reuse large blocks, not to give them back: a tenth of the time of a step on a CPU went there."""
    try:
        tell = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return  # another C library: slower, nothing else
    for option, value in ((-4, 0), (-1, 2**31 - 1), (-2, 2**28)):  # M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD
        tell(option, value)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command of this module; progress goes to stderr."""
    parser = argparse.ArgumentParser(prog="python -m finetune.builtin", description="Train the built-in model.")
    parser.add_argument("--out", type=Path, required=True, help="folder of the model")
    parser.add_argument("--tokens", type=int, help="tokens to train on")
    parser.add_argument("--minutes", type=float, help="time to train for")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch-tokens", type=int, default=BATCH_TOKENS, help="tokens of a step, at first")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in the folder")
    given = parser.parse_args(arguments)
    _keep_freed_memory()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        made = train_builtin(
            given.out,
            minutes=given.minutes,
            tokens=given.tokens,
            seed=given.seed,
            resume=given.resume,
            batch_tokens=given.batch_tokens,
        )
    except UsageError as error:
        parser.error(str(error))
    except TuneworthyError as error:
        log.error("%s", error)
        return error.exit_code
    done = made.training
    log.info(
        "%s: %d weights, %d tokens, %.0f s, %s", made.folder, made.parameters, done.tokens, done.seconds, made.levels
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
