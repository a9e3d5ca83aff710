"""Intervals widen where evidence is thin; recompute by operation costs and saves between none and full."""

from __future__ import annotations

import dataclasses
import math

import pytest

from simulator.hardware import Node, NodePower, ScaleUp
from simulator.interconnect import SingleSwitch
from simulator.model import Experts, Transformer
from simulator.parallelism import Layout
from simulator.scenario import entry
from simulator.step import Job, Machines, clock, memory_interval, memory_use
from simulator.step.layer import repeated_share
from simulator.step.uncertainty import EXPERTS, UNSEEN, interval, sigma, spread

LLAMA = Transformer(
    layers=32, hidden=4096, heads=32, key_value_heads=8, ffn=14336, vocabulary=128256, sequence=8192, gated=True, tied_embeddings=False,
    norm="rms",
)  # fmt: skip


def machines(count: int, accelerator: str = "h100-sxm") -> Machines:
    node = Node(
        accelerator=entry("accelerators", accelerator),
        accelerators=8,
        scale_up=ScaleUp(kind="switch", rate=450e9),
        nics=8,
        nic_rate=50e9,
        power=NodePower(rated=0.0, training=0.0, idle=0.0),
    )
    return Machines(node=node, count=count, network=SingleSwitch().build(node, count))


def job(software: str = "nemo-2025", model: Transformer = LLAMA) -> Job:
    return Job(model=model, sequence=8192, global_batch=64, precision="bf16", software=entry("software", software))


PLAIN = Layout(data=8, sharding="zero1")


def test_thin_evidence_widens() -> None:
    known = sigma(spread(job(), PLAIN, machines(1)))
    mixture = dataclasses.replace(LLAMA, experts=Experts(count=8, active=2, ffn=14336))
    assert spread(job(model=mixture), PLAIN, machines(1))["experts"] == EXPERTS
    assert spread(job("megatron-2023"), PLAIN, machines(1))["software without calibration runs"] == UNSEEN
    assert sigma(spread(job("nemo-2024", mixture), dataclasses.replace(PLAIN, expert=8), machines(1))) > known
    assert "zero3 not calibrated" in spread(job(), Layout(data=8, sharding="zero3"), machines(1))
    assert sigma(spread(job(), PLAIN, machines(1, "mi300x"))) > known
    assert "scale" not in spread(job(), PLAIN, machines(1))
    large = dataclasses.replace(PLAIN, data=16384)
    assert spread(job(), large, machines(1))["scale"] < spread(job(), dataclasses.replace(large, data=65536), machines(1))["scale"]


def test_an_interval_is_wider_than_normal_quantiles_of_few_sources_say() -> None:
    parts = {"one": 0.03, "other": 0.04}
    assert sigma(parts) == pytest.approx(0.05 * 1.782 / 1.645, rel=2e-3)  # Student's, 12 degrees of freedom
    low, high = interval(2.0, sigma(parts))
    assert math.log(high / 2.0) == pytest.approx(math.log(2.0 / low))


def test_memory_of_uncalibrated_software_is_less_certain() -> None:
    known, unknown = (memory_interval(1e9, job(name)) for name in ("megatron-2025", "fsdp-2023"))
    assert unknown[0] < known[0] < 1e9 < known[1] < unknown[1]


def test_recompute_by_operation_lies_between() -> None:
    def priced(recompute: str) -> tuple[float, float]:
        layout = dataclasses.replace(PLAIN, sharding="zero3", recompute=recompute)
        asked = job("torchtitan-2024")
        return clock(asked, layout, machines(1)).total, memory_use(asked, layout, machines(1)).parts_bytes["activations"]

    none, some, full = (priced(recompute) for recompute in ("none", "selective", "full"))
    assert none[0] < some[0] < full[0]
    assert none[1] > some[1] > full[1]


def test_every_second_product_is_repeated() -> None:
    """Of Llama 3 8B: keys 1024, output 4096 and up 14336 columns of 4096, of 53 248 in all."""
    assert repeated_share(LLAMA) == pytest.approx((1024 + 4096 + 14336) / (2 * 4096 + 2 * 1024 + 3 * 14336))
