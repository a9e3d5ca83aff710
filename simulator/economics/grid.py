"""Where the electricity comes from."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.spec import KilogramsPerJoule, Sourced


@dataclass(frozen=True, kw_only=True)
class Grid(Sourced):
    """A grid's mean location-based carbon intensity.

    Args:
        year: of the figure.
        intensity: [kg CO2e/J].
    """

    year: int
    intensity: KilogramsPerJoule
