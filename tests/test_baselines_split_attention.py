import numpy as np
import pytest
import torch

import baselines.split_attention as split_attention
from baselines.choose import find_way, score_labels
from baselines.forward import Forward
from baselines.label_tree import grow_trees
from tests.test_baselines_choose import PROMPTS, assert_exact, model
from tests.tiny_models import KINDS, tiny_module

LABELS = [f"class {number} of {number % 7}" for number in range(40)]


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize("kind", KINDS)
def test_blocks_of_any_size_give_the_true_scores(kind, size, monkeypatch):
    monkeypatch.setattr(split_attention, "BLOCK", size)
    asked = model(kind)
    assert asked._forward.splits
    assert_exact(asked, asked.choose(PROMPTS, LABELS), PROMPTS, LABELS)


@pytest.mark.parametrize("size", [2, 3, 32])
def test_a_block_looks_at_all_that_its_nodes_may_see_and_at_nothing_else(size, monkeypatch):
    monkeypatch.setattr(split_attention, "BLOCK", size)
    (tree,) = grow_trees([[1, 2, 3, 4], [1, 2, 5, 6], [1, 2, 5, 7, 8, 9], [9, 9], [1, 3, 3]])
    blocks = split_attention.make_blocks(tree, 1, torch.float32)
    seen = np.zeros((tree.size, tree.size), dtype=bool)
    for start, keys, mask in zip(range(0, tree.size, split_attention.BLOCK), blocks.keys, blocks.mask, strict=True):
        for query in range(min(split_attention.BLOCK, tree.size - start)):
            seen[start + query, keys[mask[0, query] == 0].numpy()] = True
    assert (seen == tree.visible).all()


def test_a_model_that_fails_keeps_its_own_attention():
    module = tiny_module()
    forward = Forward(module)

    def fail(*_):
        raise RuntimeError("wires crossed")

    module.register_forward_hook(fail)
    (found,) = score_labels(forward, [[5, 6, 7]], [5], [[8, 9], [9, 9]])
    assert "wires crossed" in found
    assert module.config._attn_implementation == "sdpa"


def test_an_architecture_whose_attention_cannot_go_in_parts_is_scored_under_one_mask(monkeypatch):
    def refuse(*_, **__):
        raise NotImplementedError("an attention of its own")

    monkeypatch.setattr(split_attention, "_attend", refuse)
    forward = Forward(tiny_module())
    with forward.scoring():
        assert find_way(forward) == "tree"
    assert not forward.splits
