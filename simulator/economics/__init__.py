"""Usage -> money, energy, carbon, by named item and payer."""

from simulator.economics.donated import Donated, Donor
from simulator.economics.emissions import carbon, carbon_terms
from simulator.economics.fixed_rate import FixedRate
from simulator.economics.grid import Grid
from simulator.economics.money import Extras, bill, bill_terms, spread
from simulator.economics.on_demand import OnDemand
from simulator.economics.owned import Owned, OwnedCosts
from simulator.economics.power import energy, energy_terms
from simulator.economics.price import Price
from simulator.economics.price_list import PriceList, PriceRow
from simulator.economics.reserved import Reserved
from simulator.economics.spot import SpotRent
from simulator.economics.usage import Usage

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
    "SpotRent",
    "Usage",
    "bill",
    "bill_terms",
    "carbon",
    "carbon_terms",
    "energy",
    "energy_terms",
    "spread",
]
