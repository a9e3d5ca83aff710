"""Rates and distributions of failures from logs: exact intervals of a rate; exponential, Weibull and lognormal times by maximum likelihood.

A *spell* is a time from a start (a machine that is new, repaired or granted) to a failure, or to the end of what was observed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Spells:
    """Times to failure as observed.

    Args:
        seconds: observed of each, above 0 [s].
        ended: whether with a failure; the others were cut off by the end of the observation.
        limits: how long each could have been observed, from its own start to the end [s].
        resolution: in which times were logged; 0 where exact [s].
    """

    seconds: Array
    ended: NDArray[np.bool_]
    limits: Array
    resolution: float = 0.0

    @property
    def failures(self) -> int:
        """How many ended with one."""
        return int(self.ended.sum())


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Failures in so much time, with an exact 95 % interval of the rate.

    Args:
        failures: counted.
        seconds: thing-seconds of exposure [s].
        per_second: failures per thing and second [1/s].
        low, high: of that [1/s].
    """

    failures: int
    seconds: float
    per_second: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A distribution of times.

    Args:
        shape: k of a Weibull one; of a lognormal one σ; 1 of an exponential one, where it is not fitted.
        scale: λ; of a lognormal one the median [s].
        shape_error: standard error of the shape, from the observed information; 0 where it is not fitted.
        scale_error: of the scale [s].
        log_likelihood: of the spells, as they were rounded where they were.
        distance: Kolmogorov-Smirnov, between the distribution and the Kaplan-Meier estimate.
        p: share of samples of the fitted distribution, fitted in the same way, that lie farther away; NaN where not asked for.
    """

    family: Literal["exponential", "weibull", "lognormal"]
    shape: float
    scale: float
    shape_error: float
    scale_error: float
    log_likelihood: float
    distance: float
    p: float = math.nan

    @property
    def mean(self) -> float:
        """λ·Γ(1 + 1/k), or the median × e^(σ²/2) [s]."""
        if self.family == "lognormal":
            return self.scale * math.exp(self.shape**2 / 2)
        return self.scale * math.gamma(1 + 1 / self.shape)

    @property
    def aic(self) -> float:
        """Akaike's criterion 2·parameters − 2·ln likelihood: the least is preferred.

        Source: Akaike, A new look at the statistical model identification, IEEE Trans. Automatic Control 19 (1974).
        """
        return 2 * (1 if self.family == "exponential" else 2) - 2 * self.log_likelihood

    def survival(self, times: Array) -> Array:
        """P(later) at each time [s]."""
        return _survival(self.family, self.shape, self.scale, times)

    def draw(self, count: int, generator: np.random.Generator) -> Array:
        """That many times [s]."""
        if self.family == "lognormal":
            return self.scale * np.exp(self.shape * generator.standard_normal(count))
        return np.asarray(self.scale * generator.exponential(size=count) ** (1 / self.shape))


def _survival(family: str, shape: float, scale: float, times: Array) -> Array:
    if family == "lognormal":
        return np.exp(_log_beyond(np.log(times / scale) / shape))
    return np.asarray(np.exp(-((times / scale) ** shape)))


_INSTANT = 1e-9
"""Of a tick: the first second, on a scale of logarithms."""
_FAR = 30.0
"""Standard deviations beyond which the tail of a normal distribution is taken by its asymptote, to 10⁻³ of a logarithm of 450."""


def _log_beyond(z: Array) -> Array:
    """ln P(normal > z)."""
    near = np.array([math.erfc(min(each, _FAR) / math.sqrt(2)) / 2 for each in z.tolist()])
    far = np.maximum(z, _FAR)
    return np.where(z > _FAR, -(far**2) / 2 - np.log(far * math.sqrt(2 * math.pi)), np.log(near))


def rate(failures: int, seconds: float, level: float = 0.95) -> Rate:
    """A Poisson rate with Garwood's exact interval.

    Source: Garwood, Fiducial limits for the Poisson distribution, Biometrika 28 (1936).

    >>> found = rate(4, 1.0)
    >>> round(found.low, 2), round(found.high, 2)
    (1.09, 10.24)
    """
    tail = (1 - level) / 2
    low = _poisson_mean(failures - 1, 1 - tail) if failures else 0.0
    return Rate(
        failures=failures,
        seconds=seconds,
        per_second=failures / seconds,
        low=low / seconds,
        high=_poisson_mean(failures, tail) / seconds,
    )


def _poisson_mean(most: int, probability: float) -> float:
    """The mean of a Poisson variable that is at most `most` with that probability, by bisection."""
    counts = np.arange(1, most + 1)
    factorials = np.concatenate(([0.0], np.cumsum(np.log(counts))))

    def at_most(mean: float) -> float:
        logs = np.arange(most + 1) * math.log(mean) - mean - factorials
        top = float(logs.max())
        return math.exp(top) * float(np.exp(logs - top).sum())

    low, high = 1e-12, most + 10 * math.sqrt(most + 1) + 20.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if at_most(middle) > probability else (low, middle)
    return (low + high) / 2


def fit_exponential(spells: Spells) -> Fitted:
    """Time at risk ÷ failures.

    Raises:
        ValueError: no failure among the spells.
    """
    failures, total = spells.failures, float(spells.seconds.sum())
    if not failures:
        raise ValueError("no spell ended with a failure: nothing can be fitted")
    scale = total / failures
    fitted = (1.0, scale, 0.0, scale / math.sqrt(failures), -failures * (math.log(scale) + 1))
    return _told(spells, "exponential", *fitted)


def fit_weibull(spells: Spells) -> Fitted:
    """Shape and scale by maximum likelihood, right-censored spells included; the shape's equation by bisection of its logarithm.

    Accuracy: standard errors are those of large samples; the shape of few spells is biased upwards (by some 1.4 ÷ failures of itself).
    Source: Lawless, Statistical Models and Methods for Lifetime Data, 2nd ed. 2003, section 5.2.

    Raises:
        ValueError: fewer than two different failure times.
    """
    ends = spells.seconds[spells.ended]
    if len(ends) < 2 or float(np.ptp(ends)) == 0.0:
        raise ValueError("fewer than two different times to failure: a shape cannot be fitted")
    unit = float(np.exp(np.log(ends).mean()))
    times, failures = spells.seconds / unit, len(ends)
    logs = np.log(times)
    mean_log = float(logs[spells.ended].mean())

    def slope(shape: float) -> float:
        powers = np.exp(shape * (logs - logs.max()))
        return float((powers * logs).sum() / powers.sum()) - 1 / shape - mean_log

    low, high = math.log(1e-3), math.log(1e3)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(math.exp(middle)) < 0 else (low, middle)
    shape = math.exp((low + high) / 2)
    scale = float(((times**shape).sum() / failures) ** (1 / shape))
    likelihood = failures * (math.log(shape) - shape * math.log(scale) - math.log(unit)) + (shape - 1) * failures * mean_log - failures
    # Observed information of (shape, log scale): of z = (t/λ)^k, whose sum is the number of failures.
    z, y = (times / scale) ** shape, np.log(times / scale)
    information = np.array(
        [[failures / shape**2 + (z * y**2).sum(), -shape * (z * y).sum()], [-shape * (z * y).sum(), shape**2 * failures]]
    )
    variance = np.linalg.inv(information)
    errors = math.sqrt(variance[0, 0]), scale * unit * math.sqrt(variance[1, 1])
    return _told(spells, "weibull", shape, scale * unit, *errors, likelihood)


def fit_lognormal(spells: Spells) -> Fitted:
    """Median and σ by maximum likelihood, right-censored spells included: Newton in (μ/σ, 1/σ), in which the likelihood is concave.

    Accuracy: standard errors are those of large samples.
    Source: Olsen, Note on the uniqueness of the maximum likelihood estimator for the Tobit model, Econometrica 46 (1978).

    Raises:
        ValueError: fewer than two different failure times.
    """
    ends = np.log(spells.seconds[spells.ended])
    if len(ends) < 2 or float(np.ptp(ends)) == 0.0:
        raise ValueError("fewer than two different times to failure: a spread cannot be fitted")
    middle, failures = float(ends.mean()), len(ends)
    y = ends - middle
    # Spells are mostly cut off by the same end: each length once.
    cut, many = np.unique(np.log(spells.seconds[~spells.ended]) - middle, return_counts=True)

    def likelihood(at: Array) -> float:
        if at[1] <= 0:
            return -math.inf
        return float(failures * math.log(at[1]) - ((at[1] * y - at[0]) ** 2).sum() / 2 + (many * _log_beyond(at[1] * cut - at[0])).sum())

    def slopes(at: Array) -> tuple[Array, Array]:
        seen, unseen = at[1] * y - at[0], at[1] * cut - at[0]
        # Hazard of a normal distribution, and how it grows.
        rate = np.exp(-(unseen**2) / 2 - _log_beyond(unseen)) / math.sqrt(2 * math.pi)
        growth = rate * (rate - unseen)
        first = np.array([seen.sum() + (many * rate).sum(), failures / at[1] - (seen * y).sum() - (many * rate * cut).sum()])
        both = y.sum() + (many * growth * cut).sum()
        own = failures + (many * growth).sum(), failures / at[1] ** 2 + (y**2).sum() + (many * growth * cut**2).sum()
        return first, np.array([[own[0], -both], [-both, own[1]]])

    at = np.array([0.0, 1 / float(y.std())])
    best = likelihood(at)
    for _ in range(100):
        first, information = slopes(at)
        step = np.linalg.solve(information, first)
        while (found := likelihood(at + step)) < best and float(np.abs(step).max()) > 1e-12:
            step = step / 2
        at, gained, best = at + step, found - best, max(found, best)
        if gained < 1e-10:
            break
    variance = np.linalg.inv(slopes(at)[1])
    sigma, mean = 1 / at[1], at[0] / at[1]
    turned = np.array([[0.0, -sigma * sigma], [sigma, -mean * sigma]])
    errors = np.sqrt(np.diag(turned @ variance @ turned.T))
    scale = math.exp(middle + mean)
    told = best - failures * math.log(2 * math.pi) / 2 - failures * middle
    return _told(spells, "lognormal", float(sigma), scale, float(errors[0]), scale * float(errors[1]), told)


def _told(
    spells: Spells,
    family: Literal["exponential", "weibull", "lognormal"],
    shape: float,
    scale: float,
    shape_error: float,
    scale_error: float,
    log_likelihood: float,
) -> Fitted:
    return Fitted(
        family=family,
        shape=shape,
        scale=scale,
        shape_error=shape_error,
        scale_error=scale_error,
        log_likelihood=_of_ticks(spells, partial(_survival, family, shape, scale)) if spells.resolution else log_likelihood,
        distance=_distance(spells, partial(_survival, family, shape, scale)),
    )


def _of_ticks(spells: Spells, later: Callable[[Array], Array]) -> float:
    """ln likelihood of times that were rounded to ticks, the first of which holds all that was shorter; less a constant.

    # Assumes: the parameters that are likeliest of the middles of the ticks are so of the ticks.
    """
    half = spells.resolution / 2
    ends = spells.seconds[spells.ended]
    before = np.where(ends > spells.resolution + half, ends - half, _INSTANT * spells.resolution)
    probability = np.maximum(later(before) - later(ends + half), np.finfo(float).tiny)
    return float(np.log(probability / spells.resolution).sum() + np.log(later(spells.seconds[~spells.ended])).sum())


def _distance(spells: Spells, later: Callable[[Array], Array]) -> float:
    """The largest difference between a distribution, of which P(later) is told, and the Kaplan-Meier estimate, about each failure."""
    times, where = np.unique(spells.seconds, return_inverse=True)
    failed = np.bincount(where, weights=spells.ended)
    at_risk = len(spells.seconds) - np.concatenate(([0], np.cumsum(np.bincount(where))[:-1]))
    survival = np.cumprod(1 - failed / at_risk)
    before = np.concatenate(([1.0], survival[:-1]))
    fitted = later(times)
    seen = failed > 0
    if spells.resolution:
        # Times in ticks: both are steps, compared where a tick ends.
        return float(np.abs(survival - fitted)[seen].max())
    return float(np.maximum(np.abs(survival - fitted), np.abs(before - fitted))[seen].max())


def with_p(spells: Spells, fit: Callable[[Spells], Fitted], generator: np.random.Generator, samples: int = 200) -> Fitted:
    """The fit, and how often a sample of the fitted distribution itself lies farther from its own fit.

    The tables of Kolmogorov and Smirnov are for distributions that are known beforehand; of fitted ones they say yes too often.

    Args:
        fit: `fit_exponential`, `fit_weibull` or `fit_lognormal`.
        samples: at least; p is known to ± 0.5 ÷ √samples.

    Source: Stute, Gonzáles Manteiga and Presedo Quindimil, Bootstrap based goodness-of-fit tests, Metrika 40 (1993).

    # Assumes: each spell starts when it did, and could have been observed for as long.
    """
    fitted = fit(spells)
    farther = done = 0
    for _ in range(samples):
        times = fitted.draw(len(spells.limits), generator)
        if spells.resolution:
            times = np.maximum(1, np.round(times / spells.resolution)) * spells.resolution
        drawn = Spells(
            seconds=np.minimum(times, spells.limits),
            ended=times <= spells.limits,
            limits=spells.limits,
            resolution=spells.resolution,
        )
        if drawn.failures < 2 or float(np.ptp(drawn.seconds[drawn.ended])) == 0.0:
            continue
        done += 1
        farther += fit(drawn).distance >= fitted.distance
    return Fitted(**{**vars(fitted), "p": (farther + 1) / (done + 1)})


def shape_matters(exponential: Fitted, other: Fitted) -> float:
    """p of the likelihood ratio test that times are exponential: small where they are not.

    Accuracy: a test for Weibull times, of which the exponential ones are a case; for lognormal ones the same bar, and no test.
    Source: Wilks, The large-sample distribution of the likelihood ratio, 1938: twice the difference is χ² with one degree of freedom.
    """
    return math.erfc(math.sqrt(max(0.0, other.log_likelihood - exponential.log_likelihood)))
