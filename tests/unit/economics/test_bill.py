"""Bills, energy, carbon: each way to come by machines on round numbers, and the laws they all keep."""

from __future__ import annotations

import dataclasses
import datetime
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.economics import (
    Donated,
    Donor,
    Extras,
    FixedRate,
    Grid,
    OnDemand,
    Owned,
    OwnedCosts,
    Price,
    PriceList,
    Reserved,
    SpotRent,
    Usage,
    bill,
    bill_terms,
    carbon,
    carbon_terms,
    energy,
    energy_terms,
    spread,
)
from simulator.errors import MendableError
from simulator.hardware import Node
from simulator.outcome import Bill

HOUR, YEAR = 3600.0, 365.25 * 86400.0
KWH = 3.6e6
DATE = datetime.date(2021, 6, 1)
USAGE = Usage(
    nodes=11,
    accelerators_per_node=8,
    training_node_s=900 * HOUR,
    idle_node_s=100 * HOUR,
    spare_node_s=100 * HOUR,
    wall_clock_s=100 * HOUR,
    tokens=1e9,
)
COSTS = OwnedCosts(
    name="chips",
    source="test",
    accelerator="chip",
    capital=20000.0,
    life=4 * YEAR,
    network=0.19,
    interest=0.08,
    utilisation=0.8,
    operations=0.1 / HOUR,
    electricity=0.08 / KWH,
)


def donated(prices: PriceList) -> Donated:
    return Donated(market=prices, donor=Donor(name="cloud", electricity=0.10 / KWH, operations=0.05 / HOUR, source="test"))


def every_price(prices: PriceList) -> tuple[Price, ...]:
    return (
        OnDemand(list=prices),
        Reserved(list=prices, term=YEAR),
        Reserved(list=prices, term=3 * YEAR, whole_term=True),
        FixedRate(rate=2.0 / HOUR, source="test"),
        Owned(costs=COSTS),
        donated(prices),
    )


def test_rent(node: Node, prices: PriceList) -> None:
    drawn = energy(USAGE, node, 1.1)
    hours = 8 * 1100
    for price, rate in ((OnDemand(list=prices), 3.2), (Reserved(list=prices, term=YEAR), 3.0), (Reserved(list=prices, term=3 * YEAR), 2.0)):
        answer = bill(USAGE, price, node, DATE, Extras(), drawn)
        assert answer.items_usd == {"rent": pytest.approx(hours * rate)}
        assert answer.payer_usd == {"project": pytest.approx(hours * rate)}
        assert answer.usd_per_million_tokens == pytest.approx(hours * rate / 1e3)
        assert answer.donation_worth_usd is None
    late = bill(USAGE, SpotRent(list=prices), node, datetime.date(2023, 1, 1), Extras(), drawn)
    assert late.total_usd == pytest.approx(hours * 1.0)


def test_a_whole_term_is_paid_to_its_end(node: Node, prices: PriceList) -> None:
    price = Reserved(list=prices, term=YEAR, whole_term=True)
    answer = bill(USAGE, price, node, DATE, Extras(), energy(USAGE, node, 1.1))
    assert answer.total_usd == pytest.approx(11 * 8 * 8766 * 3.0)
    assert answer.items_usd["rent"] == pytest.approx(8 * 1100 * 3.0)
    long = dataclasses.replace(USAGE, training_node_s=11 * 2 * YEAR)
    assert bill(long, price, node, DATE, Extras(), energy(long, node, 1.1)).items_usd["unused_commitment"] == 0.0


