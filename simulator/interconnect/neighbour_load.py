"""Traffic of others, stated link by link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.spec import Fraction, require


@dataclass(frozen=True, kw_only=True)
class NeighbourLoad:
    """What others send over some links all the time, as a switch's counters show it: it does not give way.

    Args:
        link: its name as the report and `simulator collective` tell it, e.g. `leaf* -> spine`; `*` stands for any letters.
        share: of its capacity that is taken.
        both: the way back as well.
    """

    kind: Literal["load"] = "load"
    link: str
    share: Fraction
    both: bool = True

    def __post_init__(self) -> None:
        require(0 < self.share < 1, f"share is {self.share:g}, between 0 and 1 is expected", "write for example share: 30%")
