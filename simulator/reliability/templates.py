"""The recovery policy `templates`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.reliability.surviving import Surviving
from simulator.spec import require


@dataclass(frozen=True, kw_only=True)
class Templates(Surviving):
    """Pipelines of several depths are planned beforehand; the nodes at hand are covered by a mix of them, with no node idle (Oobleck).

    The pipelines share the batch in proportion to their speed. States that a pipeline lacks are copied from another, so that only the step
    in progress is lost as long as a copy of every layer is left: of `tolerate` nodes that are lost at once, or before the job trains
    again, no more than that many copies go. Where more are lost, or the job as a whole failed, it is a restart from the last checkpoint.

    Args:
        drop: most nodes that can be missing; with fewer it waits.
        tolerate: nodes that can be lost at once; there are always this many pipelines and one more.
    """

    kind: Literal["templates"] = "templates"
    drop: int = 4
    tolerate: int = 1

    def __post_init__(self) -> None:
        require(self.drop >= 1, "templates for no missing node", "write drop: 1 or more, or kind: restart")
        require(self.tolerate >= 1, "templates that tolerate no loss", "write tolerate: 1 or more, or kind: morph")
