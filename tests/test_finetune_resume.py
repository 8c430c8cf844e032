"""A training that was killed goes on from its checkpoint and ends bit by bit as one that was not."""

import errno
import resource
from dataclasses import asdict, replace

import pytest
import torch

from baselines.adapter import WEIGHTS
from evals.errors import ArmError
from evals.task_file import Tune
from finetune.activations import ForwardPlan
from finetune.adapters import add_lora
from finetune.pretrain_state import CHECKPOINT, load_checkpoint, seconds_behind
from finetune.schedule import plan_schedule
from finetune.scratch_arm import ScratchArm
from finetune.trainer import TrainingRows, train_module
from finetune.training_folder import Pace, training_folder
from finetune.tune_arms import FullArm, QloraArm
from tests.test_finetune_trainer import copying_rows, weights
from tests.test_finetune_tune_arms import context_for, make_task
from tests.test_finetune_tune_arms import rows as sorting_rows
from tests.tiny_models import save_tiny, tiny_module

ROWS = TrainingRows(copying_rows(21, 0), copying_rows(6, 1), 6, 2)
TUNE = Tune(epochs=3, batch_size=6, rank=4, dropout=0.2)
STEPS = 12


class Killed(BaseException):
    """Ends a training wherever it is, as a kill would."""


@pytest.fixture
def eager(monkeypatch):
    """Write a checkpoint after every step."""
    monkeypatch.setattr("finetune.training_folder.SHORTEST_WAIT", 0.0)
    monkeypatch.setattr("finetune.training_folder.COST_SHARE", 1e9)
    monkeypatch.setattr("finetune.scratch_arm.SHORTEST_WAIT", 0.0)
    monkeypatch.setattr("finetune.pretrain.COST_SHARE", 1e9)


def train(folder, *, killed_at=(), module=None, done=None):
    """Train; the progress hook kills it in the middle of the steps named."""

    def progress(_phase, step, _of):
        if done is not None:
            done.append(step)
        if step in killed_at:
            raise Killed

    module = module or add_lora(tiny_module(spread=0.05), TUNE, 0)
    schedule = plan_schedule(TUNE, rows=21, epoch_tokens=1000, token_budget=None, learning_rate=1e-2)
    scores = iter(range(1, 100))
    training = train_module(
        module,
        ROWS,
        schedule,
        seed=3,
        folder=folder,
        progress=progress,
        sit_exam=lambda: next(scores) / 100,
        resumable=True,
    )
    return weights(module), training


def without_scores(training):
    return [replace(point, score=None) for point in training.losses]


@pytest.mark.parametrize(("micro_tokens", "kills"), [(16_384, (2,)), (40, (4, 5, 9, 12))])  # 4 ends an epoch
def test_a_killed_training_ends_as_one_that_was_not(tmp_path, monkeypatch, eager, micro_tokens, kills):
    monkeypatch.setattr("finetune.trainer.FORWARD_TOKENS", micro_tokens)
    expected, whole = train(training_folder(tmp_path / "whole", "k"))
    done = []
    for kill in kills:
        with pytest.raises(Killed):
            train(training_folder(tmp_path / "cut", "k"), killed_at=(kill,), done=done)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    found, resumed = train(training_folder(tmp_path / "cut", "k"), done=done)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert without_scores(resumed) == without_scores(whole)
    assert asdict(replace(resumed, seconds=0, losses=())) == asdict(replace(whole, seconds=0, losses=()))
    again = len(done) - STEPS  # the step that a kill cut short is done again, and no other
    assert again == len(kills)


def test_the_best_weights_that_a_checkpoint_names_stay_until_there_is_a_newer_one(tmp_path, monkeypatch, eager):
    expected, _ = train(training_folder(tmp_path / "whole", "k"))
    with pytest.raises(Killed):
        train(training_folder(tmp_path, "k"), killed_at=(5,))
    folder = tmp_path / "training"
    named = f"best-{load_checkpoint(folder)['carried']['best_step']}.safetensors"
    with monkeypatch.context() as rare:
        rare.setattr("finetune.training_folder.SHORTEST_WAIT", 1e9)
        with pytest.raises(Killed):
            train(training_folder(tmp_path, "k"), killed_at=(11,))
    best = {path.name for path in folder.glob("best-*")}
    assert named in best
    assert len(best) == 2  # and the best of the steps that the checkpoint doesn't know
    found, _ = train(training_folder(tmp_path, "k"))
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_a_training_goes_on_in_the_numbers_that_it_began_with(tmp_path, monkeypatch, eager):
    def another(pays, rows):
        monkeypatch.setattr("finetune.trainer.bf16_pays", lambda: pays)
        monkeypatch.setattr("finetune.trainer.plan_forward", lambda *_: ForwardPlan(rows, recompute=rows < 6))

    monkeypatch.setattr("finetune.trainer.AUTOCAST_PARAMETERS", 1)
    another(True, 3)
    expected, _ = train(training_folder(tmp_path / "whole", "k"))
    with pytest.raises(Killed):
        train(training_folder(tmp_path / "cut", "k"), killed_at=(5,))
    another(False, 6)
    done = []
    found, _ = train(training_folder(tmp_path / "cut", "k"), done=done)
    assert done[0] == 5
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    other, _ = train(training_folder(tmp_path / "other", "k"))
    assert not all(torch.equal(expected[name], other[name]) for name in expected)


