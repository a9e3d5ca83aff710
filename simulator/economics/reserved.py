"""Rent with a commitment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from simulator.economics.item import YEAR, Account, Item
from simulator.economics.price_list import Column, PriceList
from simulator.spec import Seconds, require


@dataclass(frozen=True, kw_only=True)
class Reserved:
    """Rent with a commitment.

    Args:
        term: 1 y or 3 y picks the column.
        whole_term: the whole term is paid even where the run ends earlier.
        list: price list whose row of the scenario's date holds.
        vendor: whose price; the cheapest vendor's where absent.
    """

    kind: Literal["reserved"] = "reserved"
    list: PriceList
    term: Seconds
    whole_term: bool = False
    vendor: str | None = None

    def __post_init__(self) -> None:
        known = any(math.isclose(self.term, years * YEAR, rel_tol=0.01) for years in (1, 3))
        require(known, f"a term of {self.term / YEAR:.3g} y has no price column", "write term: 1 y or term: 3 y")

    def items(self, account: Account) -> tuple[Item, ...]:
        """The hours held, and where the whole term is paid the hours of the commitment that nobody used.

        Raises:
            MendableError: the list has no such price.
        """
        column: Column = "reserved_1y" if self.term < 2 * YEAR else "reserved_3y"
        rate, source = self.list.quote(account.accelerator, account.date, column, self.vendor)
        rent = account.rent("rent", rate, source)
        if not self.whole_term:
            return (rent,)
        usage = account.usage
        committed = usage.nodes * usage.accelerators_per_node * self.term
        return (rent, account.rent("unused_commitment", rate, source, max(0.0, committed - usage.accelerator_s)))
