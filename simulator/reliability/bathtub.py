"""The distribution `bathtub`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from simulator.spec import Ratio, Seconds, require


@dataclass(frozen=True, kw_only=True)
class Bathtub:
    """Early failures that burn in, a long flat bottom, wear: h(t) = (1 + (n − 1)·e^(−t/b) + (t/w)^(s−1)) ÷ M.

    M is the mean time between failures at the bottom, that is without the other two.

    Args:
        new: n: failure rate of what is new ÷ that of the bottom.
        burn_in: b: the time in which the excess of what is new falls to 1/e [s].
        wear_out: w: the age at which wear alone fails as often as the bottom [s]; absent where nothing wears out in this time.
        wear_shape: s: Weibull shape of wear.
    """

    kind: Literal["bathtub"] = "bathtub"
    new: Ratio = 1.0
    burn_in: Seconds = 30 * 86400.0
    wear_out: Seconds | None = None
    wear_shape: Ratio = 5.0

    def __post_init__(self) -> None:
        require(self.new >= 1, "a bathtub on which what is new fails less", "write new: 1 or more")
        require(self.burn_in > 0, "a burn-in of 0 s", "leave burn_in out, or write new: 1 where there is none")
        require(self.wear_out is None or self.wear_out > 0, "everything is worn out when it is new", "write a wear_out above 0 s")
        require(self.wear_shape > 1, "wear that does not grow with age", "write a wear_shape above 1")

    def hazard(self, age: float, mtbf: float) -> float:
        """Cumulative hazard of an age [s]."""
        early = -(self.new - 1) * self.burn_in * math.expm1(-age / self.burn_in)
        worn = self.wear_out / self.wear_shape * (age / self.wear_out) ** self.wear_shape if self.wear_out else 0.0
        return float((age + early + worn) / mtbf)

    def age(self, hazard: float, mtbf: float) -> float:
        """Age of a cumulative hazard, by bisection [s]."""
        low, high = 0.0, hazard * mtbf
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if self.hazard(middle, mtbf) < hazard else (low, middle)
        return high
