import pytest
import torch

import baselines.stair_attention as stair_attention
from baselines.forward import Forward
from baselines.kv_cache import open_cache
from baselines.padding import pad_left
from tests.test_baselines_prefix_groups import PROMPTS, model
from tests.tiny_models import KINDS, tiny_module

ROWS = [[3 + (place * step) % 90 for place in range(length)] for step, length in ((1, 70), (7, 41), (11, 12))]
SHARED = [5 + place % 60 for place in range(50)]


def last_logits(kind, step, attention="sdpa"):
    """Return the logits behind rows of three lengths after a shared prefix, and how often attention went in steps."""
    module = tiny_module(kind)
    module.set_attn_implementation(attention)
    forward = Forward(module)
    steps = []
    with pytest.MonkeyPatch.context() as patch:
        attend = stair_attention.attend

        def counted(query, key, *rest):
            steps.append((query.shape[2], key.shape[2]))
            return attend(query, key, *rest)

        patch.setattr(stair_attention, "attend", counted)
        patch.setattr(stair_attention, "STEP", step)
        patch.setattr("baselines.forward.STEP", step)
        with forward.scoring():
            prefix = forward.prefix(SHARED)
            part = pad_left(ROWS, len(SHARED), forward.device)
            cache = open_cache(prefix, len(ROWS), part.mask.shape[1])
            return forward(part.ids, part.mask, part.positions, cache, keep=1)[:, 0], steps


@pytest.mark.parametrize("step", [1, 16, 33, 69])
@pytest.mark.parametrize("kind", KINDS)
def test_steps_of_any_size_give_what_one_pass_for_each_row_gives(kind, step):
    found, steps = last_logits(kind, step)
    module = tiny_module(kind)
    with torch.inference_mode():
        alone = [module(torch.tensor([SHARED + row])).logits[0, -1] for row in ROWS]
    torch.testing.assert_close(found, torch.stack(alone), atol=1e-4, rtol=1e-4)
    columns, layers = max(map(len, ROWS)), module.config.num_hidden_layers
    begun = [place for place, (_, keys) in enumerate(steps) if keys == len(SHARED) + min(step, columns)]
    of_rows = steps[begun[-layers] :]
    assert sum(queries for queries, _ in of_rows) == columns * layers
    for place, (queries, keys) in enumerate(of_rows):
        assert queries <= step
        assert keys <= len(SHARED) + columns
        assert place == 0 or keys == of_rows[place - 1][1] + queries or keys == len(SHARED) + queries


def test_short_stretches_and_other_attentions_go_their_own_way():
    for found, steps in (last_logits("llama", 70), last_logits("llama", 16, "eager")):
        assert steps == []
        torch.testing.assert_close(found, last_logits("llama", 16)[0], atol=1e-4, rtol=1e-4)


def test_a_model_keeps_its_own_attention_afterwards():
    asked = model()
    before = asked.module.config._attn_implementation
    asked.choose(PROMPTS, ["yes", "no"])
    assert asked.module.config._attn_implementation == before == "sdpa"
