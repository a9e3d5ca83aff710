"""What a run held, for how long, and what came of it: all that money, energy and carbon depend on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What one run used; means over replications.

    Args:
        nodes: the most nodes held at once, spares that are held included.
        accelerators_per_node: how many each has.
        training_node_s: node-seconds in which the job ran: steps (waiting in a collective is not idle power), steps done twice,
            checkpoints [s].
        idle_node_s: node-seconds in which nodes of the job were held and the job stood: detection, restart, waiting for machines [s].
        spare_node_s: node-seconds of spares that were held and waited [s].
        wall_clock_s: from the first node held to the last token [s].
        tokens: accepted, over the whole run.
    """

    nodes: float
    accelerators_per_node: int
    training_node_s: float
    idle_node_s: float = 0.0
    spare_node_s: float = 0.0
    wall_clock_s: float
    tokens: float

    @property
    def node_s(self) -> float:
        """Node-seconds held, spares and idle included [s]."""
        return self.training_node_s + self.idle_node_s + self.spare_node_s

    @property
    def accelerator_s(self) -> float:
        """Accelerator-seconds held, spares and idle included [s]."""
        return self.node_s * self.accelerators_per_node
