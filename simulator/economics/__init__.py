"""Usage -> money, energy, carbon, by named item and payer."""

from simulator.economics.grid import Grid
from simulator.economics.price import (
    Donated,
    Donor,
    Extras,
    FixedRate,
    OnDemand,
    Owned,
    OwnedCosts,
    Price,
    PriceList,
    PriceRow,
    Reserved,
    Spot,
)

__all__ = [
    "Donated",
    "Donor",
    "Extras",
    "FixedRate",
    "Grid",
    "OnDemand",
    "Owned",
    "OwnedCosts",
    "Price",
    "PriceList",
    "PriceRow",
    "Reserved",
    "Spot",
]
