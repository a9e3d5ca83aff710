"""A layer with experts: what its router costs, which copies its tokens take, how published runs of mixtures are read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.hardware import product_time, stream_time
from simulator.model import Experts, Transformer
from simulator.parallelism import Layout
from simulator.scenario import entry, measurements
from simulator.step import Job
from simulator.step.layer import layer_pass
from simulator.study.cases import case, rows

B200, H100 = entry("accelerators", "b200-sxm"), entry("accelerators", "h100-sxm")
MIXTURE = Transformer(
    layers=8, hidden=4096, heads=32, ffn=8192, vocabulary=32000, sequence=4096, gated=True, norm="rms",
    experts=Experts(count=16, active=2, ffn=8192),
)  # fmt: skip


def job(precision: str = "bf16", count: int = 16) -> Job:
    experts = Experts(count=count, active=2, ffn=8192)
    return Job(
        model=replace(MIXTURE, experts=experts), sequence=4096, global_batch=64, precision=precision,
        software=entry("software", "megatron-2025"),
    )  # fmt: skip


def silent(operation: str, size: float, dimension: str) -> float:
    return 0.0


@pytest.mark.parametrize("precision", ["bf16", "fp8"])
@pytest.mark.parametrize("tensor", [1, 4])
def test_the_router_takes_its_share_of_the_tokens_in_16_bit(precision: str, tensor: int) -> None:
    layout = Layout(tensor=tensor, data=8, expert=4, expert_tensor=1, sequence_parallel=tensor > 1)
    forward = layer_pass(job(precision), layout, H100, silent, dense=False).forward.matrix
    routed = 4096 * 2 / tensor * 4 / 16  # tokens of one of 4 local experts: those of 4 ranks
    expected = (
        product_time(H100, precision, 4096, 3 * 4096 / tensor, 4096)
        + product_time(H100, precision, 4096, 4096, 4096 / tensor)
        + product_time(H100, "bf16", 4096 / tensor, 16, 4096)
        + 4 * product_time(H100, precision, routed, 2 * 8192, 4096)
        + 4 * product_time(H100, precision, routed, 4096, 8192)
    )
    assert forward == pytest.approx(expected)


@pytest.mark.parametrize(("hidden", "experts", "measured"), [(5120, 160, 16.2e-6), (7168, 256, 28.8e-6)])
def test_a_router_takes_what_was_measured(hidden: int, experts: int, measured: float) -> None:
    """Source: MooreThreads/SimuMax, configs/system/b200_bf16_ceperm.json: products of the routers of DeepSeek V2 and V3, 4096 tokens."""
    assert product_time(B200, "bf16", 4096, experts, hidden) == pytest.approx(measured, rel=0.4)


def test_tokens_are_sorted_on_arrival_where_a_rank_has_several_experts() -> None:
    layout = Layout(data=16, expert_tensor=1)
    seconds = [layer_pass(job(), replace(layout, expert=ranks), H100, silent, dense=False).forward.memory_bound for ranks in (1, 8, 16)]
    sort = stream_time(H100, 2 * 4 * 4096 * 2 * 4096, 0.0)
    assert seconds[1] - seconds[0] == pytest.approx(sort)
    assert seconds[2] == pytest.approx(seconds[0])


def test_routing_takes_launches_of_its_own() -> None:
    model = replace(MIXTURE, experts=Experts(count=2, active=1, ffn=8192))
    asked = replace(job(), model=model)
    small = replace(asked, model=replace(model, hidden=32, heads=1, ffn=32, experts=Experts(count=2, active=1, ffn=32)), sequence=64)
    chip = replace(H100, issue=0.0)
    through = [layer_pass(small, Layout(), chip, silent, dense=dense) for dense in (False, True)]
    assert H100.kernels is not None
    launch = H100.kernels.launch
    assert through[0].forward.memory_bound - through[1].forward.memory_bound == pytest.approx(50 * launch, rel=0.05)
    assert through[0].backward.memory_bound - through[1].backward.memory_bound == pytest.approx(20 * launch, rel=0.05)
    issued = [layer_pass(small, Layout(), H100, silent, dense=dense).forward.total for dense in (False, True)]
    assert issued[0] - issued[1] > 50 * H100.issue  # the host issues them, and the experts, more slowly than they run


def test_published_runs_say_the_layers_of_their_stages() -> None:
    found = {
        str(row["id"]): case(row, entry)
        for file in measurements()
        if file.document.get("case_source") == "dgxc"
        for row in rows(file.document)
        if "deepseek" in str(row["id"])
    }
    h100, gb200 = found["dgxc-25.05-deepseek-v3-h100-1024-bf16"], found["dgxc-25.05-deepseek-v3-gb200-128-bf16"]
    assert h100.layout.stage_layers == (3, *(4,) * 14, 2)
    assert gb200.layout.stage_layers == (15, 16, 16, 14)
    assert (h100.job.software.fused_attention, gb200.job.software.fused_attention) == (True, False)
    assert {each.layout.recompute for each in found.values()} == {"selective"}
