import json
import shutil

import pytest
import torch

from baselines import loading
from baselines.loading import find_folder, load_model, load_module
from baselines.local_model import LocalModel
from baselines.tuned_card import CARD
from evals.errors import ModelError
from evals.example import Prompt
from evals.protocols import Limits
from tests.tiny_models import KINDS, save_tiny, tiny_module


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture
def folder(base, tmp_path):
    shutil.copytree(base, tmp_path / "model")
    return tmp_path / "model"


def refusal(ref, **options):
    """The message that loading ``ref`` is refused with, which must be one line."""
    with pytest.raises(ModelError) as caught:
        load_model(str(ref), **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def rewrite(folder, **settings):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_of_any_architecture_loads_and_answers(tmp_path, kind):
    model = load_model(str(save_tiny(tmp_path / "m", kind)))
    prompts = [Prompt("Do.", "a"), Prompt("Do.", "the staff")]
    assert [row.error for row in model.generate(prompts, Limits(3))] == [None, None]
    assert {row.by_sum for row in model.choose(prompts, ["yes", "no"])} <= {"yes", "no"}
    assert (model.name, model.context) == (str(tmp_path / "m"), 512)
    assert not model.module.training


def test_the_module_has_the_weights_of_the_file_in_the_format_asked(base):
    loaded = load_module(str(base), device="cpu", dtype=torch.float32)
    for name, weight in tiny_module().state_dict().items():
        assert torch.equal(loaded.module.state_dict()[name], weight)
    assert load_module(str(base), dtype=torch.bfloat16).module.dtype == torch.bfloat16
    assert (loaded.ref, loaded.folder) == (str(base), base)


def test_a_tilde_is_the_home_folder(base, monkeypatch):
    monkeypatch.setenv("HOME", str(base.parent))
    assert find_folder("~/base") == base


@pytest.mark.parametrize("ref", ["./nosuch", "/nosuch", "~/nosuch", "a/b/c", "a\\b", "", " "])
def test_a_path_that_does_not_exist_is_not_looked_for_on_the_hub(ref):
    assert "doesn't exist; give a folder, a hub name (owner/name) or `builtin`" in refusal(ref)


def test_a_file_is_not_a_folder(folder):
    assert "is a file" in refusal(folder / "config.json")


def test_builtin_that_was_not_made_yet(tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "BUILTIN", tmp_path)
    assert "make it with `python -m finetune.builtin`" in refusal("builtin")


def test_builtin_is_the_folder_beside_the_code(folder, monkeypatch):
    monkeypatch.setattr(loading, "BUILTIN", folder)
    assert load_model("builtin").name == "builtin"


def test_no_config(folder):
    (folder / "config.json").unlink()
    assert "holds no config.json" in refusal(folder)
    (folder / "adapter_config.json").write_text("{}")
    assert "is a PEFT adapter, not a model" in refusal(folder)


@pytest.mark.parametrize(("text", "problem"), [("{", "can't be read"), ("[]", "isn't a JSON object")])
def test_a_damaged_config(folder, text, problem):
    (folder / "config.json").write_text(text)
    message = refusal(folder)
    assert problem in message
    assert str(folder / "config.json") in message


@pytest.mark.parametrize("length", [0, 5, 100, -1000])
def test_weights_cut_short(folder, length):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:length])
    message = refusal(folder)
    assert f"{weights} is damaged or cut short" in message
    assert "download it again" in message


