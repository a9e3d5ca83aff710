"""Device memory: the published equations term by term, what sharding and schedules do to it, and verdicts with a mend that was computed."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.errors import MendableError
from simulator.hardware import Software
from simulator.model import Experts, Transformer, parameters
from simulator.outcome import Infeasible
from simulator.parallelism import Layout, divisibility
from simulator.parallelism.groups import costed_layers
from simulator.step.job import Job
from simulator.step.memory import fits, memory_use, rank_memory

GIB = 2.0**30
NO_HOST = {"host_memory": None, "host_link": None, "host_bandwidth": None}
SOFTWARE = Software(
    year=2022,
    fused_attention=False,
    fused_elementwise=True,
    dropout=True,
    gradient_bytes=4,
    overlap_gradient_reduction=False,
    overlap_parameter_gather=False,
    overlap_pipeline=False,
    workspace=2 * GIB,
    fragmentation=1.05,
    jitter=0.01,
)
GPT = Transformer(
    layers=24, hidden=2048, heads=16, ffn=8192, vocabulary=51200, sequence=2048, biases=True, positions="learned", norm="layer"
)
MIXTURE = Transformer(
    layers=8, hidden=1024, heads=16, ffn=4096, vocabulary=32000, sequence=2048, gated=True, norm="rms",
    experts=Experts(count=8, active=2, ffn=2048, first_dense=1),
)  # fmt: skip


def job(model=GPT, global_batch=64, **software):
    return Job(
        model=model,
        sequence=model.sequence,
        global_batch=global_batch,
        precision="bf16",
        software=dataclasses.replace(SOFTWARE, **software),
    )


def machines(memory=80 * GIB, count=8):
    accelerator = SimpleNamespace(memory=memory)
    node = SimpleNamespace(accelerator=accelerator, accelerators=8, scale_up=SimpleNamespace(domain=None), **NO_HOST)
    return SimpleNamespace(node=node, count=count, accelerators=8 * count)


def total(asked, layout):
    return memory_use(asked, layout, machines()).total_bytes


def per_layer(layout, **software):
    """Activations that one more layer adds on one rank, in units of sequence · microbatch · hidden bytes."""
    deeper = dataclasses.replace(GPT, layers=25)
    added = [rank_memory(job(model, **software), layout, 0)["activations"] for model in (GPT, deeper)]
    return (added[1] - added[0]) / (GPT.sequence * layout.microbatch * GPT.hidden)


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        ({}, lambda t, s: 34 + s),
        ({"tensor": 4}, lambda t, s: 10 + 24 / t + s / t),
        ({"tensor": 4, "sequence_parallel": True}, lambda t, s: 34 / t + s / t),
        ({"tensor": 4, "sequence_parallel": True, "recompute": "selective"}, lambda t, s: 34 / t),
        ({"tensor": 4, "recompute": "full"}, lambda t, s: 2),
    ],
)
def test_activations_of_a_layer_are_those_of_korthikanti_et_al(layout, expected) -> None:
    """Source: arXiv:2205.05198, Table 2 (full recompute without split inputs)."""
    scores = 5 * GPT.heads * GPT.sequence / GPT.hidden
    assert per_layer(Layout(microbatch=2, **layout)) == pytest.approx(expected(layout.get("tensor", 1), scores), rel=1e-9)


def test_fused_attention_keeps_no_scores() -> None:
    row_sums = 4 * GPT.heads / GPT.hidden
    assert per_layer(Layout(), fused_attention=True) == pytest.approx(34 + row_sums, rel=1e-9)


def test_states_are_two_four_and_twelve_bytes_per_parameter() -> None:
    """Source: arXiv:1910.02054, section 3.1, with gradients added up in fp32."""
    count = parameters(GPT).total - 2 * GPT.hidden  # the last norm is left out
    parts = memory_use(job(), Layout(), machines()).parts_bytes
    assert [parts[name] / count for name in ("weights", "gradients", "optimizer")] == pytest.approx([2, 4, 12], rel=1e-9)


@pytest.mark.parametrize(("sharding", "shares"), [("none", (2, 4, 12)), ("zero1", (2, 4, 3)), ("zero2", (2, 1, 3)), ("zero3", (1, 1, 2))])
def test_sharding_divides_states_by_the_replicas(sharding, shares) -> None:
    count = parameters(GPT).total - 2 * GPT.hidden
    parts = memory_use(job(), Layout(data=4, sharding=sharding), machines()).parts_bytes
    assert [parts[name] / count for name in ("weights", "gradients", "optimizer")] == pytest.approx(shares, rel=1e-9)


def test_the_parts_are_those_named_and_sum_to_the_total() -> None:
    use = memory_use(job(), Layout(tensor=2, pipeline=2), machines())
    assert tuple(use.parts_bytes) == ("weights", "gradients", "optimizer", "activations", "buffers", "workspace", "fragmentation")
    assert use.capacity_bytes == 80 * GIB


def test_an_interleaved_schedule_holds_more() -> None:
    """1 + (stages - 1) / (stages · chunks) of the activations of 1F1B. Source: arXiv:2205.05198, section 4.2.3."""
    plain = rank_memory(job(), Layout(pipeline=4), 0)["activations"]
    chunks = rank_memory(job(), Layout(pipeline=4, virtual=3, schedule="interleaved"), 0)["activations"]
    working = plain - 4 * 6 * (34 + 5 * 16) * 2048 * 2048
    assert (chunks - working) / (plain - working) == pytest.approx(1 + 3 / 12, rel=1e-9)


def test_the_loss_weighs_on_the_last_stage_alone() -> None:
    stages = [rank_memory(job(global_batch=4), Layout(pipeline=4), stage)["activations"] for stage in range(4)]
    wide = [rank_memory(job(dataclasses.replace(GPT, vocabulary=512_000), 4), Layout(pipeline=4), s)["activations"] for s in range(4)]
    assert wide[:3] == stages[:3]
    assert wide[3] > stages[3]


def test_half_precision_is_not_taken_for_fp32() -> None:
    parts = memory_use(dataclasses.replace(job(), precision="fp32"), Layout(), machines()).parts_bytes
    count = parameters(GPT).total - 2 * GPT.hidden
    assert sum(parts[name] for name in ("weights", "gradients", "optimizer")) == pytest.approx(16 * count, rel=1e-9)


@st.composite
def possible(draw):
    virtual = draw(st.sampled_from([1, 2]))
    layout = Layout(
        tensor=draw(st.sampled_from([1, 2, 4])),
        pipeline=draw(st.sampled_from([1, 2, 4, 8] if virtual == 1 else [2, 4])),
        virtual=virtual,
        schedule="interleaved" if virtual > 1 else "1f1b",
        data=draw(st.sampled_from([1, 2, 4])),
        microbatch=draw(st.sampled_from([1, 2, 4])),
        sharding=draw(st.sampled_from(["none", "zero1", "zero2"])),
        recompute=draw(st.sampled_from(["none", "selective", "full"])),
        sequence_parallel=draw(st.booleans()),
    )
    return draw(st.sampled_from([GPT, MIXTURE])), layout


@settings(max_examples=40, deadline=None)
@given(possible(), st.booleans())
def test_the_worst_rank_is_the_worst_of_all_stages(one, fused):
    model, layout = one
    asked = job(model, fused_attention=fused)
    every = [sum(rank_memory(asked, layout, stage).values()) for stage in range(layout.pipeline)]
    assert total(asked, layout) == pytest.approx(max(every), rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(possible(), st.booleans())
def test_what_should_save_memory_does(one, fused):
    model, layout = one
    asked = job(model, fused_attention=fused)
    change = dataclasses.replace
    now = total(asked, layout) * (1 + 1e-12)
    assert total(asked, change(layout, tensor=2 * layout.tensor)) <= now
    assert total(asked, change(layout, recompute="full")) <= now
    assert total(asked, change(layout, sharding="zero1")) <= total(asked, change(layout, sharding="none")) * (1 + 1e-12)
    assert total(asked, change(layout, sequence_parallel=True)) <= total(asked, change(layout, sequence_parallel=False)) * 1.02
    if layout.microbatch > 1:
        assert total(asked, change(layout, microbatch=layout.microbatch // 2)) <= now


def test_experts_are_shared_out() -> None:
    whole = memory_use(job(MIXTURE), Layout(data=8, expert_tensor=1), machines()).parts_bytes
    shared = memory_use(job(MIXTURE), Layout(data=8, expert=8, expert_tensor=1), machines()).parts_bytes
    experts = 7 * 8 * 3 * 1024 * 2048
    assert whole["weights"] - shared["weights"] == pytest.approx(2 * experts * 7 / 8, rel=1e-9)


def test_what_fits_is_not_refused() -> None:
    asked, layout = job(), Layout(tensor=8, pipeline=2)
    assert fits(memory_use(asked, layout, machines()), asked, layout, machines()) is None


@pytest.mark.parametrize(
    ("layout", "memory", "mend"),
    [
        ({"data": 8}, 30, "sharding: zero1"),
        ({"data": 8, "microbatch": 2, "sharding": "zero1"}, 22, "recompute: selective"),
        ({"data": 8, "sharding": "zero1", "recompute": "full", "microbatch": 8}, 20, "microbatch: 4"),
        ({"sharding": "zero1", "recompute": "full", "data": 8}, 8, "tensor: "),
    ],
)
def test_the_mend_is_near_and_was_computed(layout, memory, mend) -> None:
    asked, before, available = job(), Layout(**layout), machines(memory * GIB)
    verdict = fits(memory_use(asked, before, available), asked, before, available)
    assert isinstance(verdict, Infeasible)
    assert "too much" in verdict.reason
    assert verdict.mend.startswith(mend)
    written = dict(part.split(": ") for part in verdict.mend.split(" would fit")[0].split(", "))
    values = {name: {"true": True}.get(value, int(value) if value.isdigit() else value) for name, value in written.items()}
    after = dataclasses.replace(before, **values)
    assert divisibility(after, GPT, global_batch=64, accelerators=64) is None
    assert memory_use(asked, after, available).total_bytes <= memory * GIB


def test_where_nothing_near_fits_it_says_so() -> None:
    asked, tiny = job(), machines(GIB)
    verdict = fits(memory_use(asked, Layout(), tiny), asked, Layout(), tiny)
    assert verdict is not None
    assert "take more of them" in verdict.mend


def test_layers_that_cannot_be_split_are_refused() -> None:
    with pytest.raises(MendableError, match="without any"):
        memory_use(job(), Layout(pipeline=32), machines())


def test_layers_are_spread_by_cost_where_the_software_does_so():
    assert costed_layers(16, 2, 4.0) == ((11,), (5,))
    assert costed_layers(32, 4, 0.0) == ((9,), (8,), (8,), (7,))
    for layers, pipeline, output in ((28, 2, 3.6), (80, 32, 1.1), (32, 4, 2.2)):
        assert sum(count for (count,) in costed_layers(layers, pipeline, output)) == layers
    layout = Layout(pipeline=4, data=2)
    plain, costed = ([rank_memory(job(split=split), layout, stage)["weights"] for stage in (0, 3)] for split in ("equal", "cost"))
    assert costed[0] > plain[0]
    assert costed[1] < plain[1]


def test_copies_of_gradients_are_counted_at_their_own_moment():
    """The peak is the worst of three moments, so never less than without copies; buckets are two bytes a parameter more."""
    for layout in (Layout(data=8), Layout(data=8, sharding="zero1"), Layout(pipeline=2, data=4), Layout(tensor=8)):
        before, after = (rank_memory(job(reduction=kind), layout, 0) for kind in ("in_place", "copies"))
        assert sum(after.values()) >= sum(before.values())
        assert all(after[name] == before[name] for name in ("weights", "gradients", "optimizer"))
    whole, copied = (rank_memory(job(reduction=kind), Layout(data=8, microbatch=8), 0) for kind in ("in_place", "copies"))
    assert copied["activations"] == whole["activations"]
    assert copied["buffers"] - whole["buffers"] == pytest.approx(whole["weights"])


def test_the_loss_takes_what_the_software_says_and_a_kept_projection_adds_its_width():
    tokens = 2 * GPT.sequence
    counted, stated = (rank_memory(job(**given), Layout(microbatch=2), 0)["activations"] for given in ({}, {"loss_bytes": 12.0}))
    assert stated - counted == pytest.approx(2 * tokens * GPT.vocabulary)
    fused = {"fused_attention": True}
    plain, kept = (rank_memory(job(**fused, keeps_projection=keeps), Layout(microbatch=2), 0)["activations"] for keeps in (False, True))
    assert kept - plain == pytest.approx(tokens * GPT.layers * 2 * 2 * GPT.hidden)


def test_what_collectives_read_is_reserved_for_as_many_layers_as_the_host_is_ahead():
    """Two sums of a layer, whole: 24 layers keep all, 40 no more than 25; with one tensor rank there is none."""
    layout = Layout(tensor=4, microbatch=4, sequence_parallel=True)
    whole = 4 * GPT.sequence * 2 * GPT.hidden
    for layers, ahead in ((24, 24), (40, 25)):
        model = dataclasses.replace(GPT, layers=layers)
        freed, kept = (rank_memory(job(model, keeps_sent=keeps), layout, 0) for keeps in (False, True))
        assert kept["fragmentation"] - freed["fragmentation"] == pytest.approx(2 * whole * ahead)
        assert {name: kept[name] for name in kept if name != "fragmentation"} == {
            name: freed[name] for name in freed if name != "fragmentation"
        }
    assert rank_memory(job(keeps_sent=True), Layout(), 0) == rank_memory(job(), Layout(), 0)


def test_an_allocator_that_runs_out_waits_for_the_device():
    """What is only reserved never makes a layout too large: it takes the room there is."""
    layout = Layout(tensor=4, microbatch=4, sequence_parallel=True)
    needed = memory_use(job(), layout, machines()).total_bytes
    tight = memory_use(job(keeps_sent=True), layout, machines(memory=needed + GIB))
    assert tight.total_bytes == pytest.approx(needed + GIB)
    assert fits(tight, job(keeps_sent=True), layout, machines(memory=needed + GIB)) is None
    assert memory_use(job(keeps_sent=True), layout, machines(memory=needed - GIB)).total_bytes == pytest.approx(needed)
