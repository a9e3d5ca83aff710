"""Fits of failure logs: known parameters come back within their standard errors, bad fits are told."""

import math

import numpy as np
import pytest

from simulator.reliability.fitting import Spells, fit_exponential, fit_lognormal, fit_weibull, rate, shape_matters, with_p


def drawn(shape: float, scale: float, count: int, limit: float, seed: int = 1) -> Spells:
    times = scale * np.random.default_rng(seed).weibull(shape, count)
    limits = np.full(count, limit)
    return Spells(seconds=np.minimum(times, limits), ended=times <= limits, limits=limits)


@pytest.mark.parametrize("shape", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("limit", [math.inf, 3_600.0])
def test_weibull_parameters_come_back(shape: float, limit: float) -> None:
    """Over 40 samples: without bias beyond the known small-sample one, and the standard errors are those of the estimates."""
    fits = [fit_weibull(drawn(shape, 3_600.0, 400, limit, seed)) for seed in range(40)]
    shapes, scales = np.array([f.shape for f in fits]), np.array([f.scale for f in fits])
    errors = np.array([f.shape_error for f in fits]).mean(), np.array([f.scale_error for f in fits]).mean()
    assert abs(shapes.mean() - shape * (1 + 1.4 / 250)) < 3 * errors[0] / math.sqrt(40)
    assert abs(scales.mean() - 3_600.0) < 3.5 * errors[1] / math.sqrt(40)
    assert shapes.std(ddof=1) == pytest.approx(errors[0], rel=0.35)
    assert scales.std(ddof=1) == pytest.approx(errors[1], rel=0.35)


def test_exponential_is_time_over_failures_and_weibull_of_shape_one() -> None:
    spells = drawn(1.0, 100.0, 300, 150.0)
    found = fit_exponential(spells)
    assert found.mean == pytest.approx(spells.seconds.sum() / spells.ended.sum())
    assert abs(found.mean - 100.0) < 3 * found.scale_error
    weibull = fit_weibull(spells)
    assert abs(weibull.shape - 1) < 3 * weibull.shape_error
    assert weibull.log_likelihood >= found.log_likelihood
    assert shape_matters(found, weibull) > 0.01


def test_what_fits_and_what_does_not() -> None:
    generator = np.random.default_rng(0)
    spells = drawn(0.5, 100.0, 150, 400.0)
    exponential, weibull = (with_p(spells, fit, generator, 100) for fit in (fit_exponential, fit_weibull))
    assert exponential.p < 0.02
    assert weibull.p > 0.05
    assert shape_matters(exponential, weibull) < 1e-6


def test_p_values_of_true_models_are_uniform() -> None:
    """With estimated parameters, cut-off spells and times in ticks: the share below 0.2 is a fifth, within 3 standard errors."""
    small = []
    for seed in range(60):
        exact = drawn(0.8, 100.0, 60, 150.0, seed)
        ticked = np.maximum(1, np.round(exact.seconds / 10.0)) * 10.0
        spells = Spells(seconds=ticked, ended=exact.ended, limits=exact.limits, resolution=10.0)
        small.append(with_p(spells, fit_weibull, np.random.default_rng(seed), 39).p < 0.2)
    assert abs(sum(small) / 60 - 0.2) < 3 * math.sqrt(0.16 / 60)


def test_the_interval_of_a_rate_is_garwoods() -> None:
    """Table of exact limits in Garwood 1936, 95 %: 0, 1, 10, 100 counts."""
    for count, low, high in ((0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.39), (100, 81.36, 121.6)):
        found = rate(count, 1.0)
        assert found.low == pytest.approx(low, rel=1e-3)
        assert found.high == pytest.approx(high, rel=1e-3)
    assert rate(20_000, 1.0).low == pytest.approx(20_000 - 1.96 * math.sqrt(20_000), rel=1e-3)


def test_nothing_to_fit() -> None:
    never = Spells(seconds=np.array([5.0]), ended=np.array([False]), limits=np.array([5.0]))
    with pytest.raises(ValueError, match="nothing can be fitted"):
        fit_exponential(never)
    with pytest.raises(ValueError, match="fewer than two"):
        fit_weibull(never)


@pytest.mark.parametrize("limit", [math.inf, 3_600.0])
def test_lognormal_parameters_come_back(limit: float) -> None:
    """Over 40 samples, half of their spells cut off or none: without bias, and the standard errors are those of the estimates."""
    generator = np.random.default_rng(4)
    fits = []
    for _ in range(40):
        times, limits = 3_600.0 * np.exp(1.2 * generator.standard_normal(300)), np.full(300, limit)
        fits.append(fit_lognormal(Spells(seconds=np.minimum(times, limits), ended=times <= limits, limits=limits)))
    for values, errors, true in (
        ([f.shape for f in fits], [f.shape_error for f in fits], 1.2),
        ([f.scale for f in fits], [f.scale_error for f in fits], 3_600.0),
    ):
        assert abs(np.mean(values) - true) < 3.5 * np.mean(errors) / math.sqrt(40)
        assert np.std(values, ddof=1) == pytest.approx(np.mean(errors), rel=0.35)


def test_lognormal_times_that_all_ended_are_mean_and_spread_of_their_logarithms() -> None:
    times = np.array([10.0, 20.0, 70.0, 400.0])
    found = fit_lognormal(Spells(seconds=times, ended=np.full(4, True), limits=np.full(4, math.inf)))
    logs = np.log(times)
    assert found.scale == pytest.approx(math.exp(logs.mean()))
    assert found.shape == pytest.approx(logs.std())
    density = [math.exp(-(((x - logs.mean()) / logs.std()) ** 2) / 2) / math.sqrt(2 * math.pi) / logs.std() / math.exp(x) for x in logs]
    assert found.log_likelihood == pytest.approx(sum(math.log(each) for each in density))
    assert found.aic == pytest.approx(4 - 2 * found.log_likelihood)


def test_the_likelihood_of_ticks_is_of_intervals() -> None:
    """Exponential times of mean 1 in ticks of 2: 0 to 3, 3 to 5, and one that had lasted 4 at the end."""
    spells = Spells(seconds=np.array([2.0, 4.0, 4.0]), ended=np.array([True, True, False]), limits=np.full(3, 10.0), resolution=2.0)
    found = fit_exponential(spells)
    mean = 5.0
    exact = math.log((1 - math.exp(-3 / mean)) / 2) + math.log((math.exp(-3 / mean) - math.exp(-5 / mean)) / 2) - 4 / mean
    assert found.log_likelihood == pytest.approx(exact, abs=1e-6)
