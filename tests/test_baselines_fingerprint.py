import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from baselines import fingerprint as fingerprint_module
from baselines.fingerprint import tokenizer_digest
from baselines.loading import load_model, load_module
from baselines.local_model import LocalModel
from tests.tiny_models import CHAT_TEMPLATE, save_tiny, tiny_module, tiny_tokenizer

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("models") / "base")


def in_memory(**options):
    return LocalModel.from_module(tiny_module(), tiny_tokenizer(**options), name="memory")


def test_the_same_in_another_process_and_another_place(folder, tmp_path):
    moved = tmp_path / "elsewhere"
    shutil.copytree(folder, moved)
    here = load_model(str(folder)).fingerprint
    assert len(here) == 64
    assert load_model(str(moved)).fingerprint == here
    code = "import sys; from baselines.loading import load_model; print(load_model(sys.argv[1]).fingerprint)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(moved)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == here


def test_in_memory_the_same_weights_are_the_same_model():
    assert in_memory().fingerprint == in_memory().fingerprint


def test_use_does_not_change_it(folder):
    from evals.example import Prompt
    from evals.protocols import Limits

    model = load_model(str(folder))
    prompts = [Prompt("Do.", "a"), Prompt("Do.", "the staff")]
    model.generate(prompts, Limits(2))
    model.choose(prompts, ["a", "b"])
    model.tokenizer(["a", "the staff"], padding=True, truncation=True, max_length=3)
    assert model.fingerprint == load_model(str(folder)).fingerprint


def test_number_format_and_folder_name_do_not_count(folder):
    prints = set()
    for dtype in (torch.float32, torch.bfloat16):
        loaded = load_module(str(folder), dtype=dtype)
        prints.add(LocalModel(loaded.module, loaded.tokenizer, name=str(dtype), folder=loaded.folder).fingerprint)
    assert len(prints) == 1


def generation_config(folder, ends):
    path = folder / "generation_config.json"
    settings = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(settings | {"eos_token_id": ends, "temperature": 0.6, "do_sample": True}))


def one_weight(folder):
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))


def one_setting(folder):
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["rms_norm_eps"] = 1e-5
    path.write_text(json.dumps(config))


def another_end(folder):
    generation_config(folder, [1, 20])


def template(folder):
    tiny_tokenizer(chat_template=CHAT_TEMPLATE).save_pretrained(folder)


def tokenizer(folder):
    tiny_tokenizer(bos=True).save_pretrained(folder)


@pytest.mark.parametrize("change", [one_weight, one_setting, another_end, template, tokenizer])
def test_whatever_changes_the_answers_changes_it(folder, tmp_path, change):
    changed = tmp_path / "changed"
    shutil.copytree(folder, changed)
    assert load_model(str(changed)).fingerprint == load_model(str(folder)).fingerprint
    change(changed)
    assert load_model(str(changed)).fingerprint != load_model(str(folder)).fingerprint


def test_a_generation_config_that_adds_no_end_leaves_it(folder, tmp_path):
    before = load_model(str(folder))
    (end,) = before.end_token_ids
    changed = tmp_path / "changed"
    shutil.copytree(folder, changed)
    for ends in (end, [end], None, [end, 10**6]):  # the last is no token of the model's
        generation_config(changed, ends)
        assert load_model(str(changed)).fingerprint == before.fingerprint


def test_another_rendering_changes_it(folder, monkeypatch):
    before = load_model(str(folder)).fingerprint
    monkeypatch.setattr(fingerprint_module, "RENDERING_VERSION", 99)
    assert load_model(str(folder)).fingerprint != before


def test_training_in_memory_changes_it_once_it_is_told():
    model = in_memory()
    before = model.fingerprint
    with torch.no_grad():
        next(model.module.parameters()).add_(1.0)
    assert model.fingerprint == before
    model.forget()
    assert model.fingerprint != before


def adapted(scale):
    from peft import LoraConfig, get_peft_model

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = LoraConfig(
            r=4, lora_alpha=scale, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False
        )
        return get_peft_model(tiny_module(), config)


def test_an_adapter_changes_it_and_so_does_its_scale(folder, tmp_path):
    prints = [load_model(str(folder)).fingerprint]
    for scale in (4, 8):
        model = adapted(scale)
        prints.append(LocalModel.from_module(model, tiny_tokenizer(), name="memory").fingerprint)
        model.save_pretrained(str(tmp_path / str(scale)))
        prints.append(load_model(str(folder), adapter=tmp_path / str(scale)).fingerprint)
    assert len(set(prints)) == 5
    again = tmp_path / "again"
    shutil.copytree(tmp_path / "8", again)
    config = json.loads((again / "adapter_config.json").read_text())
    (again / "adapter_config.json").write_text(json.dumps(config | {"base_model_name_or_path": "/another/place"}))
    assert load_model(str(folder), adapter=again).fingerprint == prints[-1]


def test_every_part_of_the_tokenizer_counts():
    digests = {
        tokenizer_digest(tiny_tokenizer(**options))
        for options in ({}, {"bos": True}, {"eos": False}, {"vocab_size": 400}, {"chat_template": CHAT_TEMPLATE})
    }
    assert len(digests) == 5
