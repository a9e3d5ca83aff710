"""A step under the schedules that split backward passes or fold the model: what they must and must not change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.hardware import Node, NodePower, ScaleUp
from simulator.interconnect import SingleSwitch
from simulator.model import Experts, Transformer
from simulator.outcome import Infeasible
from simulator.parallelism import Layout, divisibility, ends_apart, held_layers
from simulator.scenario import entry
from simulator.step import Job, Machines, clock, evaluate
from simulator.step.memory import rank_memory

MODEL = Transformer(layers=32, hidden=2048, heads=16, ffn=8192, vocabulary=32000, sequence=1024, tied_embeddings=False)
NODE = Node(
    accelerator=entry("accelerators", "a100-sxm-80gb"), accelerators=8, scale_up=ScaleUp(kind="switch", rate=300e9), nics=8,
    nic_rate=25e9, power=NodePower(rated=6500.0, training=5000.0, idle=2000.0),
)  # fmt: skip
MACHINES = Machines(node=NODE, count=1, network=SingleSwitch().build(NODE, 1))
JOB = Job(model=MODEL, sequence=1024, global_batch=32, precision="bf16", software=entry("software", "megatron-2023"))
PLAIN = Layout(pipeline=8)
KINDS = {
    "zb_h1": replace(PLAIN, schedule="zb_h1"),
    "zb_h2": replace(PLAIN, schedule="zb_h2"),
    "zb_v": replace(PLAIN, schedule="zb_v", virtual=2),
    "dualpipe": replace(PLAIN, schedule="dualpipe"),
}  # fmt: skip


def test_splitting_backward_passes_shrinks_the_bubble_alone() -> None:
    plain = clock(JOB, PLAIN, MACHINES)
    for kind in ("zb_h1", "zb_h2"):
        split = clock(JOB, KINDS[kind], MACHINES)
        for part in ("matrix", "attention", "memory_bound", "data_comm", "optimizer"):
            assert split.parts[part] == pytest.approx(plain.parts[part], rel=1e-12)
        assert split.parts["pipeline_bubble"] < plain.parts["pipeline_bubble"]
    bubbles = [clock(JOB, KINDS[kind], MACHINES).parts["pipeline_bubble"] for kind in ("zb_h1", "zb_h2")]
    assert bubbles[1] < bubbles[0]


def test_weights_are_part_of_the_backward_pass() -> None:
    for through in (chunk for chunks in clock(JOB, PLAIN, MACHINES).passes for chunk in chunks):
        assert 0 < through.weight.matrix < through.backward.matrix
        assert through.weight.total == through.weight.matrix


def test_layers_lie_where_the_schedule_goes() -> None:
    assert held_layers(PLAIN, 32) == ((4,),) * 8
    assert held_layers(KINDS["zb_v"], 31) == ((2, 1), *((2, 2),) * 7)
    assert held_layers(KINDS["dualpipe"], 31) == ((4, 3), *((4, 4),) * 6, (3, 4))
    assert [ends_apart(layout) for layout in (PLAIN, Layout(), *KINDS.values())] == [True, False, True, True, False, False]


def test_memory_follows_what_is_held() -> None:
    first = {kind: rank_memory(JOB, layout, 0) for kind, layout in KINDS.items()} | {"1f1b": rank_memory(JOB, PLAIN, 0)}
    last = {kind: rank_memory(JOB, layout, 7) for kind, layout in KINDS.items()} | {"1f1b": rank_memory(JOB, PLAIN, 7)}
    assert first["zb_h1"] == first["1f1b"]
    assert last["zb_h1"]["activations"] > 4 * last["1f1b"]["activations"]
    kept = [first[kind]["activations"] for kind in ("1f1b", "zb_h2")]
    assert kept[1] / kept[0] == pytest.approx(15 / 8, rel=0.03)
    embedding = 2.0 * MODEL.vocabulary * MODEL.hidden
    assert first["zb_v"]["weights"] == pytest.approx(first["1f1b"]["weights"] + embedding)
    assert first["dualpipe"]["weights"] == pytest.approx(2 * (first["1f1b"]["weights"] - embedding) + 2 * embedding)
    inner = [rank_memory(JOB, layout, 1)["activations"] for layout in (PLAIN, KINDS["dualpipe"])]
    assert inner[1] / inner[0] == pytest.approx(9 / 7, rel=0.03)


def test_leading_dense_layers_are_found_in_both_copies() -> None:
    mixture = replace(MODEL, gated=True, experts=Experts(count=8, active=2, ffn=4096, first_dense=3))
    job = replace(JOB, model=mixture)
    weights = [rank_memory(job, KINDS["dualpipe"], stage)["weights"] for stage in range(8)]
    assert weights == pytest.approx(weights[::-1])
    assert weights[0] < weights[1] == pytest.approx(weights[2])


def test_exchanges_of_tokens_hide_under_dualpipe() -> None:
    mixture = replace(MODEL, gated=True, experts=Experts(count=8, active=2, ffn=4096))
    machines = Machines(node=NODE, count=4, network=SingleSwitch().build(NODE, 4))
    job = replace(JOB, model=mixture, global_batch=64)
    shown = clock(job, Layout(pipeline=4, data=8, expert=8), machines).parts["expert_comm"]
    hidden = clock(job, Layout(pipeline=4, data=8, expert=8, schedule="dualpipe"), machines).parts["expert_comm"]
    assert hidden < shown


@pytest.mark.parametrize(
    ("layout", "batch", "word"),
    [
        (Layout(pipeline=8, schedule="dualpipe"), 8, "at least 16"),
        (Layout(pipeline=8, schedule="dualpipe"), 17, "even"),
        (Layout(pipeline=5, schedule="dualpipe"), 32, "split"),
        (Layout(schedule="dualpipe"), 32, "even"),
    ],
)
def test_counts_that_a_schedule_cannot_run_are_an_answer(layout: Layout, batch: int, word: str) -> None:
    refused = divisibility(layout, MODEL, global_batch=batch, accelerators=8)
    assert isinstance(refused, Infeasible)
    assert word in str(refused)


def test_what_they_assume_is_told() -> None:
    for kind, word in (("zb_h2", "begins the next step on its own"), ("dualpipe", "both copies")):
        answered = evaluate(JOB, KINDS[kind], MACHINES)
        assert not isinstance(answered, Infeasible)
        assert any(word in note for note in answered.assumptions)
