"""The parameters of kernels from measured operations: robust least squares of log seconds, residuals on shapes that were held back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from simulator.hardware.accelerator import MatrixKernels
from simulator.hardware.kernels import SPLITS, TILES

Array = NDArray[np.float64]

SCALE = 0.1
"""Residuals beyond ten per cent count less and less (Cauchy loss): frameworks differ on odd shapes."""


def fit(predict: Callable[[Array], Array], start: Array, target: Array) -> Array:
    """Parameters that minimise the robust loss of log residuals, by Levenberg-Marquardt; infinite ones stay as they are.

    Args:
        predict: parameters -> log seconds.
        start: parameters to begin with; a weak pull keeps those near that the measurements do not tell.
        target: measured log seconds.
    """
    free = np.isfinite(start)
    whole = start.copy()

    def predicted(at: Array) -> Array:
        whole[free] = at
        return predict(whole)

    def loss(at: Array) -> float:
        return float(np.log1p(((predicted(at) - target) / SCALE) ** 2).sum()) + 1e-3 * float(((at - start[free]) ** 2).sum())

    at, damping, best = start[free], 1e-2, loss(start[free])
    for _ in range(200):
        residual = predicted(at) - target
        slope = np.stack([(predicted(at + step) - predicted(at)) / 1e-4 for step in 1e-4 * np.eye(len(at))], axis=1)
        weight = 1 / (1 + (residual / SCALE) ** 2) / SCALE**2
        curvature = slope.T @ (slope * weight[:, None]) + 1e-3 * np.eye(len(at))
        pull = slope.T @ (weight * residual) + 1e-3 * (at - start[free])
        move = np.linalg.solve(curvature + damping * np.diag(np.diag(curvature)), pull)
        if (now := loss(at - move)) < best:
            at, best, damping = at - move, now, damping / 3
        else:
            damping *= 4
    whole[free] = at
    return whole


def share(x: float) -> float:
    """A number between 0 and 1 from any number."""
    return float(1 / (1 + np.exp(-x)))


def product_seconds(
    x: Array, m: Array, n: Array, k: Array, peak: float, bandwidth: float, size: float, processors: int | None = None
) -> Array:
    """The form of `hardware.product_time`, and where 8-bit products were measured with operands of 16 bit, the cast of the first one.

    Args:
        x: share, depth, start, fall, fall_flop, narrow and bytes per element that is cast, each through `share` or an exponential.
        peak: [FLOP/s]; bandwidth: sustained [B/s]; size: of an operand's element [B]; processors: multiprocessors.
    """
    flop = 2 * m * n * k
    rate = peak * share(x[0]) * (1 - share(x[3]) * flop / (flop + np.exp(x[4])))
    memory = (size * (m * k + n * k) + max(size, 2.0) * m * n) / bandwidth
    if processors is None:
        busy = 2 * 128 * np.ceil(m / 128) * 128 * np.ceil(n / 128) * (k + np.exp(x[1])) / rate
    else:
        waves = [
            np.ceil(np.ceil(m / rows) * np.ceil(n / columns) * parts / processors)
            * (2 * processors * rows * columns * (k / parts + np.exp(x[1])) * (1 + np.exp(x[5]) * loads) / peak)
            + (8 * parts * m * n / bandwidth if parts > 1 else 0.0)
            for rows, columns, loads in TILES
            for parts in SPLITS
        ]
        busy = (np.min(waves, axis=0) ** 8 + (flop / rate) ** 8) ** 0.125
    seconds: Array = np.exp(x[2]) + (busy**8 + memory**8) ** 0.125 + np.exp(x[6]) * m * k / bandwidth
    return seconds


def attention_seconds(x: Array, batch: Array, length: Array, heads: Array, kv: Array, head: Array, peak: float, bandwidth: float) -> Array:
    """The form of `hardware.fused_attention_time` forward: parameters share, length, start.

    Args:
        peak: [FLOP/s]; bandwidth: sustained [B/s].
    """
    flop = 2 * batch * heads * length**2 * head
    memory = 2 * 2 * batch * length * (heads + kv) * head / bandwidth
    seconds: Array = np.exp(x[2]) + flop / (peak * share(x[0])) * (1 + np.exp(x[1]) / length) + memory
    return seconds


def backward_seconds(
    x: Array, batch: Array, length: Array, heads: Array, kv: Array, head: Array, peak: float, bandwidth: float, reach: float, start: float
) -> Array:
    """The same of the backward pass, 2.5 times the work and twice the bytes: parameter share; `reach` and `start` as found forward."""
    flop = 5 * batch * heads * length**2 * head
    memory = 4 * 2 * batch * length * (heads + kv) * head / bandwidth
    seconds: Array = start + flop / (peak * share(x[0])) * (1 + reach / length) + memory
    return seconds


def logarithm(seconds: Callable[..., Array], columns: Sequence[Array], x: Array) -> Array:
    """Logarithm of the predicted seconds."""
    return np.log(seconds(x, *columns))


@dataclass(frozen=True, kw_only=True)
class Residual:
    """How far a fit is from shapes that it has not seen.

    Args:
        shapes, held: how many, and how many of them were held back.
        median, mean, p90: of the absolute log residual on those held back; on all where none was.
    """

    shapes: int
    held: int
    median: float
    mean: float
    p90: float

    def __str__(self) -> str:
        on = f"{self.held} held back" if self.held else "all of them"
        return f"{self.shapes} measured, median residual on {on} {self.median:.1%}, mean {self.mean:.1%}, p90 {self.p90:.1%}"


def residual(off: Array, held: NDArray[np.bool_]) -> Residual:
    """The residual of a fit; `off` in log seconds, one per shape."""
    kept = np.abs(off[held] if held.any() else off)
    return Residual(
        shapes=off.size, held=int(held.sum()), median=float(np.median(kept)), mean=float(kept.mean()), p90=float(np.quantile(kept, 0.9))
    )


def fit_products(
    m: Array,
    n: Array,
    k: Array,
    seconds: Array,
    held: NDArray[np.bool_],
    *,
    peak: float,
    bandwidth: float,
    size: float,
    falling: bool,
    processors: int | None = None,
    casting: bool = False,
) -> tuple[MatrixKernels, Residual, Array]:
    """Kernels of matrix products, how well they do, and the log residuals of all shapes.

    Args:
        m, n, k, seconds: of each product.
        held: those that the fit does not see.
        peak: dense [FLOP/s]; bandwidth: sustained [B/s]; size: of an operand's element [B].
        falling: whether larger products may lose rate to the power limit.
        processors: multiprocessors; None pads to tiles of 128.
        casting: whether the first operand was cast to 8 bits in the time measured; what that took is fitted beside, and left out.

    Accuracy: what a short measurement cannot know, the clock after hours of training, stays 1 (`sustained`).
    """
    start = np.array([1.2, np.log(64), np.log(max(float(seconds.min()) / 3, 1e-7)), -2.5, np.log(1e12), -2.5, np.log(5)])
    if not falling:
        start[3] = -np.inf
    if processors is None:
        start[5] = -np.inf
    if not casting:
        start[6] = -np.inf
    form = partial(product_seconds, peak=peak, bandwidth=bandwidth, size=size, processors=processors)
    x = fit(partial(logarithm, form, [m[~held], n[~held], k[~held]]), start, np.log(seconds[~held]))
    off = logarithm(form, (m, n, k), x) - np.log(seconds)
    more = {"fall": share(x[3]), "fall_flop": float(np.exp(x[4]))} if falling else {}
    if processors is not None:
        more["narrow"] = float(np.exp(x[5]))
    kernels = MatrixKernels(share=share(x[0]), depth=float(np.exp(x[1])), start=float(np.exp(x[2])), **more)
    return kernels, residual(off, held), off


@dataclass(frozen=True, kw_only=True)
class AttentionKernels:
    """Parameters of fused attention: share of the peak, sequence at half of it [tokens], start [s]."""

    share: float
    length: float
    start: float


def fit_attention(
    columns: Sequence[Array], seconds: Array, held: NDArray[np.bool_], *, peak: float, bandwidth: float
) -> tuple[AttentionKernels, Residual]:
    """Fused attention forward, and how well it does.

    Args:
        columns: sequences, length, heads, heads of keys and values, head size; one entry per shape.
        peak: dense [FLOP/s]; bandwidth: sustained [B/s].
    """
    form = partial(attention_seconds, peak=peak, bandwidth=bandwidth)
    start = np.array([0.5, np.log(500), np.log(max(float(seconds.min()) / 2, 1e-7))])
    x = fit(partial(logarithm, form, [column[~held] for column in columns]), start, np.log(seconds[~held]))
    found = AttentionKernels(share=share(x[0]), length=float(np.exp(x[1])), start=float(np.exp(x[2])))
    return found, residual(logarithm(form, columns, x) - np.log(seconds), held)


def fit_backward(
    columns: Sequence[Array], seconds: Array, held: NDArray[np.bool_], forward: AttentionKernels, *, peak: float, bandwidth: float
) -> tuple[float, Residual]:
    """Share of the peak that fused attention backward reaches, and how well that does; arguments as `fit_attention`."""
    form = partial(backward_seconds, peak=peak, bandwidth=bandwidth, reach=forward.length, start=forward.start)
    x = fit(partial(logarithm, form, [column[~held] for column in columns]), np.array([0.0]), np.log(seconds[~held]))
    return share(x[0]), residual(logarithm(form, columns, x) - np.log(seconds), held)


def fit_stream(moved: Array, seconds: Array, held: NDArray[np.bool_]) -> tuple[float, float, Array]:
    """Sustained bandwidth [B/s] and start [s] of kernels that only move bytes, and the log residuals.

    Args:
        moved: bytes read and written by each.
    """
    largest = int(np.argmax(moved))
    rate = moved[largest] / seconds[largest]

    def form(x: Array, size: Array) -> Array:
        answer: Array = np.exp(x[1]) + size / (rate * np.exp(x[0]))
        return answer

    start = np.array([0.0, np.log(max(float(seconds.min()) / 2, 1e-8))])
    x = fit(partial(logarithm, form, [moved[~held]]), start, np.log(seconds[~held]))
    return float(rate * np.exp(x[0])), float(np.exp(x[1])), logarithm(form, [moved], x) - np.log(seconds)
