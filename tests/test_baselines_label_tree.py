import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselines.label_tree import END, grow_trees, one_begins_another

labels_of_tokens = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=5), min_size=1, max_size=20)


def bigram(previous, token):
    """A made-up log-probability that depends on everything before the token."""
    return -math.log(2 + (7 * hash(previous) + 3 * token) % 11)


def prefix_of(tree, node):
    tokens = []
    while node:
        tokens.append(tree.token[node])
        node = tree.parent[node]
    return tuple(reversed(tokens))


def tree_sums(tree):
    logprobs = np.array([[bigram(prefix_of(tree, node), token) for node, token in tree.edges]])
    return tree.sums(logprobs)[0]


@given(labels_of_tokens)
def test_a_label_that_begins_another_is_found(labels):
    pairs = [(one, other) for one in labels for other in labels]
    assert one_begins_another(labels) == any(len(a) < len(b) and b[: len(a)] == a for a, b in pairs)


def test_a_labels_end_is_its_last_step():
    (tree,) = grow_trees([[5], [5, 6]], ends=[1, 2])
    assert tree.steps == (((0, 5), (1, END)), ((0, 5), (1, 6), (2, END)))
    assert (tree.token[1:], tree.ends) == ((5, 6), (1, 2))


@given(labels_of_tokens, st.none() | st.integers(1, 6))
def test_sums_are_those_of_every_label_alone(labels, max_nodes):
    found = {}
    for tree in grow_trees(labels, max_nodes):
        found.update(zip(tree.labels, tree_sums(tree), strict=True))
    assert sorted(found) == list(range(len(labels)))
    for place, label in enumerate(labels):
        alone = sum(bigram(tuple(label[:end]), token) for end, token in enumerate(label))
        assert found[place] == pytest.approx(alone)


@given(labels_of_tokens)
def test_every_shared_prefix_is_one_node(labels):
    (tree,) = grow_trees(labels)
    prefixes = {tuple(label[:end]) for label in labels for end in range(1, len(label))}
    assert tree.size == len(prefixes)
    assert {prefix_of(tree, node) for node in range(1, tree.size + 1)} == prefixes
    assert all(tree.parent[node] < node for node in range(1, tree.size + 1))
    assert [len(prefix_of(tree, node)) for node in range(tree.size + 1)] == list(tree.depth)


@given(labels_of_tokens)
def test_a_node_sees_itself_and_its_ancestors_only(labels):
    (tree,) = grow_trees(labels)
    for one in range(1, tree.size + 1):
        for other in range(1, tree.size + 1):
            way = prefix_of(tree, one)
            sees = way[: tree.depth[other]] == prefix_of(tree, other)
            assert tree.visible[one - 1, other - 1] == sees


@given(labels_of_tokens)
def test_the_ways_down_hold_every_node_and_none_holds_another(labels):
    (tree,) = grow_trees(labels)
    assert {node for path in tree.paths for node in path} == set(range(tree.size + 1))
    for path in tree.paths:
        assert [tree.depth[node] for node in path] == list(range(len(path)))
        assert not any(path == other[: len(path)] for other in tree.paths if other is not path)


@given(labels_of_tokens, st.integers(1, 6))
def test_no_tree_is_larger_than_asked_unless_a_label_is(labels, max_nodes):
    for tree in grow_trees(labels, max_nodes):
        assert tree.size <= max_nodes or len(tree.labels) == 1


def test_a_label_that_begins_another_needs_no_node_of_its_own():
    (tree,) = grow_trees([[5], [5, 6], [5, 6, 7]])
    assert tree.size == 2
    assert tree.edges == ((0, 5), (1, 6), (2, 7))


def test_single_tokens_need_no_node():
    (tree,) = grow_trees([[1], [2], [1]])
    assert tree.size == 0
    assert tree.paths == ((0,),)
    assert tree.sums(np.array([[-1.0, -2.0]])).tolist() == [[-1.0, -2.0, -1.0]]


def test_an_impossible_token_stays_with_its_label():
    (tree,) = grow_trees([[1, 2], [1, 3], [4]])
    logprobs = np.array([[-1.0, -math.inf, -2.0, -3.0]])
    assert tree.edges == ((0, 1), (1, 2), (1, 3), (0, 4))
    assert tree.sums(logprobs).tolist() == [[-math.inf, -3.0, -3.0]]


def test_a_label_without_tokens_is_refused():
    with pytest.raises(ValueError, match="label 1 has no tokens"):
        grow_trees([[1], []])
