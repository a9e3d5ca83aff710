"""Failure classes: who fails, how often, and what it takes down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.spec import Ratio, Seconds, Source, Sourced


@dataclass(frozen=True, kw_only=True)
class FailureClass:
    """One cause of interruptions, as an operator would name it.

    Args:
        cause: its name in the ledger, e.g. `gpu`, `hbm`, `software`.
        of: what fails: each accelerator, each node, or the job as a whole (a hazard that does not grow with its size).
        mtbf: mean time between failures of one such thing [s].
        shape: Weibull shape of the time between failures; 1 is exponential.
        loses_node: the node leaves for repair and must be replaced; otherwise the job restarts on the same machines.
        detection: from the failure to the decision to restart [s].
        source: where the rate comes from.
    """

    cause: str
    of: Literal["accelerator", "node", "job"]
    mtbf: Seconds
    shape: Ratio = 1.0
    loses_node: bool = True
    detection: Seconds
    source: Source


@dataclass(frozen=True, kw_only=True)
class FailureSet(Sourced):
    """A catalogue set of failure classes."""

    classes: tuple[FailureClass, ...]
