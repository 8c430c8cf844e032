"""The memory that training takes, held to what others measured and published."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.memory_estimate import GIB, METHODS, NF4_BITS, NF4_DOUBLE_BITS, Decoder, TrainingSetup, estimate_memory

PHI_1_5 = Decoder(1.418e9, 24, 2048, 8192, 51200, 2048, gated=False)
STABLELM_3B = Decoder(3.638e9, 16, 4096, 16384, 50688, 4096, gated=False)
TINY_LLAMA = Decoder(1.1e9, 22, 2048, 5632, 32000, 256)
LLAMA_2_7B = Decoder(6.738e9, 32, 4096, 11008, 32000, 4096)
LLAMA_2_13B = Decoder(13.016e9, 40, 5120, 13824, 32000, 5120)
LLAMA_65B = Decoder(65.286e9, 80, 8192, 22016, 32000, 8192)
LLAMA_3_8B = Decoder(8.03e9, 32, 4096, 14336, 128256, 1024)
MISTRAL_7B = Decoder(7.242e9, 32, 4096, 14336, 32000, 1024)
SIXTEEN = 16

# Lightning-AI/litgpt, tutorials/resource-tables.md at commit 4839345: one A100 40 GB, Alpaca, bf16-true, LoRA on
# queries and values, no checkpointing; torch.cuda.max_memory_allocated() / 1e9, so without the runtime's share.
# decoder, bits (16 = not quantised), longest example in tokens, micro-batch, trained weights, measured GB
A100 = [
    (PHI_1_5, SIXTEEN, 1044, 1, 1_572_864, 4.82),
    (PHI_1_5, NF4_BITS, 1044, 1, 1_572_864, 3.78),
    (PHI_1_5, NF4_DOUBLE_BITS, 1044, 1, 1_572_864, 3.72),
    (PHI_1_5, SIXTEEN, 1044, 2, 1_572_864, 6.76),
    (PHI_1_5, SIXTEEN, 1044, 4, 1_572_864, 10.68),
    (STABLELM_3B, SIXTEEN, 1034, 1, 2_097_152, 9.69),
    (STABLELM_3B, NF4_BITS, 1034, 1, 2_097_152, 6.35),
    (STABLELM_3B, NF4_DOUBLE_BITS, 1034, 1, 2_097_152, 6.19),
    (STABLELM_3B, SIXTEEN, 1034, 2, 2_097_152, 12.10),
    (STABLELM_3B, SIXTEEN, 1034, 4, 2_097_152, 16.92),
    (LLAMA_2_7B, SIXTEEN, 1304, 1, 4_194_304, 21.30),
    (LLAMA_2_7B, NF4_BITS, 1304, 1, 4_194_304, 14.14),
    (LLAMA_2_7B, NF4_DOUBLE_BITS, 1304, 1, 4_194_304, 13.84),
    (LLAMA_2_7B, SIXTEEN, 1304, 2, 4_194_304, 29.07),
    (LLAMA_2_13B, SIXTEEN, 1304, 1, 6_553_600, 38.12),
    (LLAMA_2_13B, NF4_BITS, 1304, 1, 6_553_600, 23.14),
    (LLAMA_2_13B, NF4_DOUBLE_BITS, 1304, 1, 6_553_600, 22.55),
]
# The same project, config_hub/finetune/README.md at commit 03ffc55: A10G, rows cut at 512 tokens, LoRA of rank 32
# on queries and values.
A10G = [
    (LLAMA_2_7B, SIXTEEN, 512, 2, 32 * 32 * 4 * 4096, 19.77),
    (MISTRAL_7B, SIXTEEN, 512, 2, 32 * 32 * (3 * 4096 + 1024), 20.66),
    (LLAMA_3_8B, SIXTEEN, 512, 1, 32 * 32 * (3 * 4096 + 1024), 19.73),
]
# Of that second table these QLoRA rows (4.5 bits) come out 17-18% too low: Llama 2 7B 13.68 GB, Mistral 7B 14.29,
# Llama 3 8B 17.41. They were measured with newer releases than the first table, whose QLoRA rows come out 5-8% low;
# we don't know what those keep besides, and give no row a constant of its own. Of the table's other rows, QLoRA of
# StableLM 3B, Falcon 7B, Phi-2, Phi-3 and TinyLlama was tried too and comes out 14-21% low, LoRA of them from 2% low
# to 13% high (Phi-2); Gemma was not tried.
NEWER_QLORA = [
    (LLAMA_2_7B, NF4_BITS, 512, 2, 32 * 32 * 4 * 4096, 13.68),
    (MISTRAL_7B, NF4_BITS, 512, 2, 32 * 32 * (3 * 4096 + 1024), 14.29),
    (LLAMA_3_8B, NF4_BITS, 512, 2, 32 * 32 * (3 * 4096 + 1024), 17.41),
]
# hiyouga/LLaMA-Factory, wiki page "Performance comparison" (2024-04-15), row FlashAttention2: Llama 2 7B in 4 bits,
# LoRA of rank 8 on every layer, batch 1, one A100 40 GB; whole GB as printed. That page doesn't mention gradient
# checkpointing or double quantisation; we take both as on, as that trainer's defaults have them.
CHECKPOINTED = [(1024, 6), (2048, 7), (4096, 9), (8192, 12), (16384, 19), (32768, 32)]


def allocated_gb(row):
    """Return the estimate of what PyTorch itself allocates, in GB of 1e9 bytes."""
    decoder, bits, sequence, micro_batch, trained, _ = row
    setup = TrainingSetup(
        sequence, micro_batch, False, adapter_weights=trained, every_linear=False, bits=bits, pure_half=True
    )
    memory = estimate_memory(decoder, "lora" if bits == SIXTEEN else "qlora", setup)
    return (memory.total - memory.runtime) * GIB / 1e9


@pytest.mark.parametrize("row", A100)
def test_litgpts_table_within_a_tenth(row):
    assert allocated_gb(row) == pytest.approx(row[-1], rel=0.10)


@pytest.mark.parametrize("row", A10G)
def test_litgpts_second_table_within_a_tenth_for_lora(row):
    assert allocated_gb(row) == pytest.approx(row[-1], rel=0.10)


@pytest.mark.parametrize("row", NEWER_QLORA)
def test_litgpts_newer_qlora_rows_are_missed_by_less_than_a_fifth(row):
    assert 0.80 * row[-1] < allocated_gb(row) < row[-1]


@pytest.mark.parametrize(("sequence", "measured"), CHECKPOINTED)
def test_checkpointed_qlora_within_a_tenth(sequence, measured):
    setup = TrainingSetup(sequence, rank=8)
    assert estimate_memory(LLAMA_2_7B, "qlora", setup).total * GIB / 1e9 == pytest.approx(measured, rel=0.10)


def test_full_training_in_pure_bf16_within_a_tenth():
    # config_hub/finetune/README.md, tiny-llama/full.yaml: 14.10 GB, four rows of 512 tokens, no checkpointing
    memory = estimate_memory(TINY_LLAMA, "full", TrainingSetup(512, 4, False, pure_half=True))
    assert (memory.total - memory.runtime) * GIB / 1e9 == pytest.approx(14.10, rel=0.10)


@pytest.mark.parametrize("rank", [16, 64])
def test_qlora_of_65_billion_weights_fits_a_card_of_48_gb_and_lora_does_not(rank):
    # The claim of arXiv 2305.14314. Its size of the 7B base in 4 bits can't be matched: 5,048 MB (as others quote it),
    # where 4.127 bits and 16-bit embeddings make 3,865 MB; we don't know what the rest is.
    setup = TrainingSetup(512, rank=rank)
    assert 33 < estimate_memory(LLAMA_65B, "qlora", setup).total < 48
    assert estimate_memory(LLAMA_65B, "lora", setup).total > 120


def test_four_bit_weights_of_65_billion_by_hand():
    # (65.286e9 - 2 * 32000 * 8192) * 4.127 / 8 + 2 * 2 * 32000 * 8192 bytes = 34.46e9 = 32.1 GiB
    setup = TrainingSetup(512, adapter_weights=0)
    assert estimate_memory(LLAMA_65B, "qlora", setup).weights == pytest.approx(32.1, abs=0.05)
    assert pytest.approx(4.127, abs=0.0005) == NF4_DOUBLE_BITS


def test_full_training_holds_sixteen_bytes_a_weight():
    memory = estimate_memory(LLAMA_2_7B, "full", TrainingSetup(512))
    assert (memory.weights + memory.gradients + memory.optimiser) * GIB == pytest.approx(16 * 6.738e9)


def test_adapters_on_every_layer_are_counted_as_peft_does():
    assert LLAMA_2_7B.adapter_weights(8) == 19_988_480


def test_grouped_keys_and_values_make_smaller_adapters():
    assert MISTRAL_7B.adapter_weights(8) < replace(MISTRAL_7B, key_value=4096).adapter_weights(8)


@given(st.integers(1, 8192), st.integers(1, 16), st.sampled_from(METHODS), st.booleans())
def test_longer_and_wider_batches_never_take_less(sequence, micro_batch, method, checkpointing):
    setup = TrainingSetup(sequence, micro_batch, checkpointing)
    total = estimate_memory(LLAMA_2_7B, method, setup).total
    assert estimate_memory(LLAMA_2_7B, method, replace(setup, sequence=sequence + 1)).total > total
    assert estimate_memory(LLAMA_2_7B, method, replace(setup, micro_batch=micro_batch + 1)).total > total
    assert estimate_memory(LLAMA_2_7B, method, replace(setup, checkpointing=True)).total <= total


@given(st.integers(1, 256), st.integers(1, 2048))
def test_quantised_takes_less_than_lora_and_lora_less_than_full(rank, sequence):
    qlora, lora, full = (
        estimate_memory(LLAMA_2_13B, method, TrainingSetup(sequence, rank=rank)).total
        for method in ("qlora", "lora", "full")
    )
    assert qlora < lora < full
