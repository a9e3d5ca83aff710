"""What is asked of one optimizer step, and what is answered."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator.hardware import Node, Software
from simulator.interconnect import Interconnect
from simulator.model import Transformer, products
from simulator.outcome import Bar, GroupTraffic, MemoryUse, StepTime, Term
from simulator.parallelism import Packed, Placement


@dataclass(frozen=True, kw_only=True)
class Job:
    """What one step computes.

    Args:
        sequence: length of one sequence [tokens].
        global_batch: sequences per step.
        precision: of the main matrix products.
    """

    model: Transformer
    sequence: int
    global_batch: int
    precision: str
    software: Software

    @property
    def output_layers(self) -> float | None:
        """Parameters of the output matrix over those of a layer, where the software spreads layers by cost."""
        if self.software.split != "cost":
            return None
        layer = sum(product.k * product.n * product.count for product in products(self.model))
        return self.model.vocabulary * self.model.hidden / layer


@dataclass(frozen=True, kw_only=True)
class Machines:
    """Healthy machines, and the network that joins them.

    Args:
        count: nodes.
        network: of the machine room, as built by a topology.
        placement: where in the machine room they stand.
    """

    node: Node
    count: int
    network: Interconnect
    placement: Placement = field(default_factory=Packed)

    @property
    def accelerators(self) -> int:
        """Of all nodes."""
        return self.node.accelerators * self.count


@dataclass(frozen=True, kw_only=True)
class StepAnswer:
    """One step, how long and how many bytes, and why.

    Args:
        bars: the first slots of the timeline, for a picture.
        traffic: of the groups, with the link that holds each up.
        terms: formula and source of each part, for `explain`.
        model_flop: of the whole job, per step [FLOP].
        checkpoint_bytes: states that a checkpoint writes [B].
        sigma: spread (log-normal) of measured over modelled times, from which the interval of `time` is made.
    """

    time: StepTime
    memory: MemoryUse
    bars: tuple[Bar, ...]
    traffic: tuple[GroupTraffic, ...]
    terms: tuple[Term, ...]
    assumptions: tuple[str, ...]
    model_flop: float
    checkpoint_bytes: float
    accelerators_used: int
    sigma: float
