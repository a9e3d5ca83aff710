"""Fit the few kernel parameters of an accelerator on measured matrix products and fused attention.

    python benchmarks/fit_kernels.py products gemm_measured.csv
    python benchmarks/fit_kernels.py attention attention_forward_measured.csv

The tables are those of ai-dynamo/aiconfigurator (Apache-2.0) with columns system, dtype, m, n, k, median_ms (products) and system,
batch_size, isl, num_heads, num_key_value_heads, head_dim, median_ms (attention). Shapes whose hash is a multiple of four are held back; the
residuals that are printed, and copied into `calibrated_on`, are of those. The forms fitted are those of `simulator/hardware/kernels.py`.
"""

from __future__ import annotations

import csv
import sys
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# System in the table -> (catalogue entry, memory bandwidth [B/s]); dense peaks by type of operand [FLOP/s]. Data sheets.
SYSTEMS = {
    "a100_sxm": ("a100-sxm-80gb", 2.039e12, {"bf16": 312e12}),
    "h100_sxm": ("h100-sxm", 3.35e12, {"bf16": 989e12, "fp8": 1979e12}),
    "h200_sxm": ("h200-sxm", 4.8e12, {"bf16": 989e12, "fp8": 1979e12}),
    "b200_sxm": ("b200-sxm", 8.0e12, {"bf16": 2250e12, "fp8": 4500e12}),
}
FALLING = {("h100-sxm", "bf16"), ("h200-sxm", "bf16"), ("b200-sxm", "bf16")}
"""Where larger products lose rate to the power limit; elsewhere the table shows no fall that helps on shapes held back."""
MEMORY = 0.80
"""Share of the bandwidth assumed while fitting; it is not separable from these tables."""
SCALE = 0.1
"""Residuals beyond ten per cent count less and less (Cauchy loss): frameworks differ on odd shapes."""


def fit(predict: Callable[[Array], Array], start: Array, target: Array) -> Array:
    """Parameters that minimise the robust loss of log residuals, by Levenberg-Marquardt; infinite ones stay as they are."""

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


def product_seconds(x: Array, m: Array, n: Array, k: Array, peak: float, bandwidth: float, size: float) -> Array:
    """The form of `simulator.hardware.product_time`: parameters share, depth, start, fall, fall_flop."""
    flop = 2 * m * n * k
    padded = 2 * 128 * np.ceil(m / 128) * 128 * np.ceil(n / 128) * (k + np.exp(x[1]))
    rate = peak * share(x[0]) * (1 - share(x[3]) * flop / (flop + np.exp(x[4])))
    memory = (size * (m * k + n * k) + 2 * m * n) / (bandwidth * MEMORY)
    return np.exp(x[2]) + ((padded / rate) ** 4 + memory**4) ** 0.25


def attention_seconds(x: Array, batch: Array, length: Array, heads: Array, kv: Array, head: Array, peak: float, bandwidth: float) -> Array:
    """The form of `simulator.hardware.fused_attention_time`: parameters share, length, start."""
    flop = 2 * batch * heads * length**2 * head
    memory = 2 * 2 * batch * length * (heads + kv) * head / (bandwidth * MEMORY)
    return np.exp(x[2]) + flop / (peak * share(x[0])) * (1 + np.exp(x[1]) / length) + memory


def logarithm(seconds: Callable[..., Array], columns: list[Array], x: Array) -> Array:
    """Logarithm of the predicted seconds."""
    return np.log(seconds(x, *columns))


def report(name: str, residual: Array, held: Array, words: str) -> None:
    """One line of residuals on the shapes that were held back."""
    off = np.abs(residual[held])
    print(f"{name}: {words}; n {held.size} ({held.sum()} held back): median {np.median(off):.1%}, p90 {np.quantile(off, 0.9):.1%}")


def main(kind: str, path: str) -> None:
    rows = list(csv.DictReader(Path(path).read_text(encoding="utf-8").splitlines()))
    for system, (name, bandwidth, peaks) in SYSTEMS.items():
        for dtype, peak in peaks.items():
            chosen = [row for row in rows if row["system"] == system and row.get("dtype", "bf16") == dtype]
            if not chosen:
                continue
            keys = ("m", "n", "k") if kind == "products" else ("batch_size", "isl", "num_heads", "num_key_value_heads", "head_dim")
            columns = [np.array([float(row[key]) for row in chosen]) for key in keys]
            target = np.log([float(row["median_ms"]) * 1e-3 for row in chosen])
            held = np.array([zlib.crc32(",".join(row[key] for key in keys).encode()) % 4 == 0 for row in chosen])
            kept = [column[~held] for column in columns]
            if kind == "products":
                size = {"bf16": 2.0, "fp8": 1.0}[dtype]
                seconds = partial(product_seconds, peak=peak, bandwidth=bandwidth, size=size)
                start = np.array([1.2, np.log(64), np.log(3e-6), -2.5, np.log(1e12)])
                if (name, dtype) not in FALLING:
                    start[3] = -np.inf
            else:
                seconds = partial(attention_seconds, peak=peak, bandwidth=bandwidth)
                start = np.array([0.5, np.log(500), np.log(2e-5)])
            x = fit(partial(logarithm, seconds, kept), start, target[~held])
            second = "depth" if kind == "products" else "length"
            words = f"share {share(x[0]):.3f}, {second} {np.exp(x[1]):.0f}, start {np.exp(x[2]) * 1e6:.1f} us"
            if kind == "products" and np.isfinite(x[3]):
                words += f", fall {share(x[3]):.3f}, fall_flop {np.exp(x[4]):.2e}"
            residual = logarithm(seconds, columns, x) - target
            report(f"{name} {dtype}", residual, held, words)
            if kind == "products":
                off = residual[held & (2 * columns[0] * columns[1] * columns[2] > 128e9) & (columns[0] >= 2048)]
                print(f"    of these m >= 2048 and > 128 GFLOP: median {np.median(np.abs(off)):.1%}, bias {np.median(off):+.1%}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
