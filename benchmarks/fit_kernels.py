"""Fit the few kernel parameters of an accelerator on measured matrix products and fused attention.

    python benchmarks/fit_kernels.py products gemm_measured.csv
    python benchmarks/fit_kernels.py attention attention_forward_measured.csv

The tables are those of ai-dynamo/aiconfigurator (Apache-2.0) with columns system, dtype, m, n, k, median_ms (products) and system,
batch_size, isl, num_heads, num_key_value_heads, head_dim, median_ms (attention). 8-bit products were timed with a cast from 16 bit
(collector/vllm/collect_gemm.py at 00e9bde, collector/trtllm/collect_gemm.py: a quantized linear layer is called on bf16), which is fitted
beside them and left out, since a step counts its casts itself: its constant is in the start that is printed. Of these, only shapes that
training may have are taken (multiples of 16, as Transformer Engine asks). Shapes whose hash is a multiple of four are held back; the
residuals that are printed, and copied into `calibrated_on`, are of those. The forms fitted are those of `simulator/hardware/kernels.py`, by
`simulator/hardware/fitting.py`.
"""

from __future__ import annotations

import csv
import sys
import zlib
from pathlib import Path

import numpy as np

from simulator.hardware.fitting import fit_attention, fit_products

# System in the table -> (catalogue entry, memory bandwidth [B/s], multiprocessors); dense peaks by type of operand [FLOP/s]. Data sheets.
SYSTEMS = {
    "a100_sxm": ("a100-sxm-80gb", 2.039e12, 108, {"bf16": 312e12}),
    "h100_sxm": ("h100-sxm", 3.35e12, 132, {"bf16": 989.4e12, "fp8": 1978.9e12}),
    "h200_sxm": ("h200-sxm", 4.8e12, 132, {"bf16": 989.4e12, "fp8": 1978.9e12}),
    "b200_sxm": ("b200-sxm", 8.0e12, 148, {"bf16": 2250e12, "fp8": 4500e12}),
}
MEMORY = 0.80
"""Share of the bandwidth assumed while fitting; it is not separable from these tables."""


def main(kind: str, path: str) -> None:
    rows = list(csv.DictReader(Path(path).read_text(encoding="utf-8").splitlines()))
    for system, (name, bandwidth, processors, peaks) in SYSTEMS.items():
        for dtype, peak in peaks.items():
            chosen = [row for row in rows if row["system"] == system and row.get("dtype", "bf16") == dtype]
            if dtype == "fp8" and kind == "products":
                chosen = [row for row in chosen if not int(row["m"]) % 16]
            if not chosen:
                continue
            keys = ("m", "n", "k") if kind == "products" else ("batch_size", "isl", "num_heads", "num_key_value_heads", "head_dim")
            columns = [np.array([float(row[key]) for row in chosen]) for key in keys]
            seconds = np.array([float(row["median_ms"]) * 1e-3 for row in chosen])
            held = np.array([zlib.crc32(",".join(row[key] for key in keys).encode()) % 4 == 0 for row in chosen])
            known = {"peak": peak, "bandwidth": bandwidth * MEMORY}
            if kind == "attention":
                found, residual = fit_attention(columns, seconds, held, **known)
                print(f"{name} {dtype}: share {found.share:.3f}, length {found.length:.0f}, start {found.start * 1e6:.1f} us; {residual}")
                continue
            # Where larger products lose rate to the power limit; on A100 the table shows no fall that helps on shapes held back.
            falling, size = name != "a100-sxm-80gb", {"bf16": 2.0, "fp8": 1.0}[dtype]
            more = {"size": size, "falling": falling, "processors": processors, "casting": dtype == "fp8"}
            kernels, residual, off = fit_products(*columns, seconds, held, **more, **known)
            words = f"share {kernels.share:.3f}, depth {kernels.depth:.0f}, start {kernels.start * 1e6:.1f} us, "
            words += f"narrow {kernels.narrow:.3f}"
            words += f", fall {kernels.fall:.3f}, fall_flop {kernels.fall_flop:.2e}" if falling else ""
            print(f"{name} {dtype}: {words}; {residual}")
            large = off[held & (2 * columns[0] * columns[1] * columns[2] > 128e9) & (columns[0] >= 2048)]
            size_of = f"mean {np.abs(large).mean():.1%}, median {np.median(np.abs(large)):.1%}"
            print(f"    of these m >= 2048 and > 128 GFLOP: {size_of}, bias {np.median(large):+.1%}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
