"""A price given in the scenario itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.economics.item import Account, Item
from simulator.spec import DollarsPerSecond, Source


@dataclass(frozen=True, kw_only=True)
class FixedRate:
    """A price per accelerator given in the scenario itself.

    Args:
        rate: per accelerator held [USD/s].
        source: who says so.
    """

    kind: Literal["rate"] = "rate"
    rate: DollarsPerSecond
    source: Source

    def items(self, account: Account) -> tuple[Item, ...]:
        """The hours held at the rate."""
        return (account.rent("rent", self.rate, self.source),)
