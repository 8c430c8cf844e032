import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.batches import MEGABATCH, LengthSampler, answer_loss, collate, validation_loss
from finetune.encode import IGNORED, EncodedRow
from tests.tiny_models import KINDS, tiny_module

ROWS = [
    EncodedRow("a", (10, 11, 12, 40, 41, 1), 3),
    EncodedRow("b", tuple(range(20, 50)) + (7, 1), 30),
    EncodedRow("c", (99, 5, 6, 7, 8, 9, 1), 1),
]


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_of_a_padded_batch_is_that_of_its_rows_in_full(kind):
    import torch

    module = tiny_module(kind)
    with torch.no_grad():
        together, count = answer_loss(module, collate(ROWS, pad_id=2))
        alone = 0.0
        for row in ROWS:
            logits = module(input_ids=torch.tensor([row.ids])).logits[0].log_softmax(-1)
            alone -= sum(float(logits[place - 1, row.ids[place]]) for place in range(row.prompt_tokens, len(row.ids)))
    assert count == 3 + 2 + 6
    assert float(together) == pytest.approx(alone, abs=1e-3)


def test_an_architecture_without_the_extras_is_asked_in_full():
    import torch

    module = tiny_module("llama")
    inner = module.forward

    class Plain(torch.nn.Module):
        def forward(self, input_ids, attention_mask):
            return inner(input_ids=input_ids, attention_mask=attention_mask)

    row = ROWS[:1]
    with torch.no_grad():
        assert float(answer_loss(Plain(), collate(row, 2))[0]) == pytest.approx(
            float(answer_loss(module, collate(row, 2))[0]), abs=1e-4
        )


def test_the_validation_loss_is_one_mean_however_it_is_batched(monkeypatch):
    import torch

    module = tiny_module("llama")

    with torch.no_grad():
        total, count = answer_loss(module, collate(ROWS, 2))
    assert validation_loss(module, ROWS, 2) == pytest.approx(float(total) / count, abs=1e-4)
    monkeypatch.setattr("finetune.batches.FORWARD_TOKENS", 1)
    assert validation_loss(module, ROWS, 2) == pytest.approx(float(total) / count, abs=1e-4)


def test_padding_stands_on_the_left_and_counts_for_nothing():
    batch = collate(ROWS, pad_id=2)
    assert batch["input_ids"].shape == (3, 32)
    assert batch["input_ids"][0].tolist() == [2] * 26 + list(ROWS[0].ids)
    assert batch["attention_mask"][0].tolist() == [0] * 26 + [1] * 6
    assert batch["position_ids"][0].tolist()[-6:] == [0, 1, 2, 3, 4, 5]
    assert batch["labels"][0].tolist() == [IGNORED] * 29 + [40, 41, 1]


@given(st.lists(st.integers(1, 300), min_size=1, max_size=200), st.integers(1, 17), st.integers(0, 5))
def test_an_epoch_holds_every_row_once_and_the_seed_decides_the_order(lengths, batch, seed):
    first, again = LengthSampler(lengths, batch, seed), LengthSampler(lengths, batch, seed)
    epochs = [list(first), list(first)]
    assert epochs == [list(again), list(again)]
    for epoch in epochs:
        assert sorted(epoch) == list(range(len(lengths)))
    assert len(first) == len(lengths)


def test_epochs_differ_and_batches_hold_rows_of_like_length():
    lengths = list(range(400))
    sampler = LengthSampler(lengths, 5, seed=1)
    one, two = list(sampler), list(sampler)
    assert one != two
    spread = [max(one[at : at + 5]) - min(one[at : at + 5]) for at in range(0, 400, 5)]
    assert sum(spread) / len(spread) < 400 / MEGABATCH * 2  # a shuffled batch of 5 spans 267 on average
    assert one[:5] != sorted(lengths)[:5]
    assert one[-5:] != sorted(lengths)[-5:]
