"""The distribution `lognormal`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from simulator.spec import Ratio, require

_normal = NormalDist()


@dataclass(frozen=True, kw_only=True)
class Lognormal:
    """H(t) = −ln Φ(−z) with z = (ln t − ln M)/σ + σ/2, of mean M: few fail at once, most in a hump, and what outlives it fails less.

    Args:
        sigma: of the logarithm of the time between failures.
    """

    kind: Literal["lognormal"] = "lognormal"
    sigma: Ratio

    def __post_init__(self) -> None:
        require(self.sigma > 0, "a lognormal time of sigma 0 is no chance", "write a sigma above 0")

    def hazard(self, age: float, mtbf: float) -> float:
        """Cumulative hazard of an age [s]; infinite beyond 38 standard deviations."""
        if age <= 0:
            return 0.0
        beyond = math.erfc((math.log(age / mtbf) / self.sigma + self.sigma / 2) / math.sqrt(2)) / 2
        return -math.log(beyond) if beyond > 0 else math.inf

    def age(self, hazard: float, mtbf: float) -> float:
        """Age of a cumulative hazard [s]."""
        if hazard <= 0:
            return 0.0
        z = _normal.inv_cdf(-math.expm1(-hazard)) if hazard < 1 else -_normal.inv_cdf(math.exp(-hazard))
        return mtbf * math.exp(self.sigma * z - self.sigma * self.sigma / 2)
