"""What every recovery policy falls back on: a restart from the last checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.spec import Fraction, Ratio, Seconds


@dataclass(frozen=True, kw_only=True)
class Restarting:
    """How long a restart takes, and who must come.

    Args:
        restart: mean of scheduling, process start, communicator set-up, before the checkpoint is read [s].
        warm_up: share of a step's speed lost over the first steps, as time [s].
        sigma: of the lognormal's logarithm of the restart time; 0 is a constant.
        manual: share of the interruptions that wait for a person.
        manual_delay: how long they wait for that person [s].
        struck: whether failures strike while it recovers, as they do; `false` only to compare with a model in which they do not.
    """

    restart: Seconds = 300.0
    warm_up: Seconds = 0.0
    sigma: Ratio = 0.0
    manual: Fraction = 0.0
    manual_delay: Seconds = 3600.0
    struck: bool = True
