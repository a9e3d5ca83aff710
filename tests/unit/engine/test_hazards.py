"""The clocks against the processes that they stand for."""

import math

import numpy as np
import pytest

from simulator.engine.hazards import Exposure, Hazards, Renewal
from simulator.engine.streams import Streams
from simulator.reliability import Bathtub, Distribution, Exponential, FailureClass, FailureSet, Lognormal, Weibull


def failure(cause: str, of: str, mtbf: float, shape: float = 1.0) -> FailureClass:
    return FailureClass(
        cause=cause, of=of, mtbf=mtbf, distribution=Weibull(shape=shape) if shape != 1 else Exponential(), detection=0.0, source="a test"
    )


def rings(hazards: Hazards, until: float) -> list[tuple[float, str]]:
    told = []
    while (at := hazards.next) <= until:
        struck = hazards.strike()
        if struck:
            told.append((at, struck.failure.cause))
    return told


def test_an_exposure_keeps_its_place_when_its_rate_changes() -> None:
    clock = type("Clock", (), {"failure": None, "next": 100.0, "ring": lambda self, share: [0.0] * 8})()
    exposure = Exposure([clock])
    exposure.set(0.0, 1.0)
    assert exposure.next == 100.0
    exposure.set(50.0, 5.0)
    assert exposure.next == 60.0
    exposure.set(55.0, 0.0)
    assert exposure.next == math.inf
    exposure.set(70.0, 2.5)
    assert exposure.next == 80.0


def test_rates_follow_the_fleet_and_the_job() -> None:
    classes = (failure("gpu", "accelerator", 8000.0), failure("node", "node", 500.0), failure("job", "job", 50.0))
    counts: dict[str, int] = {"gpu": 0, "node": 0, "job": 0}
    for replication in range(40):
        hazards = Hazards(FailureSet(classes=classes), 20, 8, Streams(1, replication))
        hazards.expose(0.0, 10, True)
        told = rings(hazards, 1000.0)
        hazards.expose(1000.0, 20, False)
        told += rings(hazards, 2000.0)
        hazards.expose(2000.0, 0, False)
        assert hazards.next == math.inf
        for _, cause in told:
            counts[cause] += 1
    for cause, expected in {"gpu": 40 * 30, "node": 40 * 60, "job": 40 * 20}.items():
        assert abs(counts[cause] - expected) < 4 * math.sqrt(expected)


def test_renewals_of_many_units_are_exact() -> None:
    """Ring counts and first-ring times of the lazy heap against a plain renewal process per unit."""
    shape, count, until = 0.7, 50, 4.0
    scale = 1.0 / math.gamma(1 + 1 / shape)
    random = np.random.default_rng(5)
    plain = []
    for _ in range(400):
        times = np.cumsum(scale * random.weibull(shape, (count, 60)), axis=1)
        plain.append((times.min(), (times < until).sum(), (times < until / 20).sum()))
    lazy = []
    for replication in range(400):
        renewal = Renewal(failure("x", "node", 1.0, shape), count, Streams(3, replication).stream("x", 8))
        first, early, total = renewal.next, 0, 0
        while renewal.next < until:
            early += renewal.next < until / 20
            total += 1
            renewal.ring(1.0)
        lazy.append((first, total, early))
    for a, b in zip(np.array(plain).T, np.array(lazy).T, strict=True):
        assert abs(a.mean() - b.mean()) < 3 * math.hypot(a.std(), b.std()) / 20
    assert np.array(lazy)[:, 2].mean() > 1.5 * count * until / 20, "a young fleet of shape 0.7 fails more at first"


def test_a_weibull_of_shape_one_is_exponential_in_count() -> None:
    classes = (failure("x", "node", 100.0, 1.0000001),)
    counts = []
    for replication in range(200):
        hazards = Hazards(FailureSet(classes=classes), 10, 8, Streams(1, replication))
        hazards.expose(0.0, 5, True)
        counts.append(len(rings(hazards, 500.0)))
    assert abs(np.mean(counts) - 25) < 4 * math.sqrt(25 / 200)
    assert 0.7 < np.var(counts) / 25 < 1.4