def test_no_weights_and_pickled_weights(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert "holds pickled weights only" in refusal(folder)
    (folder / "pytorch_model.bin").unlink()
    assert "holds no weights (*.safetensors)" in refusal(folder)


def test_a_missing_shard(tmp_path):
    from tests.tiny_models import tiny_tokenizer

    tiny_module().save_pretrained(tmp_path, max_shard_size="100KB")
    tiny_tokenizer().save_pretrained(tmp_path)
    shards = sorted(tmp_path.glob("*.safetensors"))
    assert len(shards) > 1
    assert load_model(str(tmp_path)).context == 512
    shards[0].unlink()
    assert f"lacks 1 of {len(shards)} weight files, such as {shards[0].name}" in refusal(tmp_path)


def test_no_tokenizer_and_a_damaged_one(folder):
    (folder / "tokenizer.json").write_text("{")
    message = refusal(folder)
    assert "the tokenizer in" in message
    assert message.endswith("copy or download it again")
    (folder / "tokenizer.json").unlink()
    assert "holds no tokenizer" in refusal(folder)


def test_weights_of_other_shapes(folder):
    rewrite(folder, hidden_size=32)
    assert "have another shape for" in refusal(folder)


def test_weights_that_lack_a_layer(folder):
    rewrite(folder, num_hidden_layers=3)
    assert "lack model.layers.2." in refusal(folder)


def test_an_architecture_that_nobody_knows(folder):
    rewrite(folder, model_type="nosuch", architectures=["NosuchForCausalLM"])
    assert "model type `nosuch`" in refusal(folder)


def test_code_in_the_folder_is_not_run(folder):
    mine = {"AutoConfig": "mine.Config", "AutoModelForCausalLM": "mine.Model"}
    (folder / "mine.py").write_text("raise SystemExit('code from the folder ran')")
    rewrite(folder, model_type="mine", architectures=["MineForCausalLM"], auto_map=mine)
    assert "needs code from its own repository" in refusal(folder)


def other_kinds():
    import transformers as t

    small = {"vocab_size": 424, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    return {
        "T5": lambda: t.T5ForConditionalGeneration(
            t.T5Config(vocab_size=424, d_model=32, d_ff=32, num_layers=1, num_heads=2, d_kv=16)
        ),
        "BERT": lambda: t.BertForMaskedLM(t.BertConfig(intermediate_size=32, **small)),
        "BERT head without a decoder": lambda: t.BertLMHeadModel(t.BertConfig(intermediate_size=32, **small)),
        "classifier": lambda: t.LlamaForSequenceClassification(
            t.LlamaConfig(intermediate_size=32, num_key_value_heads=2, pad_token_id=2, **small)
        ),
    }


@pytest.mark.parametrize("kind", ["T5", "BERT", "BERT head without a decoder", "classifier"])
def test_what_is_not_a_causal_language_model(folder, kind):
    for file in [*folder.glob("*.safetensors"), folder / "generation_config.json"]:
        file.unlink()
    other_kinds()[kind]().save_pretrained(folder)
    assert "isn't a causal language model" in refusal(folder)


def test_a_headless_model_is_told_by_its_weights(folder):
    (folder / "model.safetensors").unlink()
    tiny_module().model.save_pretrained(folder)
    assert "lack lm_head.weight" in refusal(folder)


def lora(targets="all-linear"):
    from peft import LoraConfig, get_peft_model

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = LoraConfig(r=4, target_modules=targets, task_type="CAUSAL_LM", init_lora_weights=False)
        return get_peft_model(tiny_module(), config)


def write_card(adapter, **settings):
    card = {"schema": 1, "base": "b", "method": "lora", "quantised": False, "seed": 0, **settings}
    (adapter / CARD).write_text(json.dumps(card))


def test_an_adapter_answers_as_it_did_in_memory(base, tmp_path):
    adapted = lora()
    adapted.save_pretrained(str(tmp_path / "adapter"))
    prompts = [Prompt("Do.", "a"), Prompt("Do.", "the staff")]
    loaded = load_model(str(base), adapter=tmp_path / "adapter")
    memory = LocalModel.from_module(adapted, loaded.tokenizer, name="memory")
    for one, other in zip(loaded.choose(prompts, ["a", "b"]), memory.choose(prompts, ["a", "b"]), strict=True):
        assert one.loglikelihoods == pytest.approx(other.loglikelihoods, abs=1e-4)
    plain = load_model(str(base)).choose(prompts, ["a", "b"])
    assert plain[0].loglikelihoods != pytest.approx(memory.choose(prompts, ["a", "b"])[0].loglikelihoods, abs=1e-2)
    assert loaded.name == f"{base} + adapter"


def test_an_adapter_of_another_base(tmp_path, base):
    adapter = tmp_path / "adapter"
    lora().save_pretrained(str(adapter))
    assert "doesn't fit the model" in refusal(save_tiny(tmp_path / "gpt2", "gpt2"), adapter=adapter)
    wide = tmp_path / "wide"
    tiny_module(width=32).save_pretrained(wide)
    shutil.copy(base / "tokenizer.json", wide)
    shutil.copy(base / "tokenizer_config.json", wide)
    assert "doesn't fit the model" in refusal(wide, adapter=adapter)
    deep = tmp_path / "deep"
    tiny_module(layers=3).save_pretrained(deep)
    shutil.copy(base / "tokenizer.json", deep)
    shutil.copy(base / "tokenizer_config.json", deep)
    named = tmp_path / "named"
    lora(["q_proj"]).save_pretrained(str(named))
    assert "it has no weights for base_model.model.model.layers.2." in refusal(deep, adapter=named)


def test_an_adapter_that_says_which_base_it_belongs_to(tmp_path, base):
    adapter = tmp_path / "adapter"
    lora().save_pretrained(str(adapter))
    write_card(adapter, base="mine", base_fingerprint=load_model(str(base)).fingerprint)
    assert load_model(str(base), adapter=adapter).adapter == adapter
    other = save_tiny(tmp_path / "other", seed=1)
    for known in (None, load_model(str(other)).fingerprint):
        message = refusal(other, adapter=adapter, base_fingerprint=known)
        assert "was trained on mine" in message
        assert f"not on {other}" in message
        assert message.endswith("give --model mine")
    (adapter / CARD).write_text("{")
    assert "tuneworthy.json can't be used" in refusal(base, adapter=adapter)


def test_an_adapter_whose_base_has_changed_since(tmp_path):
    adapter, folder = tmp_path / "adapter", save_tiny(tmp_path / "base")
    lora().save_pretrained(str(adapter))
    write_card(adapter, base=str(folder), base_fingerprint=load_model(str(folder)).fingerprint)
    save_tiny(folder, seed=1)
    message = refusal(folder, adapter=adapter)
    assert message.startswith(f"{folder} has changed since the adapter in {adapter} was trained on it")
    assert "--model" not in message


def test_an_adapter_that_was_trained_in_four_bits_gets_a_base_in_four_bits(tmp_path, base):
    from bitsandbytes.nn import Linear4bit

    adapter = tmp_path / "adapter"
    lora().save_pretrained(str(adapter))
    plain = load_model(str(base), adapter=adapter)
    write_card(adapter, base_fingerprint=load_model(str(base)).fingerprint, quantised=True)
    model = load_model(str(base), adapter=adapter)
    assert any(isinstance(layer, Linear4bit) for layer in model.module.modules())
    assert model.fingerprint != plain.fingerprint
    assert model.choose([Prompt("Do.", "a"), Prompt("Do.", "b")], ["yes", "no more"])[0].error is None


def test_an_adapter_without_config_or_safetensors(tmp_path, base):
    adapter = tmp_path / "adapter"
    assert "doesn't exist" in refusal(base, adapter=adapter)
    adapter.mkdir()
    assert "holds no PEFT adapter" in refusal(base, adapter=adapter)
    lora().save_pretrained(str(adapter))
    weights = adapter / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    message = refusal(base, adapter=adapter)
    assert f"{weights} is damaged or cut short" in message
    assert message.endswith("copy or download it again")
    weights.rename(adapter / "adapter_model.bin")
    assert "save the adapter as safetensors" in refusal(base, adapter=adapter)
