"""Laws of rank groups, of the split of layers, and of the space that `layout: auto` searches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from simulator.hardware import Software
from simulator.model import Experts, Transformer
from simulator.parallelism import Layout, candidates, chunk_layers, divisibility, groups
from simulator.parallelism.groups import splits

few = settings(max_examples=40, deadline=None)
degree = st.integers(1, 4)
DENSE = ("tensor", "context", "data", "pipeline")
EXPERT = ("expert_tensor", "expert", "expert_data", "pipeline")


def model(**changes):
    return Transformer(**({"layers": 24, "hidden": 1024, "heads": 16, "ffn": 4096, "vocabulary": 50000, "sequence": 2048} | changes))


def software(year, fused):
    return Software(
        year=year,
        fused_attention=fused,
        fused_elementwise=True,
        gradient_bytes=4,
        overlap_gradient_reduction=False,
        overlap_parameter_gather=False,
        overlap_pipeline=False,
        workspace=0.0,
        fragmentation=0.0,
        jitter=0.0,
    )


@st.composite
def layouts(draw):
    tensor, context, data = draw(degree), draw(degree), draw(degree)
    expert_tensor = draw(st.sampled_from([None, 1]))
    inside = tensor * context * data // (expert_tensor or tensor)
    expert = draw(st.sampled_from([e for e in range(1, inside + 1) if inside % e == 0]))
    return Layout(tensor=tensor, context=context, pipeline=draw(degree), data=data, expert=expert, expert_tensor=expert_tensor)


@few
@given(layouts())
def test_every_rank_is_in_exactly_one_group_of_each_dimension(layout):
    for dimension in (*DENSE, "data_context", *EXPERT):
        found = groups(layout, dimension)
        assert np.array_equal(np.sort(found, axis=None), np.arange(layout.accelerators))


@few
@given(layouts())
def test_two_ranks_share_at_most_one_group_and_sizes_multiply_to_the_whole(layout):
    for dimensions in (DENSE, EXPERT):
        assert np.prod([groups(layout, dimension).shape[1] for dimension in dimensions]) == layout.accelerators
        place = np.zeros((layout.accelerators, len(dimensions)), int)
        for column, dimension in enumerate(dimensions):
            found = groups(layout, dimension)
            place[found, column] = np.arange(found.shape[1])  # the coordinate of a rank inside its group
        assert len(np.unique(place, axis=0)) == layout.accelerators


@few
@given(layouts())
def test_tensor_ranks_are_neighbours_and_stages_are_farthest_apart(layout):
    assert (np.diff(groups(layout, "tensor"), axis=1) == 1).all()
    assert (np.diff(groups(layout, "context"), axis=1) == layout.tensor).all()
    assert (np.diff(groups(layout, "data"), axis=1) == layout.tensor * layout.context).all()
    assert (np.diff(groups(layout, "pipeline"), axis=1) == layout.accelerators // layout.pipeline).all()


@few
@given(st.integers(1, 200), st.integers(1, 16), st.integers(1, 4))
def test_no_layer_is_lost_and_chunks_are_nearly_equal(layers, pipeline, virtual):
    assume(splits(layers, pipeline * virtual) or layers >= pipeline * virtual)
    held = np.array(chunk_layers(layers, pipeline, virtual))
    assert held.shape == (pipeline, virtual)
    assert held.sum() == layers
    assert held.max() - held.min() <= 1
    if splits(layers, pipeline * virtual):
        assert held.max() * held.size - layers <= 2


@few
@given(
    heads=st.sampled_from([12, 16, 40, 96]),
    layers=st.sampled_from([24, 61, 96, 126]),
    experts=st.sampled_from([None, Experts(count=8, active=2, ffn=4096)]),
    global_batch=st.sampled_from([96, 512, 1536, 2000]),
    accelerators=st.sampled_from([1, 24, 96, 1000, 1024, 10_000]),
    year=st.sampled_from([2019, 2021, 2023]),
    fused=st.booleans(),
)
def test_every_candidate_is_possible_and_the_space_is_small(heads, layers, experts, global_batch, accelerators, year, fused):
    asked = model(heads=heads, hidden=heads * 64, layers=layers, experts=experts)
    found = candidates(asked, software(year, fused), global_batch=global_batch, accelerators=accelerators, domain=8)
    assert found
    assert len(found) == len(set(found)) <= 20_000
    assert found == candidates(asked, software(year, fused), global_batch=global_batch, accelerators=accelerators, domain=8)
    assert not any(divisibility(layout, asked, global_batch=global_batch, accelerators=accelerators) for layout in found)
    used = [layout.accelerators for layout in found]
    assert min(used) >= 0.9 * max(used)
    assert max(used) <= accelerators
    assert not any(layout.sequence_parallel for layout in found if year < 2022 or layout.tensor == 1)
    assert not any(layout.sharding != "none" for layout in found if year < 2020)


@few
@given(layout=layouts(), global_batch=st.integers(1, 300), accelerators=st.integers(1, 300), layers=st.integers(1, 40))
def test_the_change_that_is_named_mends_that_trouble(layout, global_batch, accelerators, layers):
    asked = model(layers=layers, heads=12, hidden=768, ffn=3072)
    trouble = divisibility(layout, asked, global_batch=global_batch, accelerators=accelerators)
    assume(trouble is not None and trouble.mend.endswith("would do"))
    name, value = trouble.mend.removesuffix(" would do").split(": ")
    mended = Layout(**({field: getattr(layout, field) for field in layout.__dataclass_fields__} | {name: int(value)}))
    after = divisibility(mended, asked, global_batch=global_batch, accelerators=accelerators)
    assert after is None or after.reason != trouble.reason
    assert after is None or not after.mend.startswith(f"{name}: ") or name == "data" or name == "expert"


@pytest.mark.parametrize("accelerators", [96, 1024, 10_000])
def test_what_does_not_factor_well_may_leave_some_unused(accelerators):
    gpt3 = model(layers=96, hidden=12288, heads=96, ffn=49152)
    found = candidates(gpt3, software(2021, False), global_batch=1536, accelerators=accelerators, domain=8)
    assert all(layout.accelerators >= 0.9 * accelerators for layout in found)
