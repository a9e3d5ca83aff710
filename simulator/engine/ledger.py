"""The books of one life: where every second and every node-second went, and who is to blame for it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from simulator.engine.life import PARTS
from simulator.engine.progress import Progress


@dataclass(slots=True)
class Caused:
    """What a cause is to blame for so far: work lost, time that the job stood [s], nodes held meanwhile × time [s]."""

    lost_s: float = 0.0
    stood_s: float = 0.0
    node_s: float = 0.0


class Ledger:
    """Seconds and node-seconds by part and by cause. Training is booked by `Progress`; `close` takes it from there.

    Attributes:
        parts_s, parts_node_s: every name of `PARTS`; those of training are filled in by `close` [s].
        training_node_s: nodes held while the job trained x time [s].
        blamed: the cause that answers for what passes now; empty where none does.
    """

    def __init__(self) -> None:
        self.parts_s = dict.fromkeys(PARTS, 0.0)
        self.parts_node_s = dict.fromkeys(PARTS, 0.0)
        self.training_node_s = 0.0
        self.blamed = ""
        self._accounted = self._each = 0.0
        self._caused: dict[str, Caused] = {}

    def spend(self, spent_on: Iterable[tuple[str, float]], held_s: float, blamed: str) -> None:
        """A stretch in which the machines stood.

        Args:
            spent_on: (part, seconds).
            held_s: node-time held in it; counts for its parts by their seconds.
            blamed: the cause that answered for it.
        """
        spent_on = tuple(spent_on)
        seconds = math.fsum([spent for _, spent in spent_on])
        for name, spent in spent_on:
            self.parts_s[name] += spent
            self.parts_node_s[name] += held_s * spent / seconds
        if blamed:
            self._caused[blamed].stood_s += seconds
            self._caused[blamed].node_s += held_s

    def blame(self, cause: str, lost_s: float) -> None:
        """From now on that cause answers for what passes; the one so far for what was lost. None where it is empty.

        Args:
            lost_s: training lost since the run began.
        """
        if self.blamed:
            self._caused[self.blamed].lost_s += lost_s - self._accounted
        self._accounted = lost_s
        self.blamed = cause
        if cause and cause not in self._caused:
            self._caused[cause] = Caused()

    def close(self, progress: Progress) -> None:
        """Take over what was trained, kept or lost; its nodes count by seconds."""
        training = {
            "productive": progress.productive,
            "degraded": progress.degraded,
            "evaluation": progress.evaluation,
            "data": progress.data,
            "lost_work": progress.lost,
            "checkpoint": progress.checkpoint,
        }
        trained = math.fsum(training.values())
        self._each = self.training_node_s / trained if trained > 0 else 0.0
        for part, seconds in training.items():
            self.parts_s[part] += seconds
            self.parts_node_s[part] += seconds * self._each

    @property
    def causes_s(self) -> Mapping[str, float]:
        """What each cause took of the wall-clock, work that it lost included [s]."""
        return {cause: self._caused[cause].stood_s + self._caused[cause].lost_s for cause in sorted(self._caused)}

    @property
    def causes_node_s(self) -> Mapping[str, float]:
        """Node-time held in that; once closed [s]."""
        return {cause: self._caused[cause].node_s + self._caused[cause].lost_s * self._each for cause in sorted(self._caused)}
