"""Repair crews and spares beside queueing theory: Erlang's formula, the machine repairman, k out of n."""

import heapq
import math

import numpy as np
import pytest

from simulator.engine import Checkpoints, Life, Phase, live
from simulator.engine.workshop import Workshop
from simulator.reliability import Allocation, FailureClass, FailureSet, Repair, Restart, Spares

DRAWS = [0.5] * 12
"""Nothing is left to chance in a repair: its time is given with it."""


def erlang_c(crews: int, load: float) -> float:
    """Probability that a repair waits, `load` = arrival rate × mean repair time, below `crews`. Source: Erlang, 1917."""
    terms = [load**k / math.factorial(k) for k in range(crews)]
    last = load**crews / math.factorial(crews) * crews / (crews - load)
    return last / (math.fsum(terms) + last)


@pytest.mark.parametrize(("crews", "load"), [(1, 0.5), (2, 1.4), (5, 4.0), (20, 16.0)])
def test_waiting_for_a_crew_is_erlangs(crews: int, load: float) -> None:
    """M/M/c: the share of repairs that wait and the mean wait, within 4 standard errors of batch means; these below 8 %."""
    generator = np.random.default_rng(crews)
    count, mean = 160_000, 3_600.0
    arrivals = np.cumsum(generator.exponential(mean / load, count))
    services = generator.exponential(mean, count)
    shop = Workshop(Repair(mean=mean, sigma=0.0, crews=crews))
    done = np.empty(count)
    for node in range(count):
        shop.take((node,), float(arrivals[node]), DRAWS, float(services[node]))
        while shop.next <= arrivals[node]:
            over = shop.finish()
            assert over is not None
            done[over.nodes[0]] = over.at
    while math.isfinite(shop.next):
        over = shop.finish()
        assert over is not None
        done[over.nodes[0]] = over.at
    waits = done - arrivals - services
    exact = erlang_c(crews, load)
    for observed, expected in ((waits > 1e-6, exact), (waits, exact * mean / (crews - load))):
        batches = observed.reshape(40, -1).mean(axis=1)
        error = batches.std(ddof=1) / math.sqrt(40)
        assert error < 0.08 * expected
        assert abs(batches.mean() - expected) < 4 * error


@pytest.mark.parametrize(("stock", "on_order"), [(0, 0.7), (2, 1.5), (6, 4.0)])
def test_waiting_for_a_part_is_palms(stock: int, on_order: float) -> None:
    """Orders under way are Poisson, whatever the lead time: the share that waits, and the mean wait by Little, in 4 standard errors.

    Source: Palm's theorem, in Feeney and Sherbrooke, The (s−1, s) inventory policy under compound Poisson demand, Management Science 12
    (1966).
    """
    generator = np.random.default_rng(stock)
    count, lead = 160_000, 86_400.0
    arrivals = np.cumsum(generator.exponential(lead / on_order, count))
    shop = Workshop(Repair(mean=0.0, sigma=0.0, parts=stock, lead_time=lead))
    done = np.empty(count)
    for node in range(count):
        shop.take((node,), float(arrivals[node]), DRAWS)
        while shop.next <= arrivals[node]:
            over = shop.finish()
            assert over is not None
            done[over.nodes[0]] = over.at
    while math.isfinite(shop.next):
        over = shop.finish()
        assert over is not None
        done[over.nodes[0]] = over.at
    waits = done - arrivals
    poisson = [math.exp(-on_order) * on_order**k / math.factorial(k) for k in range(60)]
    wanting = math.fsum((k - stock) * p for k, p in enumerate(poisson) if k > stock)
    for observed, expected in ((waits > 1e-6, math.fsum(poisson[stock:])), (waits, wanting * lead / on_order)):
        batches = observed.reshape(40, -1).mean(axis=1)
        error = batches.std(ddof=1) / math.sqrt(40)
        assert error < 0.08 * expected
        assert abs(batches.mean() - expected) < 4 * error + 1e-9 * expected


