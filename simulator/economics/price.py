"""What machines cost, and who pays: rent on demand, reserve, spot, own, donate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from simulator.spec import (
    Date,
    Dollars,
    DollarsPerJoule,
    DollarsPerSecond,
    Fraction,
    Kinds,
    Ratio,
    Seconds,
    Source,
    Sourced,
    require,
)


@dataclass(frozen=True, kw_only=True)
class PriceRow:
    """One dated price of one accelerator, per accelerator and time.

    Args:
        accelerator: catalogue name.
        date: from which it held.
        reserved_1y, reserved_3y: with a commitment of one or three years.
    """

    accelerator: str
    date: Date
    vendor: str
    on_demand: DollarsPerSecond | None = None
    reserved_1y: DollarsPerSecond | None = None
    reserved_3y: DollarsPerSecond | None = None
    spot: DollarsPerSecond | None = None
    source: Source


@dataclass(frozen=True, kw_only=True)
class PriceList(Sourced):
    """Dated prices; a scenario's date picks, per accelerator, the newest row that is not later."""

    rows: tuple[PriceRow, ...]


@dataclass(frozen=True, kw_only=True)
class OwnedCosts(Sourced):
    """What owning costs, per accelerator.

    Args:
        capital: purchase of an accelerator with its share of server and network [USD].
        life: straight-line write-off [s].
        interest: yearly cost of capital.
        network: share of the interconnect in the hardware's price, added on top where `capital` does not hold it.
        utilisation: share of its life in which it works, over which the write-off is spread.
        operations: people, spare parts, space, per accelerator [USD/s].
        electricity: [USD/J].
    """

    accelerator: str
    capital: Dollars
    life: Seconds
    interest: Fraction = 0.0
    network: Fraction = 0.0
    utilisation: Fraction = 1.0
    operations: DollarsPerSecond = 0.0
    electricity: DollarsPerJoule


@dataclass(frozen=True, kw_only=True)
class OnDemand:
    """Rent by the hour, no commitment."""

    kind: Literal["on_demand"] = "on_demand"
    list: PriceList


@dataclass(frozen=True, kw_only=True)
class Reserved:
    """Rent with a commitment.

    Args:
        term: 1 y or 3 y picks the column.
        whole_term: the whole term is paid even where the run ends earlier.
    """

    kind: Literal["reserved"] = "reserved"
    list: PriceList
    term: Seconds
    whole_term: bool = False


@dataclass(frozen=True, kw_only=True)
class Spot:
    """Rent that can be taken away."""

    kind: Literal["spot"] = "spot"
    list: PriceList


@dataclass(frozen=True, kw_only=True)
class FixedRate:
    """A price per accelerator given in the scenario itself."""

    kind: Literal["rate"] = "rate"
    rate: DollarsPerSecond
    source: Source


@dataclass(frozen=True, kw_only=True)
class Owned:
    """Machines of one's own: write-off, electricity, operations."""

    kind: Literal["owned"] = "owned"
    costs: OwnedCosts


@dataclass(frozen=True, kw_only=True)
class Donor:
    """Who gives, and what the gift costs them in cash.

    Args:
        name: as the bill names the payer.
        electricity: the donor's price of electricity [USD/J].
        operations: people, spare parts, space, per accelerator held [USD/s].
    """

    name: str = "donor"
    electricity: DollarsPerJoule
    operations: DollarsPerSecond = 0.0
    source: Source


@dataclass(frozen=True, kw_only=True)
class Donated:
    """Machines given: the project pays nothing for them, the donor pays their running; the worth is that of the market.

    Args:
        market: price list at whose on-demand price the donation is valued.
    """

    kind: Literal["donated"] = "donated"
    market: PriceList
    donor: Donor


Price = Annotated[OnDemand | Reserved | Spot | FixedRate | Owned | Donated, Kinds()]
"""Every way to come by machines: the union is the registry."""


@dataclass(frozen=True, kw_only=True)
class Extras:
    """Costs beside the machines, all paid by the project.

    Args:
        storage: kept for the whole run: price [USD/s].
        people: [USD/s].
        once: data, licences, moving in [USD].
    """

    storage: DollarsPerSecond = 0.0
    people: DollarsPerSecond = 0.0
    once: Dollars = 0.0
    source: Source = ""

    def __post_init__(self) -> None:
        require(bool(self.source) or not (self.storage or self.people or self.once), "extra costs need a source", "add source: ..")


__all__ = [
    "Donated",
    "Donor",
    "Extras",
    "FixedRate",
    "OnDemand",
    "Owned",
    "OwnedCosts",
    "Price",
    "PriceList",
    "PriceRow",
    "Ratio",
    "Reserved",
    "Spot",
]
