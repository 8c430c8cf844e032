import json
import shutil
from dataclasses import replace

import pytest

from baselines.adapter import WEIGHTS
from baselines.loading import load_model
from baselines.tuned_card import CARD, read_card
from evals.cell import CellFolder
from evals.errors import ArmError, ModelError
from evals.example import Example, Prompt
from evals.protocols import TUNED_WITH_PASSAGES, Arm, ArmContext
from evals.scoring import score
from evals.task import Task
from evals.task_file import Data, Generate, TaskFile, Tune
from finetune.adapter_arm import AdapterArm
from finetune.arms import ARMS
from finetune.exam import Exam
from finetune.scratch_arm import ScratchArm
from finetune.tune_arms import FullArm, LoraArm, QloraArm
from tests.tiny_models import CHAT_TEMPLATE, KINDS, save_tiny

WORDS = {"positive": ("great", "kind", "good"), "negative": ("cold", "hard", "never")}


def rows(count, prefix="t"):
    made = []
    for number in range(count):
        label = ("positive", "negative")[number % 2]
        word = WORDS[label][number // 2 % 3]
        made.append(Example(f"{prefix}{number}", f"the room was {word} {number}", (label,)))
    return tuple(made)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("base"), "llama")


def make_task(model, *, train=None, answer="label", **tune):
    settings = TaskFile(
        instruction="Say whether the review is good.",
        answer=answer,
        data=Data(train="t.csv"),
        model=str(model),
        tune=Tune(**({"epochs": 1, "batch_size": 8, "rank": 4} | tune)),
    )
    labels = ("positive", "negative") if answer == "label" else ()
    train = train if train is not None else rows(24)
    return Task("reviews", settings, model, labels, train, rows(6, "e"), (), {})


def context_for(task, folder, *, seed=0, adapter=None, calls=None):
    shared = load_model(task.settings.model)

    def no_embedder():
        raise AssertionError("a tune arm embeds nothing")

    return ArmContext(
        task=task,
        seed=seed,
        folder=folder,
        cache=folder,
        model=lambda: shared,
        embedder=no_embedder,
        progress=lambda *call: calls.append(call) if calls is not None else None,
        adapter=adapter,
    )


def run(arm_class, task, folder, **more):
    arm = arm_class(context_for(task, folder, **more))
    report = arm.fit(task.train, ())
    return report, arm.answer(task.eval)


def answers(predictions):
    return [replace(prediction, ms=0.0) for prediction in predictions]


def probe(model):
    choices = model.choose([Prompt("Say.", "the food was good")], ["positive", "negative"])
    return choices[0].loglikelihoods


def test_the_arms_are_arms():
    assert list(ARMS) == ["qlora", "lora", "full", "rag_qlora", "rag_lora", "scratch", "adapter"]
    for name, arm in ARMS.items():
        uses = ("model", "embedder") if name in TUNED_WITH_PASSAGES else ("model",)
        assert (arm.name, arm.family, arm.uses) == (name, "tune", uses)
        assert arm.seeded == (name != "adapter")
        assert isinstance(arm(None), Arm)


@pytest.mark.parametrize("arm", [QloraArm, LoraArm, FullArm, ScratchArm])
@pytest.mark.parametrize("kind", KINDS)
def test_every_arm_trains_every_architecture_and_leaves_what_it_answers_with(tmp_path, arm, kind):
    task, calls = make_task(save_tiny(tmp_path / "base", kind), epochs=1), []
    report, predictions = run(arm, task, tmp_path / "cell", calls=calls)
    assert [prediction.id for prediction in predictions] == [example.id for example in task.eval]
    assert all(prediction.error is None and prediction.raw in task.labels for prediction in predictions)
    assert all(prediction.choice_by_mean in task.labels and prediction.prompt_tokens > 0 for prediction in predictions)
    assert (report.train_rows, report.steps_per_epoch, report.steps, report.epochs) == (22, 3, 3, 1.0)
    assert report.facts["validation_rows"] == report.facts["validation_rows_scored"] == 2
    assert (report.plan.batch_size, report.plan.scored_rows, report.plan.ended_by_budget) == (8, 2, None)
    assert report.best_step in {1, 2, 3}
    looks = [point for point in report.losses if point.validation is not None]
    assert [point.step for point in looks] == [0, 1, 2, 3]
    assert all(point.score in {0.0, 0.5, 1.0} for point in looks)
    assert report.seconds > 0
    assert {phase for phase, _, _ in calls} == {"training"}
    assert calls[-1][1] == calls[-1][2]
    card = read_card(tmp_path / "cell" / arm.artefact)
    assert (card.method, card.seed, card.quantised) == (arm.name, 0, arm is QloraArm)
    assert sorted(path.name for path in (tmp_path / "cell").iterdir()) == sorted([arm.artefact, "fit.json"])
    json.dumps(report.facts)


