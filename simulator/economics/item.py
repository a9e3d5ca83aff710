"""One line of a bill, and what makes it: the grammar that every way to come by machines answers in."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from simulator import outcome
from simulator.economics.usage import Usage

PROJECT = "project"
"""Who pays where nobody else does."""

HOUR = 3600.0
YEAR = 365.25 * 86400.0
"""[s]; the unit `y` of `simulator.units`."""
JOULES_PER_MWH = 3.6e9


@dataclass(frozen=True, kw_only=True)
class Item:
    """One line of a bill.

    Args:
        usd: cash [USD].
        formula: the equation with its numbers.
        source: where the price comes from.
    """

    name: str
    usd: float
    payer: str = PROJECT
    formula: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Account:
    """What a way to come by machines is asked to price.

    Args:
        accelerator: catalogue name.
        date: of the scenario; picks the rows of dated lists.
        energy: that the run drew, cooling and losses included.
    """

    usage: Usage
    accelerator: str
    date: datetime.date
    energy: outcome.Energy

    def rent(self, name: str, usd_per_s: float, source: str, accelerator_s: float | None = None) -> Item:
        """Time of accelerators at a rate; all that were held where `accelerator_s` is absent."""
        held = self.usage.accelerator_s if accelerator_s is None else accelerator_s
        formula = f"{held / HOUR:,.6g} accelerator-hours x {usd_per_s * HOUR:.6g} USD/h"
        return Item(name=name, usd=held * usd_per_s, formula=formula, source=source)

    def electricity(self, usd_per_j: float, source: str, payer: str = PROJECT) -> Item:
        """The energy drawn at a price."""
        usd = self.energy.total_mwh * JOULES_PER_MWH * usd_per_j
        formula = f"{self.energy.total_mwh:,.6g} MWh x {usd_per_j * JOULES_PER_MWH:.6g} USD/MWh"
        return Item(name="electricity", usd=usd, payer=payer, formula=formula, source=source)

    def operations(self, usd_per_s: float, source: str, payer: str = PROJECT) -> Item:
        """People, spare parts, space, for the time that accelerators were held."""
        held = self.usage.accelerator_s
        formula = f"{held / HOUR:,.6g} accelerator-hours x {usd_per_s * HOUR:.6g} USD/h"
        return Item(name="operations", usd=held * usd_per_s, payer=payer, formula=formula, source=source)
