"""How much memory of a GPU training takes: LoRA, QLoRA and full AdamW, in parts.

Counted from what the backward pass keeps, tensor by tensor, with fused attention (no score matrix).
States: 16 bytes a trained weight (ZeRO, arXiv 1910.02054); NF4 with double quantisation: 4.127 bits a weight
(QLoRA, arXiv 2305.14314); activations: after Korthikanti et al. (arXiv 2205.05198), recounted for frozen weights.
``tests/test_advisor_memory.py`` holds the count to published measurements.
"""

from dataclasses import dataclass, field
from typing import Literal

Method = Literal["lora", "qlora", "full"]
METHODS: tuple[Method, ...] = ("lora", "qlora", "full")

GIB = 2**30
NF4_BITS = 4.5
"""Bits a weight in NF4 without double quantisation: 4, and a 32-bit scale for every 64 weights."""
NF4_DOUBLE_BITS = 4 + 8 / 64 + 32 / (64 * 256)
"""Bits a weight in NF4 with double quantisation (arXiv 2305.14314, section 3): 4.127."""
HALF = 2
"""Bytes of a bfloat16 number; weights, activations and embeddings are held in it."""
RUNTIME_GIB = 1.0
"""CUDA context and what the allocator can't use. Our judgement: the lower end of the 1-2 GB usually seen."""
LOGIT_BYTES = 10
"""Bytes a logit: in 16 bits, its copy in 32 and the gradient in 32. Our judgement of what lives at once."""


@dataclass(frozen=True)
class Decoder:
    """The shape of a decoder-only model; ``weights`` are all of them, embeddings included."""

    weights: float
    layers: int
    hidden: int
    intermediate: int
    vocabulary: int
    key_value: int
    """Width of keys and of values: heads for them x size of a head; ``hidden`` without grouped queries."""
    gated: bool = True
    """Three matrices in a feed-forward layer with a gate (Llama), else two (GPT)."""
    tied: bool = False
    """Whether embedding and head are one matrix."""
    parallel: bool = False
    """Whether attention and feed-forward read one normalised input side by side (Falcon, Phi up to 2)."""

    def embedding_weights(self) -> float:
        """Return the number of weights of embedding and head, which stay in 16 bits in QLoRA."""
        return float(self.vocabulary * self.hidden * (1 if self.tied else 2))

    def adapter_weights(self, rank: int) -> float:
        """Return the weights of LoRA matrices on every linear layer: the sum of ``rank x (in + out)``."""
        attention = 4 * self.hidden + 2 * (self.hidden + self.key_value)
        feed_forward = (3 if self.gated else 2) * (self.hidden + self.intermediate)
        return float(rank * (attention + feed_forward) * self.layers)


@dataclass(frozen=True)
class TrainingSetup:
    """What of a training run decides its memory; ``sequence`` is in tokens, ``micro_batch`` in sequences."""

    sequence: int
    micro_batch: int = 1
    checkpointing: bool = True
    rank: int = 16
    adapter_weights: float | None = None
    """Set to give the number itself instead of ``rank`` on every linear layer."""
    every_linear: bool = True
    """Whether adapters sit on every linear layer, else on queries and values only."""
    dropout: bool = True
    bits: float = NF4_DOUBLE_BITS
    """Bits a quantised weight; QLoRA only."""
    held_inputs: int = 0
    """Steps of which QLoRA's 4-bit layers hold the inputs: none, but for bitsandbytes before 0.43.2."""
    pure_half: bool = False
    """Trained weights, gradients and both moments in 16 bits: 8 bytes a trained weight instead of 16."""


@dataclass(frozen=True)
class Memory:
    """Memory at its peak in GiB (2**30 bytes) and its parts; ``runtime`` is what no tensor accounts for."""

    method: Method
    checkpointing: bool
    weights: float
    gradients: float
    optimiser: float
    activations: float
    runtime: float = RUNTIME_GIB
    total: float = field(init=False)

    def __post_init__(self) -> None:
        total = self.weights + self.gradients + self.optimiser + self.activations + self.runtime
        object.__setattr__(self, "total", total)