def test_an_adapter_is_in_pefts_format_and_says_where_it_comes_from(tmp_path, base):
    task = make_task(base)
    report, _ = run(QloraArm, task, tmp_path)
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert (config["peft_type"], config["r"], config["lora_alpha"]) == ("LORA", 4, 32)
    assert config["base_model_name_or_path"] == str(base)
    card = json.loads((tmp_path / "adapter" / CARD).read_text())
    assert card["base_fingerprint"] == load_model(str(base)).fingerprint
    assert report.facts["adapter_mb"] == pytest.approx((tmp_path / "adapter" / WEIGHTS).stat().st_size / 1e6, abs=1e-3)
    assert 0 < report.facts["trainable_parameters"] < report.facts["total_parameters"]
    # 4-bit weights count as weights: as many as the base has, and the adapter's
    plain = sum(weight.numel() for weight in load_model(str(base)).module.parameters())
    assert report.facts["total_parameters"] == plain + report.facts["trainable_parameters"]


@pytest.mark.parametrize("arm", [QloraArm, ScratchArm])
def test_a_finished_fit_is_taken_up_and_answers_alike(tmp_path, base, arm):
    task, calls = make_task(base), []
    report, first = run(arm, task, tmp_path)
    again, second = run(arm, task, tmp_path, calls=calls)
    assert calls == []
    assert again == report
    assert answers(first) == answers(second)


def test_the_runners_own_record_of_a_fit_is_taken_up_too(tmp_path, base):
    task, calls = make_task(base), []
    cell = CellFolder(tmp_path, "lora", "tune", 0)
    report, _ = run(LoraArm, task, cell.folder)
    cell.write_fit(report)
    assert run(LoraArm, task, cell.folder, calls=calls)[0] == report
    assert calls == []


def test_a_fit_of_an_older_version_is_taken_up_without_a_plan_and_scores(tmp_path, base):
    task, calls = make_task(base), []
    report, _ = run(LoraArm, task, tmp_path)
    record = json.loads((tmp_path / "fit.json").read_text())
    del record["plan"]
    for point in record["losses"]:
        del point["score"]
    (tmp_path / "fit.json").write_text(json.dumps(record))
    older, _ = run(LoraArm, task, tmp_path, calls=calls)
    assert calls == []
    assert older == replace(report, plan=None, losses=tuple(replace(point, score=None) for point in report.losses))


@pytest.mark.parametrize(
    ("arm", "answer"), [(QloraArm, "label"), (LoraArm, "text"), (FullArm, "text"), (ScratchArm, "label")]
)
def test_the_score_of_the_checkpoint_kept_is_that_of_what_was_saved(tmp_path, base, arm, answer):
    """The curve is no other measure than the eval score: the arm's own answers to the same rows give it."""
    task = make_task(base, train=rows(96), answer=answer, epochs=3, learning_rate=5e-3)
    trained = arm(context_for(task, tmp_path))
    seen = []
    sit = Exam.sit
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Exam, "sit", lambda exam: seen.append(exam.examples) or sit(exam))
        report = trained.fit(task.train, ())
    kept = next(point for point in report.losses if point.step == report.best_step)
    assert len(set(seen)) == 1
    held = seen[0]
    assert len(held) == report.plan.scored_rows >= 4
    scored = [score(task, row, found) for row, found in zip(held, trained.answer(held), strict=True)]
    assert kept.score == pytest.approx(sum(row.score for row in scored) / len(scored))
    assert kept.score > next(point.score for point in report.losses if point.step == 0)


def test_half_a_fit_and_a_fit_of_other_settings_are_done_again(tmp_path, base):
    task, calls = make_task(base), []
    run(LoraArm, task, tmp_path)
    (tmp_path / "fit.json").unlink()  # killed before the last step
    run(LoraArm, task, tmp_path, calls=calls)
    trained = len(calls)
    assert trained > 0
    weights = tmp_path / "adapter" / WEIGHTS
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-10])  # the power failed before all of it was on the disk
    run(LoraArm, task, tmp_path, calls=calls)
    assert weights.read_bytes() == whole
    assert len(calls) == 2 * trained
    report, _ = run(LoraArm, make_task(base, rank=2), tmp_path, calls=calls)
    assert len(calls) == 3 * trained
    assert report.facts["rank"] == 2


