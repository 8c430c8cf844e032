"""The loop that trains from random weights: it learns, shares work fairly, and goes on where it stopped."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from evals.errors import ArmError, RunError, UsageError
from finetune.pretrain import _optimizers, train_from_scratch
from finetune.pretrain_batch import Row, answer_row, pack_rows
from finetune.pretrain_plan import PretrainPlan, Validation
from finetune.pretrain_state import CHECKPOINT, load_checkpoint
from finetune.pretrain_workers import Workers

PAD, END = 0, 1


def tiny(seed=0):
    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=24, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2,
            intermediate_size=64, max_position_embeddings=64, tie_word_embeddings=True,
        )
    )  # fmt: skip


def batches(seed=0, rows=8):
    """Rows ``a b c → c b a``: three random tokens, to be written backwards."""
    for step in itertools.count():
        rng = np.random.default_rng((seed, step))
        made = []
        for _ in range(rows):
            prompt = [int(token) for token in rng.integers(3, 24, size=rng.integers(2, 4))]
            made.append(answer_row([*prompt, 2], prompt[::-1], END))
        yield pack_rows(made, PAD)


def weights_of(module):
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()])


def test_answer_row_weighs_the_answer_and_its_end_fully():
    row = answer_row([5, 6, 7], [8, 9], END, prompt_weight=0.25)
    assert list(row.ids) == [5, 6, 7, 8, 9]
    assert list(row.targets) == [6, 7, 8, 9, END]
    assert list(row.weights) == [0.25, 0.25, 1.0, 1.0, 1.0]


def test_an_empty_prompt_or_answer_still_gives_a_row():
    assert list(answer_row([5], [], END).weights) == [1.0]
    empty = answer_row([], [5], END)
    assert len(empty.ids) == len(empty.targets) == len(empty.weights) == 1


def test_pack_rows_pads_with_weight_nought_and_counts_what_is_read():
    batch = pack_rows([Row([3, 4, 5], [4, 5, 1], [1, 1, 1]), Row([6], [1], [0.5])], PAD)
    assert batch.ids.tolist() == [[3, 4, 5], [6, PAD, PAD]]
    assert batch.weights.tolist() == [[1, 1, 1], [0.5, 0, 0]]
    assert batch.tokens == 4
    assert pack_rows([Row([3, 4, 5], [4, 5, 1], [1, 1, 1])], PAD, length=2).tokens == 2


def test_a_plan_without_a_limit_is_refused():
    with pytest.raises(UsageError, match="tokens, steps or seconds"):
        PretrainPlan()


@given(step=st.integers(0, 10_000), share=st.floats(0, 1), warmup=st.integers(0, 500))
def test_the_rate_stays_between_nought_and_its_peak(step, share, warmup):
    plan = PretrainPlan(steps=10, warmup_steps=warmup)
    assert 0 < plan.rate_at(step, share) <= plan.learning_rate
    assert plan.rate_at(step + 1, share) >= plan.rate_at(step, share)
    assert plan.rate_at(step, 1.0) <= plan.rate_at(step, share) + 1e-12


@given(st.lists(st.integers(0, 100), min_size=3, max_size=3))
def test_the_nearest_limit_ends_a_plan(done):
    share = PretrainPlan(steps=50, tokens=80, seconds=20.0).share_done(*done)
    assert share == min(1.0, max(done[0] / 50, done[1] / 80, done[2] / 20))


def test_it_learns_to_write_backwards():
    module = tiny()
    report = train_from_scratch(module, batches(rows=32), PretrainPlan(steps=250, warmup_steps=10, learning_rate=5e-3))
    assert report.steps == 250
    assert report.points[0].loss > 2 * report.points[-1].loss
    test = next(batches(seed=1, rows=64))
    with torch.no_grad():
        hits = module(torch.from_numpy(test.ids)).logits.argmax(-1) == torch.from_numpy(test.targets)
    assert hits[torch.from_numpy(test.weights) == 1].float().mean() > 0.8


def test_equal_seeds_give_equal_weights():
    runs = [tiny(), tiny()]
    for module in runs:
        train_from_scratch(module, batches(), PretrainPlan(steps=5))
    assert torch.equal(weights_of(runs[0]), weights_of(runs[1]))
    assert not torch.equal(weights_of(runs[0]), weights_of(tiny()))


def test_workers_find_the_gradients_that_one_finds():
    batch = next(batches(rows=7))
    alone, shared = tiny(), tiny()
    with Workers(alone, 1) as one, Workers(shared, 3) as three:
        losses = one.learn(batch), three.learn(batch)
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    for mine, other in zip(alone.parameters(), shared.parameters(), strict=True):
        assert torch.allclose(mine.grad, other.grad, atol=1e-5)


def test_workers_follow_the_weights_and_leave_the_process_its_threads():
    before = torch.get_num_threads()
    one, two = tiny(), tiny()
    train_from_scratch(one, batches(), PretrainPlan(steps=4))
    train_from_scratch(two, batches(), PretrainPlan(steps=4, workers=2))
    assert torch.allclose(weights_of(one), weights_of(two), atol=2e-3)
    assert torch.get_num_threads() == before


class Stop(Exception):
    pass


def broken_off(source, at):
    for index, batch in enumerate(source):
        if index == at:
            raise Stop
        yield batch


def test_a_run_that_was_broken_off_ends_with_the_weights_of_one_that_was_not(tmp_path):
    plan = PretrainPlan(steps=9, validate_every=2, checkpoint_seconds=0)
    whole, halves = tiny(), tiny()
    expected = train_from_scratch(whole, batches(), plan)
    with pytest.raises(Stop):
        train_from_scratch(halves, broken_off(batches(), 5), plan, folder=tmp_path)
    fresh = tiny(seed=9)
    report = train_from_scratch(fresh, batches(), plan, folder=tmp_path, resume=True)
    assert torch.equal(weights_of(whole), weights_of(fresh))
    assert report.tokens == expected.tokens
    assert [point.loss for point in report.points] == pytest.approx([point.loss for point in expected.points])


def test_without_resume_an_old_checkpoint_is_not_taken_up(tmp_path):
    plan = PretrainPlan(steps=2)
    train_from_scratch(tiny(), batches(), plan, folder=tmp_path)
    assert load_checkpoint(tmp_path) is not None
    assert train_from_scratch(tiny(), batches(), plan, folder=tmp_path).points[0].step == 2


def test_a_damaged_checkpoint_is_one_clear_error(tmp_path):
    (tmp_path / CHECKPOINT).write_bytes(b"no checkpoint")
    with pytest.raises(RunError, match="delete it"):
        train_from_scratch(tiny(), batches(), PretrainPlan(steps=2), folder=tmp_path, resume=True)


def test_a_checkpoint_of_a_newer_schema_is_refused(tmp_path):
    torch.save({"schema": 99}, tmp_path / CHECKPOINT)
    with pytest.raises(RunError, match="schema 99"):
        load_checkpoint(tmp_path)


def test_a_loss_that_is_no_number_names_the_step():
    module = tiny()
    with torch.no_grad():
        module.model.norm.weight.fill_(math.nan)
    with pytest.raises(ArmError, match="step 1: lower the learning rate"):
        train_from_scratch(module, batches(), PretrainPlan(steps=2))


def test_keep_best_leaves_the_weights_of_the_best_look():
    module, seen = tiny(), {}

    def validate(trained, step):
        seen[step] = weights_of(trained).clone()
        return Validation(loss={2: 1.0, 4: 0.5, 6: 0.7}[step])

    report = train_from_scratch(
        module, batches(), PretrainPlan(steps=6, validate_every=2, keep_best=True), validate=validate
    )
    assert report.best_step == 4
    assert torch.equal(weights_of(module), seen[4])
    assert not torch.equal(seen[4], seen[6])


def test_training_ends_when_the_batches_do():
    report = train_from_scratch(tiny(), itertools.islice(batches(), 3), PretrainPlan(steps=100))
    assert (report.steps, report.points[-1].step) == (3, 3)


@pytest.mark.parametrize(
    "make", [tiny, lambda: GPT2LMHeadModel(GPT2Config(vocab_size=24, n_positions=32, n_embd=16, n_layer=1, n_head=2))]
)
def test_muon_has_the_matrices_and_adamw_the_rest(make):
    module = make()
    muon, adamw = _optimizers(module, PretrainPlan(steps=1))
    in_muon = {id(parameter) for group in muon.param_groups for parameter in group["params"]}
    in_adamw = {id(parameter) for group in adamw.param_groups for parameter in group["params"]}
    assert in_muon | in_adamw == {id(parameter) for parameter in module.parameters()}
    assert not in_muon & in_adamw
    assert id(module.get_input_embeddings().weight) in in_adamw
    assert all(parameter.ndim == 2 for group in muon.param_groups for parameter in group["params"])


def test_the_rate_stays_at_its_peak_until_the_decay_begins():
    plan = PretrainPlan(steps=100, warmup_steps=10, decay_share=0.3)
    assert plan.rate_at(50, 0.5) == plan.rate_at(69, 0.7) == plan.learning_rate
    assert plan.rate_at(90, 0.85) == pytest.approx(plan.learning_rate * (0.02 + 0.98 * 0.5))
    assert plan.rate_at(100, 1.0) == pytest.approx(0.02 * plan.learning_rate)


def test_bf16_learns_nearly_what_fp32_learns_and_leaves_the_kernel_as_it_was():
    batch = next(batches(rows=8))
    exact, rounded = tiny(), tiny()
    kernel = rounded.config._attn_implementation
    with Workers(exact, 1) as one, Workers(rounded, 2, bf16=True) as two:
        losses = one.learn(batch), two.learn(batch)
    assert losses[0] == pytest.approx(losses[1], rel=0.02)
    assert rounded.config._attn_implementation == kernel
    for mine, other in zip(exact.parameters(), rounded.parameters(), strict=True):
        assert torch.nn.functional.cosine_similarity(mine.grad.flatten(), other.grad.flatten(), dim=0) > 0.98
