"""Dated prices of rented accelerators, and how one is looked up."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Literal

from simulator.errors import MendableError, did_you_mean
from simulator.spec import Date, DollarsPerSecond, Source, Sourced

Column = Literal["on_demand", "reserved_1y", "reserved_3y", "spot"]


@dataclass(frozen=True, kw_only=True)
class PriceRow:
    """One dated price of one accelerator, per accelerator and time.

    Args:
        accelerator: catalogue name.
        date: from which it held.
        reserved_1y, reserved_3y: with a commitment of one or three years.
        vendor: whose price it is.
        on_demand, spot: without a commitment; spot machines can be taken away.
    """

    accelerator: str
    date: Date
    vendor: str
    on_demand: DollarsPerSecond | None = None
    reserved_1y: DollarsPerSecond | None = None
    reserved_3y: DollarsPerSecond | None = None
    spot: DollarsPerSecond | None = None
    source: Source

    def price(self, column: Column) -> float | None:
        """The price of one column [USD/s], None where the vendor had none."""
        return {"on_demand": self.on_demand, "reserved_1y": self.reserved_1y, "reserved_3y": self.reserved_3y, "spot": self.spot}[column]


@dataclass(frozen=True, kw_only=True)
class PriceList(Sourced):
    """Dated prices; a scenario's date picks, per accelerator and vendor, the newest row that is not later; of the vendors, the cheapest
    counts unless one is named.

    Args:
        rows: in any order.
    """

    rows: tuple[PriceRow, ...]

    def quote(self, accelerator: str, date: datetime.date, column: Column, vendor: str | None = None) -> tuple[float, str]:
        """The price of an accelerator on a date [USD/s], and which row it is.

        Of each vendor's rows that have the column and are not later than the date, the newest counts (of several of that day, the
        cheapest); of the vendors, the cheapest.

        Args:
            vendor: whose prices, where not the cheapest one's.

        Raises:
            MendableError: the list has no such row; names what it has.
        """
        ours = [row for row in self.rows if row.accelerator == accelerator]
        title, wanted = f"price list {self.name}" if self.name else "this price list", column.replace("_", " ")
        if not ours:
            known = ", ".join(sorted({row.accelerator for row in self.rows}))
            raise MendableError(f"{title} has no price of {accelerator or 'an accelerator without a name'}", f"it has {known}")
        vendors = sorted({row.vendor for row in ours})
        if vendor is not None and vendor not in vendors:
            raise MendableError(f"{title} has no price of {accelerator} by {vendor!r}", did_you_mean(vendor, vendors))
        ours = [row for row in ours if vendor in (None, row.vendor)]
        priced = [(row, usd) for row in ours if (usd := row.price(column)) is not None]
        if not priced:
            columns: tuple[Column, ...] = ("on_demand", "reserved_1y", "reserved_3y", "spot")
            known = ", ".join(c.replace("_", " ") for c in columns if any(row.price(c) is not None for row in ours))
            raise MendableError(f"{title} has no {wanted} price of {accelerator}", f"it has {known}")
        past = [(row, usd) for row, usd in priced if row.date <= date]
        if not past:
            dates = ", ".join(str(day) for day in sorted({row.date for row, _ in priced}))
            raise MendableError(f"{title} has no {wanted} price of {accelerator} on or before {date}", f"it has prices of {dates}")
        newest: dict[str, tuple[PriceRow, float]] = {}
        for row, usd in sorted(past, key=lambda pair: (pair[0].date, -pair[1])):
            newest[row.vendor] = (row, usd)
        row, usd = min(newest.values(), key=lambda pair: pair[1])
        return usd, f"{row.source} ({title}, {row.vendor}, {row.date})"
