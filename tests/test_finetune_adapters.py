import json
import shutil

import pytest

from baselines.adapter import WEIGHTS, attach_adapter
from baselines.quantised import four_bits, guard_quantised, prepare_quantised
from baselines.tuned_card import CARD, TunedCard, read_card
from evals.errors import ModelError
from evals.task_file import Tune
from finetune.adapters import add_lora, save_adapter
from tests.tiny_models import KINDS, save_tiny, tiny_module

CARD_OF_TEST = TunedCard("tiny", "f" * 64, "lora", False, 3, "k")


def four_bit(folder):
    import torch
    from transformers import AutoModelForCausalLM

    config = four_bits("cpu")
    return prepare_quantised(
        AutoModelForCausalLM.from_pretrained(folder, quantization_config=config, dtype=torch.float32)
    )


def shaken(model, seed=1):
    """Give the LoRA matrices values that show in the output."""
    import torch

    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_" in name:
                weight.copy_(0.2 * torch.randn(weight.shape, generator=draw))
    return model.eval()


def logits(model):
    import torch

    with torch.no_grad():
        return model(input_ids=torch.tensor([[5, 17, 30, 41, 90]])).logits


def saved(tmp_path, kind="llama", **settings):
    model = shaken(add_lora(tiny_module(kind), Tune(rank=4, **settings), 0))
    save_adapter(model, tmp_path / "adapter", CARD_OF_TEST)
    return model, tmp_path / "adapter"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("quantised", [False, True])
def test_a_saved_adapter_gives_the_same_model_back(tmp_path, kind, quantised):
    import torch

    base = save_tiny(tmp_path / "base", kind)
    fresh = (lambda: four_bit(base)) if quantised else (lambda: tiny_module(kind))
    plain = logits(fresh())
    model = shaken(add_lora(fresh(), Tune(rank=4), 0))
    size = save_adapter(model, tmp_path / "adapter", CARD_OF_TEST)
    again = attach_adapter(fresh(), tmp_path / "adapter").eval()
    assert torch.equal(logits(model), logits(again))
    assert not torch.allclose(plain, logits(again), atol=1e-2)
    assert size == (tmp_path / "adapter" / WEIGHTS).stat().st_size / 1e6


@pytest.mark.parametrize("kind", KINDS)
def test_every_linear_layer_but_the_head_is_adapted(kind):
    model = add_lora(tiny_module(kind), Tune(rank=4), 0)
    adapted = {name.split(".lora_A")[0] for name, _ in model.named_parameters() if "lora_A" in name}
    assert len(adapted) == 2 * (4 if kind == "gpt2" else 7)
    assert not any("lm_head" in name for name in adapted)
    assert all("lora_" in name for name, weight in model.named_parameters() if weight.requires_grad)


def test_four_bits_leave_the_head_and_embeddings_alone(tmp_path):
    from bitsandbytes.nn import Linear4bit

    module = four_bit(save_tiny(tmp_path / "base", "llama"))
    assert not isinstance(module.get_output_embeddings(), Linear4bit)
    layer = module.model.layers[0].mlp.up_proj
    assert (layer.weight.quant_type, layer.weight.compress_statistics) == ("nf4", True)


@pytest.mark.parametrize(("width", "out"), [(33, 17), (48, 20), (130, 66)])
def test_any_shape_goes_into_four_bits(width, out):
    import torch
    from bitsandbytes.functional import dequantize_4bit
    from bitsandbytes.nn import Linear4bit

    layer = Linear4bit(width, out, compute_dtype=torch.float32, quant_type="nf4").to("cpu").eval()
    guard_quantised(layer)
    given = torch.ones(2, 3, width)
    # Eager: for these shapes bitsandbytes has torch compile C++, which takes a quarter of a minute.
    with torch.no_grad(), torch.compiler.set_stance("force_eager"):
        whole = given @ dequantize_4bit(layer.weight.data, layer.weight.quant_state).T + layer.bias
        assert torch.allclose(layer(given), whole, atol=1e-5)


def test_the_seed_decides_the_matrices_and_leaves_the_global_state():
    import torch

    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    one, same, other = (
        next(weight for name, weight in add_lora(tiny_module(), Tune(), seed).named_parameters() if "lora_A" in name)
        for seed in (1, 1, 2)
    )
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_the_card_comes_back_and_the_old_folder_is_replaced(tmp_path):
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "old").write_text("x")
    _, folder = saved(tmp_path)
    assert read_card(folder) == CARD_OF_TEST
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter"]
    assert sorted(path.name for path in folder.iterdir()) == ["adapter_config.json", WEIGHTS, CARD]


def test_a_folder_without_a_card_has_none_and_a_bad_card_is_refused(tmp_path):
    assert read_card(tmp_path) is None
    for text in ("{", "[]", '{"schema": 2}', '{"schema": 1, "base": "x"}'):
        (tmp_path / CARD).write_text(text)
        with pytest.raises(ModelError, match=r"tuneworthy.json can't be used"):
            read_card(tmp_path)


def test_what_is_no_adapter_is_refused_in_one_line(tmp_path):
    with pytest.raises(ModelError, match="holds no PEFT adapter"):
        attach_adapter(tiny_module(), tmp_path)
    _, folder = saved(tmp_path)
    whole = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"is damaged or cut short") as caught:
        attach_adapter(tiny_module(), folder)
    assert "\n" not in str(caught.value)
    (folder / WEIGHTS).rename(folder / "adapter_model.bin")
    with pytest.raises(ModelError, match=r"no adapter_model.safetensors"):
        attach_adapter(tiny_module(), folder)


def test_an_adapter_of_another_base_is_refused(tmp_path):
    _, folder = saved(tmp_path)
    with pytest.raises(ModelError, match="doesn't fit") as caught:
        attach_adapter(tiny_module("gpt2"), folder)
    assert "\n" not in str(caught.value)
    with pytest.raises(ModelError, match="doesn't fit"):
        attach_adapter(tiny_module("llama", width=32), folder)


def test_an_adapter_with_missing_weights_is_refused(tmp_path):
    from safetensors.torch import load_file, save_file

    _, folder = saved(tmp_path)
    weights = load_file(folder / WEIGHTS)
    lost = sorted(weights)[3]
    del weights[lost]
    save_file(weights, folder / WEIGHTS)
    with pytest.raises(ModelError, match="doesn't fit the model: it has no weights") as caught:
        attach_adapter(tiny_module(), folder)
    assert lost in str(caught.value)


def test_an_adapter_that_peft_alone_made_loads(tmp_path):
    import torch

    model, folder = saved(tmp_path)
    shutil.copytree(folder, tmp_path / "plain")
    (tmp_path / "plain" / CARD).unlink()
    assert json.loads((tmp_path / "plain" / "adapter_config.json").read_text())["peft_type"] == "LORA"
    assert torch.equal(logits(attach_adapter(tiny_module(), tmp_path / "plain").eval()), logits(model))