def birth_death(up: list[float], down: list[float]) -> list[float]:
    """Stationary probabilities of a birth-death chain with these rates from k to k + 1 and back."""
    weights = [1.0]
    for birth, death in zip(up, down, strict=True):
        weights.append(weights[-1] * birth / death)
    return [weight / math.fsum(weights) for weight in weights]


@pytest.mark.parametrize("crews", [1, 3])
def test_machines_under_repair_are_the_birth_death_chain(crews: int) -> None:
    """The machine repairman: 12 machines, exponential times, few crews; how many are down, state by state."""
    machines, mtbf, mean = 12, 10.0, 2.0
    generator = np.random.default_rng(crews)
    shop = Workshop(Repair(mean=mean, sigma=0.0, crews=crews))
    alive = [(float(at), node) for node, at in enumerate(generator.exponential(mtbf, machines))]
    heapq.heapify(alive)
    now, horizon, down = 0.0, 60_000.0, 0
    batches = np.zeros((20, machines + 1))
    while now < horizon:
        at = min(alive[0][0] if alive else math.inf, shop.next)
        batches[min(19, int(now / horizon * 20)), down] += at - now
        now = at
        if shop.next <= now:
            over = shop.finish()
            assert over is not None
            down -= 1
            heapq.heappush(alive, (now + generator.exponential(mtbf), over.nodes[0]))
        else:
            _, node = heapq.heappop(alive)
            down += 1
            shop.take((node,), now, DRAWS, generator.exponential(mean))
    shares = batches / batches.sum(axis=1, keepdims=True)
    exact = birth_death([(machines - k) / mtbf for k in range(machines)], [min(k + 1, crews) / mean for k in range(machines)])
    for state, probability in enumerate(exact):
        if probability > 0.01:
            error = shares[:, state].std(ddof=1) / math.sqrt(20)
            assert abs(shares[:, state].mean() - probability) < 4 * error
            assert error < 0.15 * probability


@pytest.mark.parametrize(("nodes", "hot", "sigma"), [(8, 0, 0.0), (8, 1, 1.0), (16, 2, 1.0), (32, 3, 0.83)])
def test_a_job_that_needs_k_of_n_nodes_waits_as_the_birth_death_chain_says(nodes: int, hot: int, sigma: float) -> None:
    """The share of time with fewer than k of n nodes up, all of them failing, each with a crew.

    With as many crews as nodes, the chain's solution is binomial, and so for any distribution of repairs (Sevastyanov 1957), lognormal ones
    too.
    """
    mtbf, mean = 100 * 3_600.0, 4 * 3_600.0
    n = nodes + hot
    chain = birth_death([(n - k) / mtbf for k in range(n)], [(k + 1) / mean for k in range(n)])
    exact = math.fsum(chain[hot + 1 :])
    binomial = [math.comb(n, k) * (mean / (mtbf + mean)) ** k * (mtbf / (mtbf + mean)) ** (n - k) for k in range(n + 1)]
    assert exact == pytest.approx(math.fsum(binomial[hot + 1 :]))
    life = Life(
        phases=(Phase(tokens=1e12, tokens_per_step=1.0, step_s=((nodes, 1.0),)),),
        nodes=nodes,
        accelerators_per_node=8,
        failures=FailureSet(classes=(FailureClass(cause="node", of="node", mtbf=mtbf, detection=0.0, source="a test"),)),
        spares=Spares(hot=hot, hot_swap=0.0),
        repair=Repair(mean=mean, sigma=sigma),
        recovery=Restart(restart=0.0),
        checkpoints=Checkpoints(interval_s=600.0),
        allocation=Allocation(end=4_000 * 86_400.0 / nodes),
    )
    records = [live(life, 5, replication) for replication in range(20)]
    shares = np.array([each.parts_s["wait_for_nodes"] / each.wall_clock_s for each in records])
    error = shares.std(ddof=1) / math.sqrt(len(shares))
    assert error < 0.1 * exact
    assert abs(shares.mean() - exact) < 4 * error
