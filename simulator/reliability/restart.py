"""The recovery policy `restart`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.reliability.restarting import Restarting


@dataclass(frozen=True, kw_only=True)
class Restart(Restarting):
    """Stop, replace what was lost, load the last checkpoint, go on."""

    kind: Literal["restart"] = "restart"
