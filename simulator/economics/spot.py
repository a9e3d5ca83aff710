"""Rent that can be taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.economics.item import Account, Item
from simulator.economics.price_list import PriceList


@dataclass(frozen=True, kw_only=True)
class SpotRent:
    """Rent that can be taken away.

    Args:
        list: price list whose row of the scenario's date holds.
        vendor: whose price; the cheapest vendor's where absent.
    """

    kind: Literal["spot"] = "spot"
    list: PriceList
    vendor: str | None = None

    def items(self, account: Account) -> tuple[Item, ...]:
        """The hours held, at the list's spot price.

        Raises:
            MendableError: the list has no such price.
        """
        rate, source = self.list.quote(account.accelerator, account.date, "spot", self.vendor)
        return (account.rent("rent", rate, source),)