def estimate_memory(decoder: Decoder, method: Method, setup: TrainingSetup) -> Memory:
    """Return the memory that training ``decoder`` by ``method`` takes on one GPU, in GiB."""
    frozen = _frozen_bytes(decoder, method, setup)
    if method == "full":
        trained, own, gradient, moments = decoder.weights, HALF, HALF, (4 if setup.pure_half else 12)
    else:
        trained = decoder.adapter_weights(setup.rank) if setup.adapter_weights is None else setup.adapter_weights
        own, gradient, moments = (HALF, HALF, 4) if setup.pure_half else (4, 4, 8)
    return Memory(
        method=method,
        checkpointing=setup.checkpointing,
        weights=(frozen + own * trained) / GIB,
        gradients=gradient * trained / GIB,
        optimiser=moments * trained / GIB,
        activations=_activation_bytes(decoder, method, setup) / GIB,
    )


def _frozen_bytes(decoder: Decoder, method: Method, setup: TrainingSetup) -> float:
    if method == "full":
        return 0.0
    if method == "lora":
        return HALF * decoder.weights
    embedding = decoder.embedding_weights()
    return setup.bits / 8 * (decoder.weights - embedding) + HALF * embedding


def _activation_bytes(decoder: Decoder, method: Method, setup: TrainingSetup) -> float:
    """Return the bytes kept for the backward pass; checkpointing keeps each layer's input and recomputes one layer."""
    tokens = setup.sequence * setup.micro_batch
    layer = _layer_bytes(decoder, method, setup) + _held_bytes(decoder, method, setup)
    kept = HALF * decoder.hidden * decoder.layers + layer if setup.checkpointing else layer * decoder.layers
    unpacked = HALF * decoder.hidden * decoder.intermediate if method == "qlora" else 0  # one matrix at a time
    return tokens * (kept + LOGIT_BYTES * decoder.vocabulary) + unpacked


def _layer_bytes(decoder: Decoder, method: Method, setup: TrainingSetup) -> float:
    """Return the bytes that one layer keeps for each token."""
    hidden, intermediate, key_value = decoder.hidden, decoder.intermediate, decoder.key_value
    # RMSNorm works on 32-bit copies of its two inputs; LayerNorm keeps its 16-bit input, often shared by both.
    norms = 8 * hidden if decoder.gated else 2 * hidden
    # Queries, keys, values as projected; queries and keys again after the rotation; the output.
    attention = HALF * (3 * hidden + 3 * key_value)
    # With a gate: before the nonlinearity, after it, and the other factor; without: before it.
    feed_forward = HALF * (3 if decoder.gated else 1) * intermediate
    # A frozen layer needs no input for its own backward pass. A trained one does, and so does one with an adapter.
    every = method == "full" or setup.every_linear
    inputs = HALF * (2 * hidden + intermediate) if every else HALF * hidden
    dropped = 0
    if method != "full" and setup.dropout:  # a mask of a byte and the 16-bit output for each adapter's input
        dropped = 3 * ((3 * hidden + intermediate) if setup.every_linear else hidden)
    return float(norms + attention + feed_forward + inputs + dropped)


def _held_bytes(decoder: Decoder, method: Method, setup: TrainingSetup) -> float:
    """Return the bytes that inputs of 4-bit layers take for each token of a layer, beside what autograd keeps.

    Up to 0.43.1 bitsandbytes hung each layer's input on its node of the graph as a plain attribute (mended by its pull
    request 1270). The backward pass doesn't free such a one: it lives as long as the graph. A loop that still has the
    last step's loss in hand while the next step runs forward holds the inputs of two steps.
    """
    if method != "qlora":
        return 0.0
    # Queries, keys and values share an input; the attention's output has one, the feed-forward's first matrices share
    # one (in parallel layers with the attention), and its last has one.
    widths = (2 if decoder.parallel else 3) * decoder.hidden + decoder.intermediate
    return float(setup.held_inputs * HALF * widths)
