"""Failure classes: who fails, how often, and what it takes down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.spec import Fraction, Ratio, Seconds, Source, Sourced, require


@dataclass(frozen=True, kw_only=True)
class FailureClass:
    """One cause of interruptions, as an operator would name it.

    Args:
        cause: its name in the ledger, e.g. `gpu`, `hbm`, `software`.
        of: what fails: each accelerator, each node, or the job as a whole (a hazard that does not grow with its size).
        mtbf: mean time between failures of one such thing [s].
        shape: Weibull shape of the time between failures; 1 is exponential. Below 1, a fleet that is new when the run starts fails
            more at first; what was repaired or replaced is as good as new.
        share: of the nodes that have this fault when the run starts (lemons), picked by chance over the whole fleet, spares and pools
            included; `mtbf` is theirs, and the others never fail by it. A repair that succeeds, for whatever cause, cures it.
        loses_node: the node leaves for repair and must be replaced; otherwise the job restarts on the same machines.
        detection: from the failure to the decision to restart [s].
        source: where the rate comes from.
    """

    cause: str
    of: Literal["accelerator", "node", "job"]
    mtbf: Seconds
    shape: Ratio = 1.0
    share: Fraction = 1.0
    loses_node: bool = True
    detection: Seconds
    source: Source

    def __post_init__(self) -> None:
        require(self.mtbf > 0, f"the mtbf of {self.cause!r} is 0 s", "write the mean time between two failures of one such thing")
        require(self.shape > 0, f"the shape of {self.cause!r} is 0", "write 1 for exponential times")
        require(
            self.share == 1 or (self.of != "job" and self.shape == 1),
            f"{self.cause!r} strikes a share of the nodes: it is of nodes or accelerators, with exponential times",
            "leave out share or shape",
        )


@dataclass(frozen=True, kw_only=True)
class FailureSet(Sourced):
    """A catalogue set of failure classes, each cause once.

    Args:
        classes: causes of interruptions, each with its own rate and source.
    """

    classes: tuple[FailureClass, ...]

    def __post_init__(self) -> None:
        causes = [each.cause for each in self.classes]
        twice = next((cause for cause in causes if causes.count(cause) > 1), None)
        require(twice is None, f"the cause {twice!r} stands twice", "give each class its own cause: it names its line in the ledger")
