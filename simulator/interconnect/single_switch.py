"""Every node on one switch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.spec import Seconds, Sourced


@dataclass(frozen=True, kw_only=True)
class SingleSwitch(Sourced):
    """One non-blocking switch that joins all network interfaces.

    Args:
        hop_latency: network interface to network interface through the switch [s].
    """

    kind: Literal["single_switch"] = "single_switch"
    hop_latency: Seconds = 2e-6