def test_owned(node: Node) -> None:
    drawn = energy(USAGE, node, 1.1)
    answer = bill(USAGE, Owned(costs=COSTS), node, DATE, Extras(), drawn)
    hours = 8 * 1100 / 0.8
    write_off = 20000 * hours / (4 * 8766)
    assert answer.items_usd["write_off"] == pytest.approx(write_off)
    assert answer.items_usd["network"] == pytest.approx(write_off * 0.19 / 0.81)
    assert answer.items_usd["operations"] == pytest.approx(8 * 1100 * 0.1)
    assert answer.items_usd["electricity"] == pytest.approx(drawn.total_mwh * 80)
    # Interest of an annuity by summing its four yearly payments against the straight line.
    annuity = 0.08 / (1 - 1.08**-4)
    assert sum(annuity / 1.08**k for k in range(1, 5)) == pytest.approx(1.0)
    assert answer.items_usd["interest"] == pytest.approx(20000 / 0.81 * (annuity - 0.25) * hours / 8766)
    free = Owned(costs=dataclasses.replace(COSTS, interest=0.0))
    assert bill(USAGE, free, node, DATE, Extras(), drawn).items_usd["interest"] == 0.0


def test_owned_costs_of_another_accelerator_are_refused(node: Node) -> None:
    other = Owned(costs=dataclasses.replace(COSTS, accelerator="chop"))
    with pytest.raises(MendableError, match="are of chop, the cluster has chip"):
        bill(USAGE, other, node, DATE, Extras(), energy(USAGE, node, 1.1))


def test_a_donation_costs_the_project_nothing_and_the_donor_its_running(node: Node, prices: PriceList) -> None:
    drawn = energy(USAGE, node, 1.2)
    answer = bill(USAGE, donated(prices), node, DATE, Extras(), drawn)
    assert answer.payer_usd["project"] == 0.0
    assert answer.payer_usd["cloud"] == pytest.approx(drawn.total_mwh * 100 + 8 * 1100 * 0.05)
    assert answer.donation_worth_usd == pytest.approx(8 * 1100 * 3.2)
    assert answer.total_usd == pytest.approx(answer.payer_usd["cloud"])


def test_extras_are_paid_by_the_project_and_need_a_source(node: Node, prices: PriceList) -> None:
    extras = Extras(storage=24.0 / 86400, people=240.0 / 86400, once=5000.0, source="test")
    answer = bill(USAGE, donated(prices), node, DATE, extras, energy(USAGE, node, 1.1))
    assert {name: answer.items_usd[name] for name in ("storage", "people", "once")} == {
        "storage": pytest.approx(100.0),
        "people": pytest.approx(1000.0),
        "once": 5000.0,
    }
    assert answer.payer_usd["project"] == pytest.approx(6100.0)
    with pytest.raises(MendableError, match="need a source"):
        Extras(once=1.0)


def test_a_donor_may_not_be_called_project() -> None:
    with pytest.raises(MendableError, match="name of its own"):
        Donor(name="project", electricity=0.0, source="test")


def test_a_run_without_accepted_tokens_has_no_cost_per_token(node: Node, prices: PriceList) -> None:
    nothing = dataclasses.replace(USAGE, tokens=0.0)
    answer = bill(nothing, OnDemand(list=prices), node, DATE, Extras(), energy(nothing, node, 1.1))
    assert answer.usd_per_million_tokens is None


def test_energy_by_what_drew_it(node: Node) -> None:
    answer = energy(USAGE, node, 1.25)
    assert answer.parts_mwh == {
        "training": pytest.approx(4.5),
        "waiting": pytest.approx(0.1),
        "spares": pytest.approx(0.1),
        "cooling_and_losses": pytest.approx(4.7 * 0.25),
    }
    stated = energy(USAGE, node, 1.0, per_accelerator=300.0)
    assert stated.total_mwh == pytest.approx(8 * 1100 * 300 / 1e6)
    with pytest.raises(MendableError, match="at least 1"):
        energy(USAGE, node, 0.9)


def test_carbon_of_electricity_and_of_making(node: Node) -> None:
    grid = Grid(name="grid", source="test", year=2021, intensity=0.4 / KWH)
    drawn = energy(USAGE, node, 1.0)
    answer = carbon(drawn, grid, node, USAGE)
    assert answer.operational_kg == pytest.approx(drawn.total_mwh * 400)
    assert answer.embodied_kg == pytest.approx(4000 * 1100 / (4 * 8766))
    unknown = dataclasses.replace(node, embodied=None)
    assert carbon(drawn, grid, unknown, USAGE).embodied_kg is None
    assert [term.path for term in carbon_terms(drawn, grid, unknown, USAGE)] == ["carbon.operational_kg"]


