"""What placements share that may stand in a machine room larger than the job."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.spec import require


@dataclass(frozen=True, kw_only=True)
class InRoom:
    """Nodes among others.

    Args:
        among: nodes of the machine room; those of the job alone where absent. Whatever else runs there keeps quiet, unless it is listed
            under `neighbours`.
    """

    among: int | None = None

    def room(self, count: int) -> int:
        """Nodes of the machine room whose network is built."""
        require(self.among is None or self.among >= count, f"{count} nodes do not fit among {self.among}", f"write among: {count} or more")
        return self.among or count
