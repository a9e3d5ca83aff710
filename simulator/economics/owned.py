"""Machines of one's own: write-off, interest, network, operations, electricity."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from simulator.economics.item import HOUR, YEAR, Account, Item
from simulator.spec import Dollars, DollarsPerJoule, DollarsPerSecond, Fraction, Seconds, Sourced, require


@dataclass(frozen=True, kw_only=True)
class OwnedCosts(Sourced):
    """What owning costs, per accelerator.

    Args:
        capital: purchase of an accelerator with its share of server [USD].
        life: straight-line write-off [s].
        interest: yearly cost of capital.
        network: share of the interconnect in the price of hardware and interconnect together, added on top of `capital`.
        utilisation: share of its life in which it works, over which the write-off is spread.
        operations: people, spare parts, space, per accelerator [USD/s].
        electricity: [USD/J].
        accelerator: which; the nodes of the scenario must have it.
    """

    accelerator: str
    capital: Dollars
    life: Seconds
    interest: Fraction = 0.0
    network: Fraction = 0.0
    utilisation: Fraction = 1.0
    operations: DollarsPerSecond = 0.0
    electricity: DollarsPerJoule

    def __post_init__(self) -> None:
        require(self.life > 0.0, "life is 0 s", "write for example life: 4 y")
        require(self.network < 1.0, "network is 100%: nothing would be left for the hardware", "write for example network: 19%")
        require(self.utilisation > 0.0, "utilisation is 0: the machines never work", "write for example utilisation: 80%")


@dataclass(frozen=True, kw_only=True)
class Owned:
    """Machines of one's own: write-off, electricity, operations.

    Args:
        costs: what owning costs; a catalogue name, or written out with a source.
    """

    kind: Literal["owned"] = "owned"
    costs: OwnedCosts

    def items(self, account: Account) -> tuple[Item, ...]:
        """The share of the machines' cost that falls to this run.

        With capital C per accelerator, life L, utilisation u, network share n, yearly interest i and time held t:
        write-off C t / (L u); network the same times n / (1 - n); interest the difference between the annuity
        C' i / (1 - (1 + i)^-L) and the straight line C' / L on C' = C / (1 - n), per year; operations and electricity by use.

        Accuracy: the straight line is not what hardware loses in value: prices of accelerators fall by about 0.14 decades a year.

        Source: network share and life from Cottier et al., arXiv:2405.21015; capital recovery factor as in any text of engineering economy.

        Raises:
            MendableError: the costs are those of another accelerator.
        """
        costs, has = self.costs, account.accelerator or "an accelerator without a name"
        require(
            costs.accelerator == account.accelerator,
            f"owned costs {costs.name} are of {costs.accelerator}, the cluster has {has}",
            f"choose owned costs of {has}",
        )
        held = account.usage.accelerator_s / costs.utilisation
        write_off = costs.capital * held / costs.life
        share = costs.network / (1.0 - costs.network)
        years = costs.life / YEAR
        annuity = costs.interest / -math.expm1(-years * math.log1p(costs.interest)) if costs.interest else 1.0 / years
        yearly = costs.capital / (1.0 - costs.network) * (annuity - 1.0 / years)
        time = f"{account.usage.accelerator_s / HOUR:,.6g} accelerator-hours / {costs.utilisation:.4g}"
        return (
            Item(
                name="write_off",
                usd=write_off,
                formula=f"{costs.capital:,.6g} USD x {time} / {costs.life / HOUR:,.6g} h",
                source=costs.source_of("capital"),
            ),
            Item(
                name="network",
                usd=write_off * share,
                formula=f"{write_off:,.6g} USD x {costs.network:.4g} / (1 - {costs.network:.4g})",
                source=costs.source_of("network"),
            ),
            Item(
                name="interest",
                usd=yearly * held / YEAR,
                formula=f"{yearly:,.6g} USD/y (annuity at {costs.interest:.4g} less the straight line) x {time} / {YEAR / HOUR:,.6g} h/y",
                source=costs.source_of("interest"),
            ),
            account.operations(costs.operations, costs.source_of("operations")),
            account.electricity(costs.electricity, costs.source_of("electricity")),
        )
