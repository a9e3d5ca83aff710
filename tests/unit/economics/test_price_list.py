"""Dated prices: which row counts, and what is said when none does."""

from __future__ import annotations

import datetime

import pytest

from simulator.economics import PriceList, PriceRow, Reserved
from simulator.economics.price_list import Column
from simulator.errors import MendableError

HOUR = 3600.0


@pytest.mark.parametrize(
    ("date", "column", "usd"),
    [
        ("2020-01-01", "on_demand", 4.0),
        ("2020-12-31", "on_demand", 4.0),
        ("2021-06-01", "on_demand", 3.2),
        ("2030-01-01", "on_demand", 2.0),
        ("2030-01-01", "reserved_3y", 2.0),
        ("2022-01-01", "spot", 1.0),
    ],
)
def test_the_newest_row_that_is_not_later_counts_and_the_cheapest_of_one_day(
    prices: PriceList, date: str, column: Column, usd: float
) -> None:
    rate, source = prices.quote("chip", datetime.date.fromisoformat(date), column)
    assert rate * HOUR == pytest.approx(usd)
    assert source.startswith("test (price list market, ")


@pytest.mark.parametrize(
    ("accelerator", "date", "column", "what", "mend"),
    [
        ("chop", "2021-01-01", "on_demand", "no price of chop", "it has chip"),
        ("", "2021-01-01", "on_demand", "an accelerator without a name", "it has chip"),
        ("chip", "2019-12-31", "on_demand", "on or before 2019-12-31", "2020-01-01, 2021-01-01, 2022-01-01"),
        ("chip", "2021-12-31", "spot", "no spot price of chip on or before 2021-12-31", "2022-01-01"),
    ],
)
def test_a_missing_price_names_what_there_is(prices: PriceList, accelerator: str, date: str, column: Column, what: str, mend: str) -> None:
    with pytest.raises(MendableError) as caught:
        prices.quote(accelerator, datetime.date.fromisoformat(date), column)
    assert what in caught.value.what
    assert mend in caught.value.mend


def test_of_each_vendors_newest_rows_the_cheapest_counts_unless_one_is_named() -> None:
    def row(vendor: str, date: str, usd: float) -> PriceRow:
        day = datetime.date.fromisoformat(date)
        return PriceRow(accelerator="chip", vendor=vendor, date=day, on_demand=usd / HOUR, source="test")

    market = PriceList(
        rows=(row("a", "2021-01-01", 1.0), row("a", "2022-01-01", 3.0), row("b", "2021-06-01", 2.0), row("c", "2023-01-01", 9.0))
    )
    day = datetime.date(2022, 6, 1)
    assert market.quote("chip", day, "on_demand")[0] * HOUR == pytest.approx(2.0)
    assert market.quote("chip", day, "on_demand", "a")[0] * HOUR == pytest.approx(3.0)
    with pytest.raises(MendableError, match="by 'aa'; did you mean a"):
        market.quote("chip", day, "on_demand", "aa")


def test_a_missing_column_names_the_columns(prices: PriceList) -> None:
    without = PriceList(name="old", source="test", rows=prices.rows[1:3])
    with pytest.raises(MendableError, match="no reserved 1y price of chip; it has on demand"):
        without.quote("chip", datetime.date(2022, 1, 1), "reserved_1y")


def test_a_term_without_a_column_is_refused(prices: PriceList) -> None:
    with pytest.raises(MendableError, match="write term: 1 y or term: 3 y"):
        Reserved(list=prices, term=2 * 365.25 * 86400.0)
