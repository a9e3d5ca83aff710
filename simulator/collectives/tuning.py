"""Every constant of communication: what software adds to the wire, and how much of a line rate it reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How messages are cut and acknowledged, as it shows in time.

    Args:
        base: once per collective: launch and first synchronisation [s].
        near, far: per hop inside a scale-up domain, and between domains [s].
        share: of the achievable rate that carries data (flags take the rest).
        fill: per hop; pieces of the best size fill and drain the pipeline in 2 sqrt(fill * hops * transfer time) [s].
        cap: most bytes per second and rank [B/s], in one domain, two, and more.
    """

    name: str
    base: float
    near: float
    far: float
    share: float = 1.0
    fill: float = 0.0
    cap: tuple[float, float, float] = (float("inf"),) * 3


_LL_CAP = (141e9, 45e9, 35e9)
_RING = (
    Protocol(name="LL", base=6.6e-6, near=0.6e-6, far=2.7e-6, share=0.5, cap=_LL_CAP),
    Protocol(name="LL128", base=14e-6, near=1.9e-6, far=4.0e-6, share=0.92, fill=0.3e-6),
    Protocol(name="Simple", base=8.4e-6, near=3.4e-6, far=14e-6, fill=0.3e-6),
)
_TREE = (
    Protocol(name="LL", base=6.8e-6, near=0.6e-6, far=5e-6, share=0.263, cap=_LL_CAP),
    Protocol(name="LL128", base=14e-6, near=1.25e-6, far=8.5e-6, share=0.92 * 0.92, fill=0.3e-6),
    Protocol(name="Simple", base=8.4e-6, near=4.0e-6, far=14e-6, share=0.92, fill=0.3e-6),
)
_NVLS = (Protocol(name="Simple", base=0.0, near=6.25e-6, far=18e-6, share=0.85, fill=0.3e-6),)
_DIRECT = (
    Protocol(name="LL", base=6.6e-6, near=0.6e-6, far=2.7e-6, share=0.5),
    Protocol(name="Simple", base=8.4e-6, near=3.4e-6, far=14e-6, fill=0.3e-6),
)

PROTOCOLS: Mapping[str, tuple[Protocol, ...]] = {
    "ring": _RING, "tree": _TREE, "nvls": _NVLS, "direct": _DIRECT, "halving_doubling": _RING, "hierarchical": _RING,
}  # fmt: skip
"""Protocols that an algorithm can use; the fastest is taken, as NCCL would.

Source: NVIDIA/nccl, src/graph/tuning.cc (https://github.com/NVIDIA/nccl), version 2.30: base and hop latencies, shares, caps.
"""

SCALE_UP_EFFICIENCY: Mapping[str, float] = {"switch": 0.82, "mesh": 0.80, "pcie": 0.80}
"""Share of the line rate inside a domain.

Source: NVIDIA/nccl, src/graph/topo.h, version 2.30: 20.6 GB/s for a 25 GB/s link of Hopper, 20.0 of Ampere, 40.1 of 50 for Blackwell;
mesh and pcie assumed.
"""

SCALE_OUT_EFFICIENCY = 0.94
"""Share of the line rate between nodes: 46 to 48 GB/s of a 400 Gb/s interface, NVIDIA engineers in NVIDIA/nccl issues."""
