"""Groups, splits and infeasible layouts on cases that can be checked by hand."""

from __future__ import annotations

import pytest

from simulator.errors import MendableError
from simulator.model import Experts, Transformer
from simulator.parallelism import GivenNodes, Layout, Packed, Scattered, Spread, chunk_layers, divisibility, groups, held_layers, places

LLAMA = Transformer(
    layers=126, hidden=16384, heads=128, key_value_heads=8, ffn=53248, vocabulary=128256, sequence=8192, gated=True, tied_embeddings=False
)


def test_groups_of_sixteen_ranks_as_megatron_documents_them() -> None:
    """Source: the example in megatron/core/parallel_state.py: 16 ranks, tensor 2, pipeline 4."""
    layout = Layout(tensor=2, pipeline=4, data=2)
    assert groups(layout, "tensor").tolist() == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10, 11], [12, 13], [14, 15]]
    assert groups(layout, "data").tolist() == [[0, 2], [1, 3], [4, 6], [5, 7], [8, 10], [9, 11], [12, 14], [13, 15]]
    assert groups(layout, "pipeline").tolist() == [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]]


def test_experts_live_inside_data_and_context() -> None:
    layout = Layout(tensor=2, data=4, expert=4, expert_tensor=1)
    assert groups(layout, "expert").tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert groups(layout, "expert_data").tolist() == [[0, 4], [1, 5], [2, 6], [3, 7]]
    with pytest.raises(MendableError, match="not a multiple"):
        groups(Layout(tensor=2, data=3, expert=4, expert_tensor=1), "expert")


def test_packed_ranks_stand_where_they_are_numbered() -> None:
    assert places(Packed(), 2, 2).tolist() == [0, 1, 2, 3]


def test_spread_nodes_stand_in_one_block_after_the_other() -> None:
    assert Spread(block=2).stands(6).tolist() == [0, 2, 4, 1, 3, 5]
    assert Spread(block=4, among=16).stands(6).tolist() == [0, 4, 8, 12, 1, 5]
    assert places(Spread(block=2), 4, 2).tolist() == [0, 1, 4, 5, 2, 3, 6, 7]
    with pytest.raises(MendableError, match="6 nodes do not fit among 5"):
        Spread(block=2, among=5).stands(6)


def test_scattered_nodes_are_drawn_once_per_seed_and_each_at_most_once() -> None:
    one = Scattered(among=100, seed=3).stands(40)
    assert len(set(one.tolist())) == 40
    assert one.max() < 100
    assert one.tolist() == Scattered(among=100, seed=3).stands(40).tolist()
    assert one.tolist() != Scattered(among=100, seed=4).stands(40).tolist()
    assert sorted(Scattered().stands(5).tolist()) == [0, 1, 2, 3, 4]


def test_given_nodes_stand_where_they_are_listed() -> None:
    given = GivenNodes(nodes=(7, 0, 3))
    assert given.room(3) == 8
    assert places(given, 3, 2).tolist() == [14, 15, 0, 1, 6, 7]
    assert given.stands(2).tolist() == [7, 0]
    with pytest.raises(MendableError, match="lists 3 nodes, the job has 4"):
        given.stands(4)
    with pytest.raises(MendableError, match="node 7 more than once"):
        GivenNodes(nodes=(7, 0, 7))
    with pytest.raises(MendableError, match="names node 7, and there are 4"):
        GivenNodes(nodes=(7, 0), among=4)


def test_llama_3_gives_its_first_and_last_stage_one_layer_less() -> None:
    """Source: arXiv:2407.21783, section 3.3.2."""
    held = chunk_layers(126, 16)
    assert [sum(stage) for stage in held] == [7, *[8] * 14, 7]
    assert [sum(stage) for stage in chunk_layers(60, 8)] == [8, 8, 8, 8, 7, 7, 7, 7]
    with pytest.raises(MendableError, match="without any"):
        chunk_layers(4, 8)


def test_a_layout_may_say_the_layers_of_every_chunk_in_the_order_of_the_model() -> None:
    assert held_layers(Layout(pipeline=2, stage_layers=(80, 46)), 126) == ((80,), (46,))
    interleaved = Layout(pipeline=2, virtual=2, schedule="interleaved", stage_layers=(40, 30, 30, 26))
    assert held_layers(interleaved, 126) == ((40, 30), (30, 26))
    with pytest.raises(MendableError, match="3 numbers, pipeline 2 x virtual 1 asks for 2"):
        Layout(pipeline=2, stage_layers=(40, 40, 46))
    with pytest.raises(MendableError, match="negative"):
        Layout(pipeline=2, stage_layers=(127, -1))


@pytest.mark.parametrize(
    ("change", "accelerators", "batch", "reason", "mend"),
    [
        ({"tensor": 8, "pipeline": 16, "data": 130}, 16384, 2080, "tensor 8 x pipeline 16 x data 130 = 16640 accelerators", "data: 104"),
        ({"tensor": 8, "pipeline": 16, "data": 1}, 100, 16, "the cluster has 100", "tensor x context x pipeline alone is 128"),
        ({"tensor": 6}, 8, 16, "does not divide 128 heads", "tensor: 4 would do"),
        ({"pipeline": 10}, 16, 16, "126 layers do not split over pipeline 10", "pipeline: 9 would do"),
        ({"pipeline": 2, "stage_layers": (60, 60)}, 16, 16, "stage_layers has 120 layers, the model has 126", "add up"),
        ({"data": 5}, 8, 16, "does not split over data 5", "data: 4 would do"),
        ({"microbatch": 3}, 8, 16, "data 1 x microbatch 3", "lower the microbatch"),
        ({"pipeline": 2, "virtual": 3, "schedule": "interleaved", "data": 2}, 8, 6, "3 microbatches", "data: 1 would do"),
        ({"pipeline": 2, "virtual": 3, "schedule": "interleaved"}, 8, 5, "5 microbatches", "schedule: 1f1b"),
        ({"context": 3}, 8, 16, "8192 tokens does not split", "context: 2 would do"),
        ({"expert": 2, "data": 2}, 8, 16, "a model without experts", "expert: 1 would do"),
    ],
)
def test_what_does_not_divide_is_told_with_the_nearest_that_does(change, accelerators, batch, reason, mend) -> None:
    trouble = divisibility(Layout(**change), LLAMA, global_batch=batch, accelerators=accelerators)
    assert trouble is not None
    assert reason in trouble.reason
    assert mend in trouble.mend


def test_experts_must_divide_too() -> None:
    experts = Transformer(layers=8, hidden=64, heads=4, ffn=128, vocabulary=100, sequence=64, experts=Experts(count=8, active=2, ffn=64))
    trouble = divisibility(Layout(expert=3, data=3), experts, global_batch=3, accelerators=8)
    assert trouble is not None
    assert "expert 3 does not divide 8 experts" in trouble.reason
    trouble = divisibility(Layout(expert=4, data=2), experts, global_batch=2, accelerators=8)
    assert trouble is not None
    assert trouble.mend == "expert: 2 would do"
    assert divisibility(Layout(expert=2, data=2), experts, global_batch=2, accelerators=8) is None
