"""Layers that are not all alike: experts in some of them, recompute of some of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.errors import MendableError
from simulator.hardware import Node, NodePower, ScaleUp
from simulator.interconnect import SingleSwitch
from simulator.model import Experts, Transformer
from simulator.parallelism import Layout, held_layers
from simulator.scenario import entry
from simulator.step import Job, Machines, clock, executed_flop, memory_use
from simulator.step.chunks import held_dense
from simulator.step.memory import rank_memory

DENSE = Transformer(
    layers=12, hidden=2048, heads=16, ffn=8192, vocabulary=32000, sequence=2048, gated=True, norm="rms", tied_embeddings=False
)
EXPERTS = replace(DENSE, experts=Experts(count=8, active=2, ffn=4096))
NODE = Node(
    accelerator=entry("accelerators", "h100-sxm"), accelerators=8, scale_up=ScaleUp(kind="switch", rate=450e9), nics=8,
    nic_rate=50e9, power=NodePower(rated=10200.0, training=8000.0, idle=2000.0),
)  # fmt: skip
MACHINES = Machines(node=NODE, count=1, network=SingleSwitch().build(NODE, 1))


def job(model: Transformer) -> Job:
    return Job(model=model, sequence=2048, global_batch=32, precision="bf16", software=entry("software", "megatron-2025"))


def every(number: int) -> Job:
    return job(replace(EXPERTS, experts=Experts(count=8, active=2, ffn=4096, every=number)))


@pytest.mark.parametrize("layout", [Layout(data=8, expert=8), Layout(pipeline=2, virtual=3, schedule="interleaved", data=4, expert=4)])
def test_experts_in_every_other_layer_take_half_of_what_they_add(layout: Layout) -> None:
    none, half, all_of_them = (clock(asked, layout, MACHINES).parts for asked in (job(DENSE), every(2), every(1)))
    assert half["expert_comm"] == pytest.approx(all_of_them["expert_comm"] / 2)
    for part in ("matrix", "attention", "memory_bound"):
        assert half[part] == pytest.approx((none[part] + all_of_them[part]) / 2)


def test_stages_hold_the_experts_of_their_own_layers() -> None:
    asked, layout = every(3), Layout(pipeline=4, data=2)
    held = held_layers(layout, 12)
    assert held_dense(asked.model, layout, held) == ((2,), (2,), (2,), (2,))
    layout = Layout(pipeline=6)
    assert held_dense(asked.model, layout, held_layers(layout, 12)) == ((2,), (1,), (1,), (2,), (1,), (1,))
    weights = [rank_memory(asked, layout, stage)["weights"] for stage in range(1, 5)]
    assert weights[0] == weights[1] == weights[3] > weights[2]


def test_the_worst_stage_is_found_wherever_the_experts_lie() -> None:
    for number in (1, 2, 3, 4, 5, 12):
        asked, layout = every(number), Layout(pipeline=12)
        worst = max(sum(rank_memory(asked, layout, stage).values()) for stage in range(12))
        assert memory_use(asked, layout, MACHINES).total_bytes == pytest.approx(worst)


def test_recompute_of_more_layers_takes_longer_and_keeps_less() -> None:
    asked = job(DENSE)
    full = Layout(data=8, recompute="full")
    layouts = [replace(full, recompute="none"), *(replace(full, recompute_layers=count) for count in range(1, 13))]
    seconds = [clock(asked, layout, MACHINES).busiest.total for layout in layouts]
    kept = [memory_use(asked, layout, MACHINES).parts_bytes["activations"] for layout in layouts]
    each = (seconds[-1] - seconds[0]) / 12
    assert each > 0
    assert seconds == pytest.approx([seconds[0] + count * each for count in range(13)])
    assert kept[1:] == sorted(kept[1:], reverse=True)
    assert seconds[-1] == clock(asked, full, MACHINES).busiest.total
    assert memory_use(asked, layouts[-1], MACHINES) == memory_use(asked, full, MACHINES)
    executed = [executed_flop(asked, layout).total for layout in layouts]
    assert executed[6] == pytest.approx((executed[0] + executed[12]) / 2)


def test_recompute_of_some_layers_counts_for_each_chunk() -> None:
    asked = job(DENSE)
    halves = [
        replace(Layout(pipeline=2, recompute="full"), recompute_layers=3),
        Layout(pipeline=2, virtual=3, schedule="interleaved", recompute="full", recompute_layers=1),
    ]
    shares = [
        (executed_flop(asked, layout).matrix, executed_flop(asked, replace(layout, recompute_layers=None)).matrix) for layout in halves
    ]
    assert shares[0] == shares[1]


@pytest.mark.parametrize(
    "said", [{"recompute": "none"}, {"recompute": "selective"}, {"recompute_layers": 0}, {"offload": ("activations",)}]
)
def test_recompute_of_some_layers_is_of_full_recompute(said: dict[str, object]) -> None:
    with pytest.raises(MendableError, match="recompute_layers"):
        Layout(**{"recompute": "full", "recompute_layers": 4, **said})  # type: ignore[arg-type]
