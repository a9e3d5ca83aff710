"""Repairs: stages, crews, silent failures; the queue against Erlang's formula."""

import math

import numpy as np
import pytest

from simulator.engine import workshop as module
from simulator.engine.fleet import Fleet, Lemons
from simulator.engine.hazards import CURED, ESCALATES, NEEDS_PART
from simulator.engine.workshop import Workshop
from simulator.reliability import Repair, Spares


def draws(**chosen: float) -> list[float]:
    row = [0.5] * 16
    for name, value in chosen.items():
        row[{"escalates": ESCALATES, "cured": CURED, "needs_part": NEEDS_PART}[name]] = value
    return row


def ends(workshop: Workshop) -> list[tuple[float, int, bool]]:
    told = []
    while math.isfinite(workshop.next):
        done = workshop.finish()
        if done:
            told.append((done.at, *done.nodes, done.cured))
    return told


def test_two_stages_and_who_leaves_the_fault_in() -> None:
    workshop = Workshop(Repair(mean=100.0, sigma=0.0, automatic=10.0, escalation=0.8, automatic_silent=0.4, silent=0.2))
    workshop.take((1,), 0.0, draws(escalates=0.79, cured=0.21))
    workshop.take((2,), 0.0, draws(escalates=0.81, cured=0.39))
    workshop.take((3,), 0.0, draws(escalates=0.81, cured=0.41))
    workshop.take((4,), 0.0, draws(escalates=0.1, cured=0.19))
    assert sorted(ends(workshop)) == [(10.0, 2, False), (10.0, 3, True), (110.0, 1, True), (110.0, 4, False)]


def test_people_serve_in_the_order_in_which_the_automatic_stage_hands_over() -> None:
    workshop = Workshop(Repair(mean=100.0, sigma=0.0, automatic=10.0, crews=1))
    workshop.take((1,), 5.0, draws())
    workshop.take((2,), 0.0, draws())
    assert [(at, node) for at, node, _ in ends(workshop)] == [(110.0, 2), (210.0, 1)]


def test_parts_go_in_order_and_are_ordered_anew_as_they_are_used() -> None:
    """One part in stock, 300 s for another, one crew: a repair that waits for its part lets the next of the crew's queue go first."""
    workshop = Workshop(Repair(mean=100.0, sigma=0.0, parts=1, lead_time=300.0))
    for node, at in enumerate((0.0, 10.0, 20.0)):
        workshop.take((node,), at, draws())
    # The orders of 0 s and 10 s are there at 300 s and 310 s.
    assert ends(workshop) == [(100.0, 0, True), (400.0, 1, True), (410.0, 2, True)]
    workshop = Workshop(Repair(mean=100.0, sigma=0.0, automatic=5.0, parts=1, lead_time=300.0, crews=1, parts_share=0.6))
    workshop.take((0,), 0.0, draws(needs_part=0.5))
    workshop.take((1,), 1.0, draws(needs_part=0.5))
    workshop.take((2,), 2.0, draws(needs_part=0.7))
    # Nodes 0 and 2 have the crew from 5 s to 205 s; the order of 5 s is there at 305 s.
    assert ends(workshop) == [(105.0, 0, True), (205.0, 2, True), (405.0, 1, True)]
    workshop.clear()
    workshop.take((3,), 1000.0, draws(needs_part=0.5))
    assert ends(workshop) == [(1105.0, 3, True)], "all in stock after a queue"


@pytest.mark.parametrize(("crews", "load"), [(1, 0.7), (3, 0.8)])
def test_the_queue_is_erlangs(crews: int, load: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mean wait of M/M/c, C(c, a) / (c µ − λ), within four standard errors over batches. Source: Erlang's C formula."""
    monkeypatch.setattr(module, "lognormal", lambda mean, sigma, uniform: -mean * math.log1p(-uniform))
    random = np.random.default_rng(8)
    offered = load * crews
    busy = offered**crews / math.factorial(crews) / (1 - load)
    waits = busy / (sum(offered**k / math.factorial(k) for k in range(crews)) + busy)
    exact = waits / (crews - offered)
    batches = []
    for _ in range(40):
        workshop = Workshop(Repair(mean=1.0, crews=crews))
        arrivals = np.cumsum(random.exponential(1 / offered, 1000))
        rows = random.random((1000, 12)).tolist()
        ended = []
        for node, (at, row) in enumerate(zip(arrivals.tolist(), rows, strict=True)):
            while workshop.next <= at:
                ended.append(workshop.finish())
            workshop.take((node,), at, row)
        stays = {done.nodes[0]: done.at - arrivals[done.nodes[0]] for done in ended if done}
        stays |= {node: at - arrivals[node] for at, node, _ in ends(workshop)}
        assert len(stays) == 1000
        batches.append(np.mean([stays[node] for node in range(1000)]) - 1.0)
    # Each batch starts empty: a bias of some hundredths, below the error.
    assert abs(np.mean(batches) - exact) < 4 * np.std(batches) / math.sqrt(40) + 0.05 * exact


def test_lemons_follow_their_nodes_until_they_are_cured() -> None:
    lemons = Lemons([1, 4, 5])
    fleet = Fleet(4, Spares(hot=1, pool=2), (lemons,))
    assert lemons.exposed == [1, 4]
    assert fleet.place(0, 0.9) == 4
    assert fleet.lose(1, 0.0) == 1
    assert lemons.exposed == [4]
    fleet.replace(0.0)
    assert lemons.exposed == [4], "the hot spare was exposed where it stood"
    assert fleet.lose(fleet.place(0, 0.0), 0.0) == 4
    fleet.replace(0.0)
    assert sorted(fleet.job) == [0, 2, 3, 5]
    assert lemons.exposed == [5]
    assert list(fleet.hot) == [6], "a selection fills the hot spares too"
    fleet.repaired(1, False, 10.0)
    assert lemons.faulty == {1, 4, 5}
    assert list(fleet.pool) == [1]
    fleet.repaired(4, True, 10.0)
    assert lemons.faulty == {1, 5}


def test_spares_that_failures_do_not_strike() -> None:
    lemons = Lemons([3])
    fleet = Fleet(3, Spares(hot=1, struck=False), (lemons,))
    assert fleet.exposed == 3
    assert lemons.exposed == []
    fleet.lose(0, 0.0)
    fleet.replace(0.0)
    assert lemons.exposed == [3]


def test_others_are_borrowed_one_after_the_other_once_the_pool_is_empty() -> None:
    fleet = Fleet(4, Spares(pool=1, borrowed=5, pool_delay=100.0, borrow_delay=30.0))
    for _ in range(3):
        fleet.lose(0, 0.0)
    fleet.replace(50.0)
    assert fleet.present == 4
    assert fleet.ready_at == 50.0 + 100.0 + 2 * 30.0
    assert (fleet.selections, fleet.borrowings) == (1, 2)
    for node in (0, 1, 2):
        fleet.repaired(node, True, 60.0)
    assert len(fleet.pool) == 3, "borrowed nodes are not given back"


def test_a_node_is_retired_where_it_would_be_repaired_too_often() -> None:
    fleet = Fleet(2, Spares())
    assert [fleet.wears_out(0, 2), fleet.wears_out(1, 2), fleet.wears_out(0, 2), fleet.wears_out(0, None)] == [False, False, True, False]
