"""The distribution `weibull`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from simulator.spec import Ratio, require


@dataclass(frozen=True, kw_only=True)
class Weibull:
    """H(t) = (t/λ)^k with the mean time between failures λ·Γ(1 + 1/k).

    Args:
        shape: k; below 1 what is new fails more, above 1 what is old; 1 is exponential.
    """

    kind: Literal["weibull"] = "weibull"
    shape: Ratio

    def __post_init__(self) -> None:
        require(self.shape > 0, "a Weibull shape of 0", "write a shape above 0")

    def hazard(self, age: float, mtbf: float) -> float:
        """Cumulative hazard of an age [s]."""
        return float((age / self._scale(mtbf)) ** self.shape)

    def age(self, hazard: float, mtbf: float) -> float:
        """Age of a cumulative hazard [s]."""
        return float(self._scale(mtbf) * hazard ** (1 / self.shape))

    def _scale(self, mtbf: float) -> float:
        return mtbf / math.gamma(1 + 1 / self.shape)
