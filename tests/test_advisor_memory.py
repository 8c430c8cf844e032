"""The memory that training takes, held to what others measured and published."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.memory_estimate import GIB, METHODS, NF4_BITS, NF4_DOUBLE_BITS, Decoder, TrainingSetup, estimate_memory

PHI_1_5 = Decoder(1.418e9, 24, 2048, 8192, 51200, 2048, gated=False, parallel=True)
PHI_2 = Decoder(2.78e9, 32, 2560, 10240, 51200, 2560, gated=False, parallel=True)
PHI_3 = Decoder(3.821e9, 32, 3072, 8192, 32064, 3072)
FALCON_7B = Decoder(7.217e9, 32, 4544, 18176, 65024, 64, gated=False, tied=True, parallel=True)
GEMMA_2B = Decoder(2.506e9, 18, 2048, 16384, 256000, 256, tied=True)
GEMMA_7B = Decoder(8.538e9, 28, 3072, 24576, 256000, 4096, tied=True)
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
# The same project, config_hub/finetune/README.md at commit 03ffc55: A10G, rows cut at 512 tokens. All its models but
# gemma-2-9b, whose layers are of two kinds. Rank and adapted layers are those of the configuration files beside it.
# decoder, micro-batch, rank, whether every linear layer (and the head) has an adapter, LoRA's and QLoRA's GB
A10G = [
    (LLAMA_2_7B, 2, 32, False, 19.77, 13.68),
    (MISTRAL_7B, 2, 32, False, 20.66, 14.29),
    (LLAMA_3_8B, 1, 32, False, 19.73, None),
    (LLAMA_3_8B, 2, 32, False, None, 17.41),
    (STABLELM_3B, 1, 32, False, 8.58, 5.24),
    (FALCON_7B, 1, 32, False, 16.69, 9.44),
    (PHI_2, 4, 8, True, 13.98, 14.27),
    (PHI_3, 4, 8, True, 19.75, 19.13),
    (TINY_LLAMA, 8, 32, True, 13.50, 16.24),
    (GEMMA_2B, 2, 8, True, 12.62, None),
    (GEMMA_2B, 2, 16, True, None, 11.58),
    (GEMMA_7B, 1, 16, True, None, 17.18),
]
# Those measurements are from bitsandbytes before 0.43.2, which held the inputs of its 4-bit layers for as long as the
# graph lived. The first table's peak is its first step (the longest example came first), so one step's inputs; the
# second table's loop holds a step's logits and loss while the next one runs forward, so two.
FIRST_STEP, LATER_STEPS = 1, 2
# hiyouga/LLaMA-Factory, wiki page "Performance comparison" (2024-04-15), row FlashAttention2: Llama 2 7B in 4 bits,
# LoRA of rank 8 on every layer, batch 1, one A100 40 GB; whole GB as printed. That page doesn't mention gradient
# checkpointing or double quantisation; we take both as on, as that trainer's defaults have them.
CHECKPOINTED = [(1024, 6), (2048, 7), (4096, 9), (8192, 12), (16384, 19), (32768, 32)]


def allocated_gb(decoder, bits, setup):
    """Return the estimate of what PyTorch itself allocates, in GB of 1e9 bytes."""
    memory = estimate_memory(decoder, "lora" if bits == SIXTEEN else "qlora", replace(setup, bits=bits))
    return (memory.total - memory.runtime) * GIB / 1e9


@pytest.mark.parametrize("row", A100)
def test_litgpts_table_within_five_percent(row):
    decoder, bits, sequence, micro_batch, trained, measured = row
    setup = TrainingSetup(
        sequence,
        micro_batch,
        False,
        adapter_weights=trained,
        every_linear=False,
        held_inputs=FIRST_STEP,
        pure_half=True,
    )
    assert allocated_gb(decoder, bits, setup) == pytest.approx(measured, rel=0.05)


@pytest.mark.parametrize("row", A10G)
def test_litgpts_second_table_within_fifteen_percent(row):
    decoder, micro_batch, rank, every, lora, qlora = row
    queries_and_values = decoder.layers * rank * (3 * decoder.hidden + decoder.key_value)
    everything = decoder.adapter_weights(rank) + rank * (decoder.hidden + decoder.vocabulary)
    setup = TrainingSetup(
        512,
        micro_batch,
        False,
        adapter_weights=everything if every else queries_and_values,
        every_linear=every,
        held_inputs=LATER_STEPS,
        pure_half=True,
    )
    for bits, measured in ((SIXTEEN, lora), (NF4_BITS, qlora)):
        if measured is not None:
            assert allocated_gb(decoder, bits, setup) == pytest.approx(measured, rel=0.15)


def test_the_inputs_that_old_releases_held_count_for_each_step_of_which_they_are_held():
    setup = TrainingSetup(512, 2, False, bits=NF4_BITS)
    none, one, two = (allocated_gb(LLAMA_2_7B, NF4_BITS, replace(setup, held_inputs=steps)) for steps in (0, 1, 2))
    # 32 layers x 1,024 tokens x 2 bytes x (3 x 4,096 + 11,008)
    assert one - none == pytest.approx(32 * 1024 * 2 * (3 * 4096 + 11008) / 1e9)
    assert two - one == pytest.approx(one - none)
    assert allocated_gb(LLAMA_2_7B, SIXTEEN, replace(setup, held_inputs=2)) == pytest.approx(
        allocated_gb(LLAMA_2_7B, SIXTEEN, setup)
    )


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
