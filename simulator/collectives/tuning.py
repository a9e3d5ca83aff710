"""Every constant of communication: what software adds to the wire, and how much of a line rate it reaches.

The form is that of NCCL's own model (latency of the hops + bytes / bandwidth, the fastest algorithm and protocol wins) with one term more:
pieces that follow each other through `hops` stages fill and drain the pipeline, which with pieces of the best size costs
2 sqrt(fill * hops * transfer time).

Calibrated on the clusters marked `calibration` in tests/validation/nccl_measured.py and on no other, by benchmarks/fit_collectives.py,
which holds each constant near NCCL's own figure where there is one. Inside one node: A100, H100 and B200, 2, 4 and 8 of them; between
nodes: a Dell H100 cluster (NDR InfiniBand), AWS p4de from 64 MiB on, HGX B200 of Vultr, the plot of arXiv:2411.13055 (32 to 4,096 H100).

Accuracy: on clusters held out, median error 7 % from 256 MiB on and 9 % from 1 MiB on, 12 % below; of the points below 1 MiB between
nodes only half are within a factor of 1.5, the worst over EFA on B200; racks of 72 joined by a network are up to five times too fast. The
same test on the same nodes varies by up to 20 %.
Source: NVIDIA/nccl, src/graph/tuning.cc and src/graph/topo.h (https://github.com/NVIDIA/nccl), version 2.30, for the form and the
figures that the fit starts from; measurements of ai-dynamo/aiconfigurator (Apache-2.0) and of public logs as cited in
tests/validation/data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How messages are cut and acknowledged, as it shows in time.

    Args:
        base: once per collective: launch and first synchronisation [s].
        near, far: per hop inside a scale-up domain, and between domains [s].
        share: of the achievable rate that carries data (flags and copies take the rest).
        fill_near, fill_far: time constant of filling the pipeline, per hop of either kind [s].
    """

    name: str
    base: float
    near: float
    far: float
    share: float
    fill_near: float = 0.0
    fill_far: float = 0.0


_RING = (
    Protocol(name="LL", base=7.1e-6, near=0.39e-6, far=2.6e-6, share=0.415),
    Protocol(name="LL128", base=13.7e-6, near=1.63e-6, far=4.2e-6, share=0.928, fill_near=0.1e-6, fill_far=0.31e-6),
    Protocol(name="Simple", base=11e-6, near=3.5e-6, far=14.3e-6, share=1.0, fill_near=0.33e-6, fill_far=0.3e-6),
)
_TREE = (
    Protocol(name="LL", base=5.75e-6, near=0.5e-6, far=3.4e-6, share=0.093),
    Protocol(name="LL128", base=10.9e-6, near=1.4e-6, far=24.5e-6, share=0.82, fill_near=0.1e-6, fill_far=1.17e-6),
    Protocol(name="Simple", base=8.5e-6, near=4.5e-6, far=24.6e-6, share=0.956, fill_near=0.31e-6, fill_far=0.9e-6),
)
_NVLS = (Protocol(name="Simple", base=13e-6, near=1.9e-6, far=25.9e-6, share=0.789, fill_near=0.44e-6, fill_far=1.29e-6),)
_DIRECT = (
    Protocol(name="LL", base=9.7e-6, near=1.04e-6, far=3e-6, share=0.298),
    Protocol(name="Simple", base=14.4e-6, near=3.7e-6, far=19.5e-6, share=0.866, fill_near=0.33e-6, fill_far=0.33e-6),
)

_SHARP = (Protocol(name="Simple", base=8.4e-6, near=4e-6, far=15.5e-6, share=0.9),)
"""NCCL's own figures for CollNet, not fitted: 31 us for the way up and down, 0.9 of the bandwidth; the base is that of its ring."""

PROTOCOLS: Mapping[str, tuple[Protocol, ...]] = {
    "ring": _RING, "tree": _TREE, "nvls": _NVLS, "direct": _DIRECT, "halving_doubling": _RING, "hierarchical": _RING,
    "multi_ring": _RING, "sharp": _SHARP,
}  # fmt: skip
"""Protocols that an algorithm can use; the fastest is taken, as NCCL would.

Assumes: halving-doubling, hierarchical schemes and rings in several dimensions, which NCCL does not have, run on the primitives of its
ring.
"""

SCALE_UP_EFFICIENCY: Mapping[str, float] = {"switch": 0.823, "mesh": 0.80, "pcie": 0.75}
"""Share of the line rate that data reach inside a domain: `switch` fitted (NCCL counts on 0.80 to 0.82); mesh and pcie assumed."""

SCALE_OUT_EFFICIENCY = 0.911
"""Share of the line rate that data reach between nodes: fitted; engineers name 46 to 48 GB/s of a 400 Gb/s interface."""

HELD = 0.19
"""Share of the compute beside it that a collective takes while it runs at the full rate of its scale-up link.

Source: Lee et al. 2025, arXiv:2507.03114, abstract: compute that runs beside communication is 18.9 % slower on average, in training runs
inside nodes of A100, H100, MI210 and MI250. NCCL holds one multiprocessor a channel, there 24 of 108 of an A100
(github.com/NVIDIA/nccl-tests, issue 100) and 24 of 132 of an H100 (forums.developer.nvidia.com, topic 337991): 0.22 and 0.18.
# Assumes: as many channels as the rate needs, so that a byte takes the same wherever the network is slower.
"""

OWN_COPY: Mapping[str, float] = {"all_reduce": 0.44, "all_gather": 0.585, "reduce_scatter": 0.585, "all_to_all": 0.585}
"""A rank's own n-th part is copied, too: time per byte of that part, over the time that the scale-up link takes for it; fitted."""
