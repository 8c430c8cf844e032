"""The command that makes the built-in model, its course, and the folder that is shipped."""

import json
from functools import partial
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer

from evals.errors import RunError, UsageError
from finetune import curriculum
from finetune.builtin import main, new_module, train_builtin
from finetune.builtin_tokenizer import END_ID, PAD_ID, train_tokenizer
from finetune.curriculum import TESTED, Curriculum, answer_accuracy
from finetune.world_lesson import spans, text_of
from finetune.world_rows import encode_lessons
from finetune.worlds import BROAD_KINDS, KINDS, make_lesson

SHIPPED = Path(__file__).parent.parent / "baselines" / "builtin"


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(0, lessons=600)


@pytest.fixture
def quick(monkeypatch):
    """Let the command train its tokenizer on few lessons."""
    monkeypatch.setattr("finetune.builtin.train_tokenizer", partial(train_tokenizer, lessons=600))


@given(text=st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_text_comes_back_from_its_tokens(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_pieces_encoded_apart_are_the_tokens_of_the_whole(tokenizer, kind):
    for seed in range(10):
        lesson = make_lesson(kind, 2, str(seed))
        row = encode_lessons([lesson], tokenizer, END_ID, 0.3)[0]
        assert list(row.row.ids) == tokenizer.encode(text_of(lesson)).ids


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_answers_and_their_ends_weigh_most(tokenizer, kind):
    lesson = make_lesson(kind, 1, "3")
    encoded = encode_lessons([lesson], tokenizer, END_ID, 0.3)[0]
    row = encoded.row
    answers = [lesson.answer, *(shot.output for shot in lesson.more)]
    for (start, end), answer in zip(encoded.answers, answers, strict=True):
        assert tokenizer.decode(list(row.targets[start : end - 1])) == f" {answer}"
        assert row.targets[end - 1] == END_ID
        assert set(row.weights[start:end]) == {1.0}
    assert list(row.targets).count(END_ID) == sum(span.graded for span in spans(lesson))
    assert END_ID not in row.ids
    assert min(row.weights) == 0.3


def course(tokenizer, **options):
    return Curriculum(tokenizer, END_ID, PAD_ID, 0, batch_tokens=1024, **options)


def test_a_course_begins_with_the_easiest_and_fills_its_batches(tokenizer):
    made = course(tokenizer)
    assert made.levels == {"reading": 0, "labels_shots": 0, "format_shots": 0}
    for _ in range(6):
        batch = next(made)
        assert 0.5 * 1024 < batch.tokens <= batch.ids.size <= 1.2 * 1024


def test_a_kind_goes_up_when_its_share_is_used_and_opens_others(tokenizer):
    made = course(tokenizer, rung_tokens=2000)
    for _ in range(60):
        next(made)
    assert set(made.levels) == set(KINDS)
    assert made.levels["reading"] > 1
    for _ in range(200):
        next(made)
    assert made.levels == {kind: len(levels) - 1 for kind, levels in KINDS.items()}


def test_the_late_part_opens_every_kind_near_its_end_and_draws_words_broadly(tokenizer, monkeypatch):
    monkeypatch.setattr(curriculum, "LATE_AT", 3)
    monkeypatch.setattr(curriculum, "DOUBLED_AT", 4)
    asked = []
    monkeypatch.setattr(
        curriculum,
        "make_lesson",
        lambda kind, level, seed, **how: (asked.append(how["broad"]), make_lesson(kind, level, seed, **how))[1],
    )
    made = course(tokenizer)
    sizes = [next(made).ids.size for _ in range(3)]
    assert set(made.levels) == {"reading", "labels_shots", "format_shots"}
    assert set(asked) == {False}
    asked.clear()
    next(made)
    assert set(asked) == {True}
    assert made.levels == {kind: len(levels) - 1 for kind, levels in BROAD_KINDS.items()}
    assert next(made).ids.size > 1.4 * max(sizes)


def test_the_late_part_draws_every_level_and_goes_no_further(tokenizer, monkeypatch):
    monkeypatch.setattr(curriculum, "LATE_AT", 0)
    asked = set()
    monkeypatch.setattr(
        curriculum,
        "make_lesson",
        lambda kind, level, seed, **how: (asked.add((kind, level)), make_lesson(kind, level, seed, **how))[1],
    )
    made = course(tokenizer, rung_tokens=500)
    for _ in range(120):
        next(made)
    assert asked == {(kind, level) for kind, levels in BROAD_KINDS.items() for level in range(len(levels))}
    monkeypatch.setattr(curriculum, "answer_accuracy", lambda *_: (0.1, 1.0))
    made.validate(torch.nn.Identity(), 100)
    assert made.levels == {kind: len(levels) - 1 for kind, levels in BROAD_KINDS.items()}


def test_a_course_put_back_gives_the_same_batches(tokenizer):
    made, other = course(tokenizer, rung_tokens=3000), course(tokenizer, rung_tokens=3000)
    for _ in range(12):
        next(made)
    other.restore(json.loads(json.dumps(made.state())))
    for _ in range(5):
        assert next(made).ids.tolist() == next(other).ids.tolist()


class Knowing(torch.nn.Module):
    """Predicts the right next token of the rows it was given; with ``wrong`` never the end token."""

    def __init__(self, rows, wrong=False):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.rows, self.wrong = rows, wrong

    def forward(self, input_ids, use_cache=False):
        logits = torch.zeros(*input_ids.shape, 2048)
        for place, ids in enumerate(input_ids.tolist()):
            row = next(row.row for row in self.rows if ids[: len(row.row.ids)] == list(row.row.ids))
            for position, target in enumerate(row.targets):
                logits[place, position, 5 if self.wrong and target == END_ID else target] = 9.0
        return type("Output", (), {"logits": logits})


def test_accuracy_counts_whole_answers_with_their_ends(tokenizer):
    rows = encode_lessons([make_lesson("reading", 1, str(seed)) for seed in range(4)], tokenizer, END_ID, 0.3)
    loss, accuracy = answer_accuracy(Knowing(rows), rows, PAD_ID)
    assert accuracy == 1.0
    assert loss < 1
    assert answer_accuracy(Knowing(rows, wrong=True), rows, PAD_ID)[1] == 0.0


def test_passing_a_level_takes_the_kind_up(tokenizer):
    made = course(tokenizer)
    seen = made.validate(new_module(0), 50)
    assert set(seen.scores) == {"reading_0", "labels_shots_0", "format_shots_0"}
    assert made.levels == {"reading": 0, "labels_shots": 0, "format_shots": 0}
    rows = [
        row
        for kind in ("reading", "labels_shots", "format_shots")
        for row in encode_lessons(
            [make_lesson(kind, 0, f"0/validation/50/{index}") for index in range(TESTED)], tokenizer, END_ID, 0.3
        )
    ]
    assert set(made.validate(Knowing(rows), 50).scores.values()) == {1.0}
    assert made.levels == {"reading": 1, "labels_shots": 1, "format_shots": 1}


def test_the_model_fits_every_path_of_the_house():
    module = new_module(0)
    linear = [layer for layer in module.modules() if isinstance(layer, torch.nn.Linear)]
    assert all(layer.out_features % 32 == 0 and layer.in_features % 32 == 0 for layer in linear)
    assert sum(weight.numel() for weight in module.parameters()) <= 10_000_000
    assert module.config.max_position_embeddings >= 1024
    assert torch.equal(next(new_module(0).parameters()), next(module.parameters()))
    assert not torch.equal(next(new_module(1).parameters()), next(module.parameters()))


def test_the_command_makes_a_folder_that_loads_and_goes_on(tmp_path, quick):
    first = train_builtin(tmp_path, tokens=6000)
    module, tokenizer = AutoModelForCausalLM.from_pretrained(tmp_path), AutoTokenizer.from_pretrained(tmp_path)
    assert tokenizer.chat_template is None
    assert (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id) == (None, END_ID, PAD_ID)
    assert tokenizer("Ünïcode 漢字 42").input_ids == tokenizer("Ünïcode 漢字 42", add_special_tokens=False).input_ids
    assert tokenizer.decode(tokenizer("Ünïcode 漢字  42 .").input_ids) == "Ünïcode 漢字  42 ."
    ids = tokenizer("Answer the question.\n\nInput: x\nOutput:", return_tensors="pt").input_ids
    with torch.no_grad():
        assert torch.isfinite(module(ids).logits).all()
    second = train_builtin(tmp_path, tokens=12_000, resume=True)
    assert second.training.tokens > first.training.tokens
    assert second.training.points[0] == first.training.points[0]
    assert json.loads((tmp_path / "training" / "curve.json").read_text())["seed"] == 0
    assert not list(tmp_path.glob(".new-*"))


def test_a_checkpoint_of_another_number_of_workers_is_one_clear_error(tmp_path, monkeypatch, quick):
    monkeypatch.setattr("finetune.builtin.os.cpu_count", lambda: 2)
    train_builtin(tmp_path, tokens=3000)
    monkeypatch.setattr("finetune.builtin.os.cpu_count", lambda: 1)
    with pytest.raises(RunError, match="another number of workers"):
        train_builtin(tmp_path, tokens=6000, resume=True)


def test_the_command_needs_a_limit(tmp_path, capsys):
    with pytest.raises(UsageError, match="give tokens"):
        train_builtin(tmp_path / "x")
    assert not (tmp_path / "x").exists()
    with pytest.raises(SystemExit) as stopped:
        main(["--out", str(tmp_path / "x")])
    assert stopped.value.code == 2
    assert "give tokens" in capsys.readouterr().err


def test_the_shipped_model_is_small_and_loads():
    assert (SHIPPED / "model.safetensors").stat().st_size <= 20_000_000
    module, tokenizer = AutoModelForCausalLM.from_pretrained(SHIPPED), AutoTokenizer.from_pretrained(SHIPPED)
    assert module.config.architectures == ["LlamaForCausalLM"]
    assert module.config.vocab_size == len(tokenizer)
    assert tokenizer.decode(tokenizer("Ünïcode 漢字 ≠ 42").input_ids) == "Ünïcode 漢字 ≠ 42"
    card = (SHIPPED / "README.md").read_text(encoding="utf-8")
    assert "python -m finetune.builtin" in card or "tuneworthy builtin --train" in card
