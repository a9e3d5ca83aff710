"""Usage -> bill, by item and payer."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass, replace

from simulator import outcome
from simulator.economics.donated import Donated
from simulator.economics.item import PROJECT, Account, Item
from simulator.economics.price import Price
from simulator.economics.usage import Usage
from simulator.hardware import Node
from simulator.spec import Dollars, DollarsPerSecond, Source, require


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

    def items(self, wall_clock_s: float) -> tuple[Item, ...]:
        """What they come to over the run; those that cost nothing are left out."""
        lines = (
            Item(
                name=name, usd=rate * wall_clock_s, formula=f"{wall_clock_s / 86400:,.6g} d x {rate * 86400:,.6g} USD/d", source=self.source
            )
            for name, rate in (("storage", self.storage), ("people", self.people))
        )
        once = Item(name="once", usd=self.once, formula="as given", source=self.source)
        return tuple(item for item in (*lines, once) if item.usd)


def bill(usage: Usage, price: Price, node: Node, date: datetime.date, extras: Extras, energy: outcome.Energy) -> outcome.Bill:
    """What is paid for a run, by item and by payer [USD], and the market worth of a donation beside it.

    Cost per million tokens is that of all payers together, over the accepted tokens; None where none was accepted.

    Args:
        date: of the scenario; picks the rows of dated price lists.
        energy: drawn by the run (see `power.energy`): owners and donors pay for it.

    Raises:
        MendableError: no price of this accelerator on this date; names what there is.
    """
    items, worth = _lines(usage, price, node, date, extras, energy)
    items_usd = {item.name: item.usd for item in items}
    payers = dict.fromkeys([PROJECT, *(item.payer for item in items)], 0.0)
    payer_usd = {payer: math.fsum(item.usd for item in items if item.payer == payer) for payer in payers}
    total = math.fsum(items_usd.values())
    return outcome.Bill(
        total_usd=total,
        items_usd=items_usd,
        payer_usd=payer_usd,
        usd_per_million_tokens=total / usage.tokens * 1e6 if usage.tokens else None,
        donation_worth_usd=worth.usd if worth else None,
    )


def spread(paid: outcome.Bill, by_part: outcome.Parts, by_cause: outcome.Parts) -> outcome.Bill:
    """What the machines cost by what they were held for, every hour that one is held at one price.

    Args:
        by_part: accelerator-hours held, by part of the ledger; all of them [h].
        by_cause: those that a cause of interruptions took [h].
    """
    hours = math.fsum(by_part.values())
    price = paid.machines_usd / hours if hours else 0.0
    return replace(
        paid,
        machines_by_part_usd={part: price * held for part, held in by_part.items()} if price else {},
        machines_by_cause_usd={cause: price * held for cause, held in by_cause.items()} if price else {},
    )


def bill_terms(
    usage: Usage, price: Price, node: Node, date: datetime.date, extras: Extras, energy: outcome.Energy
) -> tuple[outcome.Term, ...]:
    """Each item of `bill` with its formula, numbers and source, for `explain`.

    Raises:
        MendableError: as `bill`.
    """
    items, worth = _lines(usage, price, node, date, extras, energy)
    terms = [_term(f"bill.items_usd.{item.name}", item, item.payer) for item in items]
    if worth:
        terms.append(_term("bill.donation_worth_usd", worth, "nobody: market worth, in no total"))
    total = math.fsum(item.usd for item in items)
    if usage.tokens:
        formula = f"{total:,.6g} USD / {usage.tokens:,.6g} accepted tokens x 1e6"
        terms.append(outcome.Term(path="bill.usd_per_million_tokens", value=total / usage.tokens * 1e6, unit="USD", formula=formula))
    return tuple(terms)


def _lines(
    usage: Usage, price: Price, node: Node, date: datetime.date, extras: Extras, energy: outcome.Energy
) -> tuple[tuple[Item, ...], Item | None]:
    account = Account(usage=usage, accelerator=node.accelerator.name, date=date, energy=energy)
    worth = price.worth(account) if isinstance(price, Donated) else None
    return (*price.items(account), *extras.items(usage.wall_clock_s)), worth


def _term(path: str, item: Item, payer: str) -> outcome.Term:
    return outcome.Term(path=path, value=item.usd, unit="USD", formula=f"{item.formula}; paid by {payer}", source=item.source)