def test_terms_carry_every_item_with_formula_and_source(node: Node, prices: PriceList) -> None:
    drawn = energy(USAGE, node, 1.1)
    extras = Extras(once=10.0, source="test")
    for price in every_price(prices):
        answer = bill(USAGE, price, node, DATE, extras, drawn)
        terms = {term.path: term for term in bill_terms(USAGE, price, node, DATE, extras, drawn)}
        assert {name: terms[f"bill.items_usd.{name}"].value for name in answer.items_usd} == dict(answer.items_usd)
        assert terms["bill.usd_per_million_tokens"].value == pytest.approx(answer.usd_per_million_tokens)
        assert ("bill.donation_worth_usd" in terms) == (answer.donation_worth_usd is not None)
        assert all(term.formula for term in terms.values())
        assert all(term.source for path, term in terms.items() if path != "bill.usd_per_million_tokens")
    parts = {term.path.removeprefix("energy.parts_mwh."): term.value for term in energy_terms(USAGE, node, 1.1)}
    assert parts == pytest.approx(dict(drawn.parts_mwh))


seconds = st.floats(min_value=0.0, max_value=1e10)
usages = st.builds(
    Usage,
    nodes=st.integers(1, 16384).map(float),
    accelerators_per_node=st.just(8),
    training_node_s=st.floats(min_value=1.0, max_value=1e11),
    idle_node_s=seconds,
    spare_node_s=seconds,
    wall_clock_s=st.floats(min_value=1.0, max_value=1e8),
    tokens=st.floats(min_value=1e6, max_value=1e14),
)


@settings(max_examples=30, deadline=None)
@given(usage=usages, pue=st.floats(min_value=1.0, max_value=2.0), which=st.integers(0, 5))
def test_laws_of_every_price(node: Node, prices: PriceList, usage: Usage, pue: float, which: int) -> None:
    """Items and payers partition the total; twice the use is twice the cost and energy; nothing is negative."""
    price = every_price(prices)[which]
    extras = Extras(people=0.01, source="test")
    drawn = energy(usage, node, pue)
    answer = bill(usage, price, node, DATE, extras, drawn)
    assert math.fsum(answer.items_usd.values()) == pytest.approx(answer.total_usd, rel=1e-12)
    assert math.fsum(answer.payer_usd.values()) == pytest.approx(answer.total_usd, rel=1e-12)
    assert min(answer.items_usd.values()) >= 0.0
    assert math.fsum(drawn.parts_mwh.values()) == pytest.approx(drawn.total_mwh, rel=1e-12)
    times = {name: 2 * getattr(usage, name) for name in ("training_node_s", "idle_node_s", "spare_node_s", "wall_clock_s", "nodes")}
    twice = dataclasses.replace(usage, **times)
    double = energy(twice, node, pue)
    assert double.total_mwh == pytest.approx(2 * drawn.total_mwh, rel=1e-9)
    assert bill(twice, price, node, DATE, extras, double).total_usd == pytest.approx(2 * answer.total_usd, rel=1e-9)
    if isinstance(price, Donated):
        assert answer.payer_usd["project"] == pytest.approx(0.01 * usage.wall_clock_s)


def test_machines_cost_alike_whatever_they_are_held_for() -> None:
    items = {"rent": 80.0, "network": 20.0, "storage": 7.0, "people": 5.0, "once": 1.0}
    paid = Bill(total_usd=113.0, items_usd=items, payer_usd={"project": 113.0}, usd_per_million_tokens=None, donation_worth_usd=None)
    told = spread(paid, {"productive": 30.0, "restart": 10.0}, {"crash": 8.0})
    assert told.machines_usd == 100.0
    assert told.machines_by_part_usd == {"productive": 75.0, "restart": 25.0}
    assert told.machines_by_cause_usd == {"crash": 20.0}
    assert spread(paid, {}, {}) == paid
    with pytest.raises(ArithmeticError):
        dataclasses.replace(told, machines_by_part_usd={"productive": 75.0})