def test_on_weights_in_another_format_a_training_begins_anew(tmp_path, eager):
    with pytest.raises(Killed):
        train(training_folder(tmp_path, "k"), killed_at=(5,))
    done = []
    train(training_folder(tmp_path, "k"), module=add_lora(tiny_module(spread=0.05).bfloat16(), TUNE, 0), done=done)
    assert done[0] == 1


def test_another_training_or_a_damaged_checkpoint_begins_anew(tmp_path, eager):
    with pytest.raises(Killed):
        train(training_folder(tmp_path, "k"), killed_at=(4,))
    assert training_folder(tmp_path, "k") == tmp_path / "training"
    whole = (tmp_path / "training" / CHECKPOINT).read_bytes()
    (tmp_path / "training" / CHECKPOINT).write_bytes(whole[: len(whole) // 2])
    done = []
    with pytest.raises(Killed):
        train(training_folder(tmp_path, "k"), killed_at=(3,), done=done)
    assert done == [1, 2, 3]
    assert not (training_folder(tmp_path, "another") / CHECKPOINT).exists()


def test_no_other_versions_of_the_libraries_go_on(tmp_path, monkeypatch):
    folder = training_folder(tmp_path, "k")
    (folder / "kept").touch()
    assert (training_folder(tmp_path, "k") / "kept").exists()
    monkeypatch.setattr("finetune.training_folder.metadata.version", lambda name: "0.1")
    assert not (training_folder(tmp_path, "k") / "kept").exists()


def test_checkpoints_take_a_fiftieth_of_the_time(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("finetune.training_folder.time.monotonic", lambda: now[0])
    pace = Pace(size=3e9)  # taken to be written in ten seconds
    for seconds, due in ((499, False), (2, True)):
        now[0] += seconds
        assert pace.due() is due
    started = now[0]
    now[0] += 0.001
    pace.wrote(started)  # it took a millisecond: then every half a second will do
    for seconds, due in ((0.4, False), (0.2, True)):
        now[0] += seconds
        assert pace.due() is due


def test_a_full_disk_names_itself_and_leaves_the_last_checkpoint(tmp_path, eager):
    with pytest.raises(Killed):
        train(training_folder(tmp_path, "k"), killed_at=(5,))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as raised:
            train(training_folder(tmp_path, "k"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert raised.value.errno == errno.EFBIG
    assert load_checkpoint(tmp_path / "training")["trainer"]["global_step"] == 4
    assert seconds_behind(tmp_path / "training") > 0
    assert not list((tmp_path / "training").glob("*.tmp"))
    done = []
    train(training_folder(tmp_path, "k"), done=done)
    assert done == list(range(5, STEPS + 1))


@pytest.mark.parametrize(
    ("arm", "kind"),
    [(QloraArm, "llama"), (FullArm, "gpt2"), (ScratchArm, "gpt2")],
    ids=["qlora", "full with dropout", "scratch with dropout"],
)
def test_an_arm_killed_while_it_trains_leaves_the_same_files(tmp_path, eager, arm, kind):
    base = save_tiny(tmp_path / "base", kind)
    task = make_task(base, train=sorting_rows(24), epochs=3, dropout=0.1)
    steps = {"whole": [], "cut": []}

    def fit(name, killed_at=None):
        def progress(phase, done, of):
            steps[name].append(done)
            if killed_at is not None and done * 2 >= of:
                raise Killed

        context = replace(context_for(task, tmp_path / name, seed=1), progress=progress)
        return arm(context).fit(task.train, ())

    whole = fit("whole")
    with pytest.raises(Killed):
        fit("cut", killed_at=5)
    assert (tmp_path / "cut/training" / CHECKPOINT).exists()
    cut = fit("cut")
    names = sorted(path.name for path in (tmp_path / "whole").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "cut").iterdir()) == sorted([arm.artefact, "fit.json"])
    file = WEIGHTS if arm.artefact == "adapter" else "model.safetensors"
    first, second = ((tmp_path / name / arm.artefact / file).read_bytes() for name in ("whole", "cut"))
    assert first == second
    times = {"training_seconds": 0}
    assert replace(cut, seconds=0, facts=cut.facts | times) == replace(whole, seconds=0, facts=whole.facts | times)
    assert len(steps["cut"]) <= len(steps["whole"]) + 2


def test_seconds_of_both_parts_are_counted(tmp_path, eager):
    with pytest.raises(Killed):
        train(training_folder(tmp_path, "k"), killed_at=(9,))
    path = tmp_path / "training" / CHECKPOINT
    torch.save(torch.load(path, weights_only=True) | {"seconds": 1000.0}, path)
    _, training = train(training_folder(tmp_path, "k"))
    assert 1000 < training.seconds < 1100


def test_a_loss_that_is_no_number_leaves_nothing_to_go_on_from(tmp_path, eager):
    module = add_lora(tiny_module(spread=0.05), TUNE, 0)
    with torch.no_grad():
        next(weight for name, weight in module.named_parameters() if "lora_A" in name).fill_(float("nan"))
    with pytest.raises(ArmError, match=r"became nan at step 1 of 12: set tune.learning_rate below"):
        train(training_folder(tmp_path, "k"), module=module)
    assert not (tmp_path / "training").exists()
