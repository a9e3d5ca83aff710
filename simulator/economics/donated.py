"""Machines given: the donor pays their running, the project nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.economics.item import Account, Item
from simulator.economics.price_list import PriceList
from simulator.spec import DollarsPerJoule, DollarsPerSecond, Source, require


@dataclass(frozen=True, kw_only=True)
class Donor:
    """Who gives, and what the gift costs them in cash.

    Args:
        name: as the bill names the payer.
        electricity: the donor's price of electricity [USD/J].
        operations: people, spare parts, space, per accelerator held [USD/s].
        source: where these prices come from.
    """

    name: str = "donor"
    electricity: DollarsPerJoule
    operations: DollarsPerSecond = 0.0
    source: Source

    def __post_init__(self) -> None:
        require(self.name not in ("", "project"), f"a donor cannot be called {self.name!r}", "give the donor a name of its own")


@dataclass(frozen=True, kw_only=True)
class Donated:
    """Machines given: the project pays nothing for them, the donor pays their running; the worth is that of the market.

    Args:
        market: price list at whose on-demand price the donation is valued.
        donor: who pays for the running.
        vendor: at whose price; the cheapest vendor's where absent.
    """

    kind: Literal["donated"] = "donated"
    market: PriceList
    donor: Donor
    vendor: str | None = None

    def items(self, account: Account) -> tuple[Item, ...]:
        """The donor's cash costs: electricity and operations."""
        # Assumes: the machines exist anyway; their write-off is no cash cost of the gift.
        donor = self.donor
        return (
            account.electricity(donor.electricity, donor.source, donor.name),
            account.operations(donor.operations, donor.source, donor.name),
        )

    def worth(self, account: Account) -> Item:
        """What the hours given would have cost on the market; stands beside the bill and is in no total.

        Raises:
            MendableError: the market's list has no on-demand price of this accelerator.
        """
        rate, source = self.market.quote(account.accelerator, account.date, "on_demand", self.vendor)
        return account.rent("donation_worth", rate, source)
