"""Completion times of many different flows on a fat tree, beside SimGrid's: `python benchmarks/flows.py [flows]`.

1,024 hosts, 32 to a leaf, each leaf with 32 uplinks (one per spine); flows between random hosts over random spines, each of its own
size, all started at once: 10,000 of them take SimGrid 4.1 (C++) 73 CPU-seconds on the machine where its answers were recorded.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from simulator.interconnect import completion_times

HOSTS, LEAVES, SPINES = 1024, 32, 32
SIMGRID_S = {10_000: 73.0}


def finished(flows: int) -> tuple[float, float]:
    """CPU-seconds that the answer took, and the answer: when the last flow ends [s]."""
    generator = np.random.Generator(np.random.Philox(7))
    source = generator.integers(HOSTS, size=flows)
    target = (source + generator.integers(1, HOSTS, size=flows)) % HOSTS
    spine = generator.integers(SPINES, size=flows)
    leaf, other = source // (HOSTS // LEAVES), target // (HOSTS // LEAVES)
    up = 2 * HOSTS + leaf * SPINES + spine
    down = 2 * HOSTS + LEAVES * SPINES + other * SPINES + spine
    paths = [
        [s, HOSTS + t] if a == b else [s, u, d, HOSTS + t] for s, t, a, b, u, d in zip(source, target, leaf, other, up, down, strict=True)
    ]
    offsets = np.concatenate([[0], np.cumsum([len(path) for path in paths])])
    links = np.concatenate(paths)
    sizes = generator.uniform(1e6, 1e9, size=flows)
    count = 2 * HOSTS + 2 * LEAVES * SPINES
    started = time.process_time()
    ended = completion_times(sizes, np.zeros(flows), offsets, links, np.full(count, 12.5e9), np.full(count, 1e-6))
    return time.process_time() - started, float(ended.max())


def main() -> None:
    for flows in [int(argument) for argument in sys.argv[1:]] or [1_000, 10_000]:
        took, last = finished(flows)
        ratio = f", SimGrid {SIMGRID_S[flows]:g} s: {SIMGRID_S[flows] / took:.1f} times as fast" if flows in SIMGRID_S else ""
        print(f"{flows:7d} flows, the last ends after {last:.4f} s; {took:.2f} CPU-s{ratio}")


if __name__ == "__main__":
    main()