def test_blocks_and_bursts_come_at_their_rates() -> None:
    rack = FailureClass(cause="rack", of="block", block=4, mtbf=400.0, detection=0.0, source="a test")
    storm = FailureClass(cause="storm", of="job", mtbf=100.0, burst=2.0, burst_spread=1.0, loses_node=False, detection=0.0, source="a test")
    counts = {"rack": 0, "storm": 0}
    close = []
    for replication in range(40):
        hazards = Hazards(FailureSet(classes=(rack, storm)), 20, 8, Streams(1, replication))
        hazards.expose(0.0, 20, True)
        told = rings(hazards, 1000.0)
        for _, cause in told:
            counts[cause] += 1
        times = [at for at, cause in told if cause == "storm"]
        close += list(np.diff(times) < 3.0)
    assert abs(counts["rack"] - 40 * 1000 * 5 / 400) < 4 * math.sqrt(500)
    # A compound Poisson count of n clusters of 1 + Poisson(2): variance n (2 + 3²).
    assert abs(counts["storm"] - 3 * 400) < 4 * math.sqrt(400 * 11)
    assert np.mean(close) > 0.5


OLD = 3.0
"""Age of a fleet, in mean times between failures."""


@pytest.mark.parametrize("distribution", [Weibull(shape=2.0), Lognormal(sigma=0.8), Bathtub(new=6.0, burn_in=0.3, wear_out=2.0)])
@pytest.mark.parametrize("age", [0.0, OLD])
def test_what_is_not_new_fails_as_what_has_lived_so_long(distribution: Distribution, age: float) -> None:
    """First and second failures of one thing of that age against P(t > x | t > age) = e^(H(age) − H(x)), by Kolmogorov and Smirnov."""
    aged = FailureClass(cause="x", of="job", mtbf=1.0, distribution=distribution, age=age, detection=0.0, source="a test")
    count, first, second = 400, [], []
    for replication in range(count):
        renewal = Renewal(aged, 1, Streams(11, replication).stream("x", 12))
        first.append(renewal.next)
        renewal.ring(1.0)
        second.append(renewal.next - first[-1])
    for times, before in ((first, age), (second, 0.0)):
        exact = [1 - math.exp(distribution.hazard(before, 1.0) - distribution.hazard(before + each, 1.0)) for each in sorted(times)]
        distance = max(max(abs(each - k / count), abs(each - (k + 1) / count)) for k, each in enumerate(exact))
        assert distance < 1.63 / math.sqrt(count), "the 1 % point of the Kolmogorov-Smirnov distance"


@pytest.mark.parametrize("distribution", [Exponential(), Weibull(shape=0.6), Lognormal(sigma=1.5), Bathtub(new=4.0, wear_out=9e7)])
def test_age_and_hazard_are_each_others_inverse(distribution: Distribution) -> None:
    for hazard in (1e-9, 1e-3, 0.7, 1.0, 5.0, 40.0, 500.0):
        assert distribution.hazard(distribution.age(hazard, 1e7), 1e7) == pytest.approx(hazard, rel=1e-6)
    assert distribution.hazard(0.0, 1e7) == distribution.age(0.0, 1e7) == 0.0


@pytest.mark.parametrize("distribution", [Weibull(shape=0.6), Lognormal(sigma=1.0)])
def test_the_mean_is_the_mean_time_between_failures(distribution: Distribution) -> None:
    """∫ e^(−H(t)) dt = ∫ t(H) e^(−H) dH, by the midpoint rule over the probability."""
    many = 200_000
    mean = sum(distribution.age(-math.log((k + 0.5) / many), 7.0) for k in range(many)) / many
    assert mean == pytest.approx(7.0, rel=2e-3)


def test_the_bottom_of_a_bathtub_fails_at_its_mean_time() -> None:
    bathtub = Bathtub(new=5.0, burn_in=100.0, wear_out=1e5, wear_shape=4.0)
    for age, times in ((0.5, 5.0), (2_000.0, 1.0), (1e5, 2.0)):
        rate = bathtub.hazard(age + 0.5, 50.0) - bathtub.hazard(age - 0.5, 50.0)
        assert rate == pytest.approx(times / 50.0, rel=0.01)
