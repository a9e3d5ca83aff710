"""The recovery policy `morph`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.reliability.restarting import Restarting
from simulator.spec import require


@dataclass(frozen=True, kw_only=True)
class Morph(Restarting):
    """Restart from the last checkpoint with the pipeline depth and the number of replicas that are fastest on the nodes at hand (Varuna).

    Spares and the pool come first. Where they are out, the job does not wait: it is laid out anew on what is there, and again, with a
    checkpoint before, when nodes come back.

    Args:
        drop: most nodes that can be missing; with fewer it waits.
    """

    kind: Literal["morph"] = "morph"
    drop: int = 4

    def __post_init__(self) -> None:
        require(self.drop >= 1, "a run that morphs when no node is missing", "write drop: 1 or more, or kind: restart")
