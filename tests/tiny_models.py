"""Makers of tiny causal language models with random weights, and of the small BPE tokenizer they share.

``save_tiny(folder, "gpt2")`` leaves a folder as a user would have one: config, safetensors, tokenizer.
The weights are drawn wider than usual, so that outputs differ clearly between tokens.
"""

from functools import cache
from pathlib import Path
from typing import Any, Literal

Kind = Literal["llama", "gpt2", "qwen2"]
KINDS: tuple[Kind, ...] = ("llama", "gpt2", "qwen2")

CORPUS = (
    "Say whether the review is positive, negative or neutral. Input: the food was great and the staff kind. "
    "Output: positive\n\nInput: never again, the room was cold and the bed was hard.\nOutput: negative\n\n"
    "Answer the question from the passages. Passage 1: Paris: Paris is the capital of France. "
    "Passage 2: Berlin is the capital of Germany. Input: what is the capital of France?\nOutput: Paris\n\n"
    "Input: how many people live in the town?\nOutput: 12345\n\nabbreviation entity description human location numeric",
    "the quick brown fox jumps over the lazy dog 0123456789 a b c d e f g h i j k l m n o p q r s t u v w x y z",
)

CHAT_TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
"""A template with a system role whose turns end with ``<|end|>``."""

CHAT_TEMPLATE_NO_SYSTEM = (
    "{{ bos_token }}{% for m in messages %}"
    "{% if m['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "[{{ m['role'] }}]{{ m['content'] }}{% if m['role'] == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)
"""A template that refuses the system role, writes BOS itself, and ends an assistant turn with EOS."""


@cache
def _bpe(vocab_size: int) -> str:
    """Train the byte-level BPE once per process; every test then builds its tokenizer from this JSON."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<s>", "</s>", "<pad>", "<|end|>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer.to_str()


def tiny_tokenizer(
    *,
    chat_template: str | None = None,
    bos: bool = False,
    eos: bool = True,
    vocab_size: int = 420,
    context: int = 512,
) -> Any:
    """Return a byte-level BPE tokenizer; with ``bos`` it puts ``<s>`` first, as Llama's does."""
    from tokenizers import Tokenizer, processors
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer.from_str(_bpe(vocab_size))
    if bos:
        inner.post_processor = processors.Sequence(
            [processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", inner.token_to_id("<s>"))])]
        )
    names = {"pad_token": "<pad>"} if eos else {}
    if eos:
        names["eos_token"] = "</s>"
    if bos or (chat_template is not None and "bos_token" in chat_template):
        names["bos_token"] = "<s>"
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, model_max_length=context, **names)
    if chat_template is not None:
        tokenizer.chat_template = chat_template
    return tokenizer


def tiny_module(
    kind: Kind = "llama",
    *,
    vocab_size: int = 424,
    context: int = 512,
    width: int = 64,
    layers: int = 2,
    seed: int = 0,
    spread: float = 0.15,
) -> Any:
    """Return a random-weight causal LM in eval mode; ``seed`` decides its weights, and nothing else does.

    The vocabulary is a little larger than the tokenizer's, as in many real models. The process is set to
    one thread: on matrices this small, threads that wait for each other are all that a second one brings.
    """
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

    torch.set_num_threads(1)
    ends = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if kind == "gpt2":
            config = GPT2Config(
                vocab_size=vocab_size,
                n_positions=context,
                n_embd=width,
                n_layer=layers,
                n_head=4,
                initializer_range=spread,
                **ends,
            )
            return GPT2LMHeadModel(config).eval()
        shape = {
            "vocab_size": vocab_size,
            "hidden_size": width,
            "intermediate_size": 2 * width,
            "num_hidden_layers": layers,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": context,
            "initializer_range": spread,
            **ends,
        }
        if kind == "llama":
            return LlamaForCausalLM(LlamaConfig(**shape)).eval()
        return Qwen2ForCausalLM(Qwen2Config(**shape)).eval()


def save_tiny(
    folder: Path,
    kind: Kind = "llama",
    *,
    chat_template: str | None = None,
    bos: bool = False,
    eos: bool = True,
    context: int = 512,
    seed: int = 0,
) -> Path:
    """Save a tiny model with its tokenizer to ``folder`` (safetensors) and return the folder."""
    folder = Path(folder)
    tiny_module(kind, context=context, seed=seed).save_pretrained(folder)
    tiny_tokenizer(chat_template=chat_template, bos=bos, eos=eos, context=context).save_pretrained(folder)
    return folder
