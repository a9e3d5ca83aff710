"""The distribution `exponential`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Exponential:
    """Times without memory: what is new and what is old fail alike."""

    kind: Literal["exponential"] = "exponential"

    def hazard(self, age: float, mtbf: float) -> float:
        """Cumulative hazard H(t) = t/M of an age [s]."""
        return age / mtbf

    def age(self, hazard: float, mtbf: float) -> float:
        """Age of a cumulative hazard [s]."""
        return hazard * mtbf