def test_what_a_kill_left_behind_is_cleared_away(tmp_path, base):
    for name in ("training", ".adapter-partial", "adapter"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "junk").write_text("x")
    run(LoraArm, make_task(base), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter", "fit.json"]
    assert not (tmp_path / "adapter" / "junk").exists()


def test_a_training_that_fails_leaves_nothing_to_take_up(tmp_path, base):
    with pytest.raises(ArmError, match=r"loss became \w+ at step \d+ of \d+: set tune.learning_rate below 1e\+12"):
        run(FullArm, make_task(base, epochs=3, learning_rate=1e12), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arm", [QloraArm, ScratchArm])
def test_equal_seeds_leave_equal_files_and_others_dont(tmp_path, base, arm):
    task = make_task(base)
    files = []
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        run(arm, task, tmp_path / name, seed=seed)
        weights = WEIGHTS if arm.artefact == "adapter" else "model.safetensors"
        files.append((tmp_path / name / arm.artefact / weights).read_bytes())
    assert files[0] == files[1] != files[2]


@pytest.mark.parametrize("arm", [QloraArm, LoraArm, FullArm, ScratchArm])
def test_the_shared_model_is_never_touched(tmp_path, base, arm):
    task = make_task(base, learning_rate=0.01)
    context = context_for(task, tmp_path)
    before = probe(context.model())
    trained = arm(context)
    trained.fit(task.train, ())
    tuned = trained.load()
    assert probe(context.model()) == before
    assert probe(tuned) != pytest.approx(before, abs=1e-3)


def test_training_teaches_the_task(tmp_path, base):
    task = replace(make_task(base, train=rows(96), epochs=6, learning_rate=2e-3), eval=rows(20, "e"))
    report, predictions = run(FullArm, task, tmp_path)
    right = sum(p.raw == e.target for p, e in zip(predictions, task.eval, strict=True))
    assert right >= 18
    assert report.losses[-1].validation < report.losses[0].validation / 5


def test_a_label_that_begins_another_is_learnt_like_any_other(tmp_path, base):
    """Scored without its end, "1" would be likelier than "10" on every row."""
    train = tuple(
        Example(f"t{number}", f"{('cold', 'great')[number % 2]} {number}", (("1", "10")[number % 2],))
        for number in range(96)
    )
    task = replace(make_task(base, train=train, epochs=6, learning_rate=2e-3), labels=("1", "10"), eval=train[:20])
    report, predictions = run(FullArm, task, tmp_path)
    assert [prediction.raw for prediction in predictions] == [example.target for example in task.eval]
    assert [prediction.choice_by_mean for prediction in predictions] == [example.target for example in task.eval]
    assert report.facts["label_end"] == "scored, since one label begins another"


def test_answers_too_long_to_be_written_are_told(tmp_path, base):
    task = make_task(base, train=tuple(replace(row, targets=("so " * 40,)) for row in rows(8)), answer="text")
    settings = task.settings.model_copy(update={"generate": Generate(max_new_tokens_cap=30)})
    report, predictions = run(LoraArm, replace(task, settings=settings), tmp_path)
    assert report.facts["answers_cut"].startswith("8 of 8 training answers are longer than the 30 tokens")
    assert all(prediction.cut for prediction in predictions if prediction.completion_tokens == 30)
    report, _ = run(AdapterArm, replace(task, settings=settings), tmp_path / "new", adapter=tmp_path / "adapter")
    assert report.facts["answers_cut"].startswith("8 of 8")


@pytest.mark.parametrize("template", [None, CHAT_TEMPLATE])
def test_what_was_taught_is_written_and_ended_at_inference(tmp_path, template):
    """Only if gold and inference rendering are the same tokens does the answer come out whole and stop."""
    model = save_tiny(tmp_path / "base", "llama", chat_template=template)
    train = tuple(Example(f"t{number}", f"question {number}", ("it is so",)) for number in range(12))
    task = make_task(model, train=train, answer="text", epochs=15, learning_rate=3e-3)
    _, predictions = run(FullArm, task, tmp_path / "cell")
    assert {prediction.raw for prediction in predictions} == {"it is so"}
    tokens = len(load_model(str(model)).encode_answer("it is so"))
    assert {prediction.completion_tokens for prediction in predictions} == {tokens + 1}


def test_a_saved_model_is_a_model_like_any_other(tmp_path, base):
    task = make_task(base)
    run(FullArm, task, tmp_path)
    model = load_model(str(tmp_path / "model"))
    assert model.fingerprint != load_model(str(base)).fingerprint
    assert model.module.config.use_cache == load_model(str(base)).module.config.use_cache


def test_rows_too_long_are_left_out_and_said_so(tmp_path):
    model = save_tiny(tmp_path / "base", "llama", context=96)
    train = (*rows(12), Example("long", "very " * 200, ("positive",)))
    report, predictions = run(LoraArm, make_task(model, train=train), tmp_path / "cell")
    assert report.facts["rows_left_out"] == 1
    assert report.train_rows + report.facts["validation_rows"] == 12
    assert all(prediction.error is None for prediction in predictions)
    with pytest.raises(ArmError, match="every training row is longer than the model's context of 96"):
        run(LoraArm, make_task(model, train=(train[-1],) * 4), tmp_path / "other")
    assert not (tmp_path / "other" / "fit.json").exists()


def test_the_token_budget_is_told(tmp_path, base):
    report, _ = run(LoraArm, make_task(base, epochs=4, max_train_tokens=1000), tmp_path)
    assert report.epochs < 4
    assert report.train_tokens <= 1300
    assert report.facts["stopped"].startswith("at the token budget of 1,000 after ")
    assert report.facts["stopped"].endswith(" of 4 epochs")
    assert (report.plan.ended_by_budget, report.plan.epochs) == (1000, 4)


def test_scratch_wants_a_small_model_and_more_epochs(tmp_path, base, monkeypatch):
    task = make_task(base)
    settings = task.settings.model_copy(update={"tune": Tune(batch_size=8)})
    report, _ = run(ScratchArm, replace(task, settings=settings), tmp_path / "ten")
    assert report.epochs == 10
    resumed = TaskFile.model_validate(settings.model_dump(mode="json"))  # as run.json keeps it
    report, _ = run(ScratchArm, replace(task, settings=resumed), tmp_path / "resumed")
    assert report.epochs == 10
    assert report.facts["loss"] == "answer tokens 1, prompt tokens 0.3"
    monkeypatch.setattr("finetune.scratch_arm.MOST_PARAMETERS", 10_000)
    with pytest.raises(ArmError, match=r"from scratch .*at most 0 million"):
        run(ScratchArm, task, tmp_path / "big")


def test_too_few_rows_are_no_training_set(base):
    task = make_task(base, train=rows(3))
    assert QloraArm.unfit(task) == "3 training rows are too few to train on (at least 4)"
    assert QloraArm.unfit(make_task(base, train=rows(4))) is None
    assert AdapterArm.unfit(task) is None


def test_four_rows_train(tmp_path, base):
    report, _ = run(QloraArm, make_task(base, train=rows(4)), tmp_path)
    assert (report.train_rows, report.best_step) == (4, None)
    assert report.facts["checkpoint"] == "the last weights (no validation rows)"
    assert report.facts["validation_rows_scored"] == 0
    assert all(point.score is None for point in report.losses)


@pytest.mark.parametrize("arm", [QloraArm, LoraArm])
def test_an_adapter_answers_as_the_arm_that_trained_it(tmp_path, base, arm):
    task = make_task(base, learning_rate=0.01)
    _, trained = run(arm, task, tmp_path / "cell")
    folder = shutil.copytree(tmp_path / "cell" / "adapter", tmp_path / "mine")
    report, brought = run(AdapterArm, task, tmp_path / "new", adapter=folder)
    assert answers(brought) == answers(trained)
    assert report.facts["quantised"] is (arm is QloraArm)
    assert (report.steps, report.train_tokens) == (0, 0)
    (folder / CARD).unlink()
    report, _ = run(AdapterArm, task, tmp_path / "new", adapter=folder)
    assert report.facts["quantised"] is False


def test_an_adapter_of_another_base_or_none_is_refused(tmp_path, base):
    other = save_tiny(tmp_path / "other", "llama", seed=5)
    run(LoraArm, make_task(base), tmp_path / "cell")
    with pytest.raises(ModelError, match=rf"was trained on {base} .*give --model {base}"):
        run(AdapterArm, make_task(other), tmp_path / "new", adapter=tmp_path / "cell" / "adapter")
    adapter = shutil.copytree(tmp_path / "cell" / "adapter", tmp_path / "mine")
    card = json.loads((adapter / CARD).read_text())
    (adapter / CARD).write_text(json.dumps(card | {"base": str(other)}))
    with pytest.raises(ModelError, match=rf"{other} has changed since the adapter in {adapter} was trained on it"):
        run(AdapterArm, make_task(other), tmp_path / "new", adapter=adapter)
    with pytest.raises(ArmError, match="give --adapter FOLDER"):
        run(AdapterArm, make_task(base), tmp_path / "new")
    with pytest.raises(ModelError, match="holds no PEFT adapter"):
        run(AdapterArm, make_task(base), tmp_path / "new", adapter=tmp_path)
