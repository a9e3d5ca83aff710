"""Fit the constants of simulator/collectives/tuning.py on the calibration clusters.

    PYTHONPATH=.:tests python benchmarks/fit_collectives.py [seconds]

A random search in the logarithms, from NCCL's own figures. The loss is the weighted mean of |log(model / measured)| plus a pull towards
those figures (a factor e^0.5 off costs 5e-4; for efficiencies 3 %). Weights: points from 1 MiB on count three times, from 256 MiB on 4.5
times; points inside one node a third, since they are many; two-node rows of Vultr (RoCE) a third; EFA only from 64 MiB on, since its
transport is slower. Constants were rounded.

Held-out clusters are printed and never seen by the search. A first fit, with less pull and full weight for Vultr, gave hops five times as
long as NCCL's; it scored 7.2 % (from 256 MiB on) and 8.8 % (from 1 MiB on) on the held-out clusters, the one kept 6.8 % and 8.9 %.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from numpy.typing import NDArray
from validation.nccl_measured import Case, cases

from simulator.collectives.execution import execute
from simulator.collectives.pricing import ALGORITHMS
from simulator.collectives.tuning import OWN_COPY

MIB = 2.0**20
START = {
    "scale_up": 0.82, "scale_out": 0.94, "own/gather": 0.5, "own/all_reduce": 0.3,
    "ring/LL/base": 6.6, "ring/LL/near": 0.8, "ring/LL/far": 2.7, "ring/LL/share": 0.5,
    "ring/LL128/base": 9, "ring/LL128/near": 1.5, "ring/LL128/far": 4, "ring/LL128/share": 0.92,
    "ring/LL128/fill_near": 0.1, "ring/LL128/fill_far": 0.3,
    "ring/Simple/base": 8.4, "ring/Simple/near": 3.4, "ring/Simple/far": 14, "ring/Simple/fill_near": 0.3, "ring/Simple/fill_far": 0.3,
    "tree/LL/base": 6.8, "tree/LL/near": 0.8, "tree/LL/far": 5, "tree/LL/share": 0.263,
    "tree/LL128/base": 9, "tree/LL128/near": 1.25, "tree/LL128/far": 8.5, "tree/LL128/share": 0.85,
    "tree/LL128/fill_near": 0.1, "tree/LL128/fill_far": 1,
    "tree/Simple/base": 8.4, "tree/Simple/near": 4, "tree/Simple/far": 14, "tree/Simple/share": 0.92,
    "tree/Simple/fill_near": 0.3, "tree/Simple/fill_far": 1,
    "nvls/Simple/base": 14, "nvls/Simple/near": 2, "nvls/Simple/far": 18, "nvls/Simple/share": 0.85,
    "nvls/Simple/fill_near": 0.3, "nvls/Simple/fill_far": 1,
    "direct/LL/base": 6.6, "direct/LL/near": 1, "direct/LL/far": 3, "direct/LL/share": 0.5,
    "direct/Simple/base": 8.4, "direct/Simple/near": 3.4, "direct/Simple/far": 14, "direct/Simple/share": 0.9,
    "direct/Simple/fill_near": 0.3, "direct/Simple/fill_far": 0.3,
}  # fmt: skip
KEYS = tuple(START)
CANDIDATES = sorted({key.rsplit("/", 1)[0] for key in KEYS if key.count("/") == 2})
PULL = np.array([0.03 if k.startswith("scale") else 0.1 if k.endswith("share") and "LL/" not in k else 0.5 for k in KEYS])


class Points:
    """Measured points with what each algorithm's plan costs on line rates: hops, wire latency, seconds per byte inside and between."""

    def __init__(self, found: list[Case]) -> None:
        self.found = found
        self.size, self.time = (np.array([getattr(case, name) for case in found]) for name in ("size", "time"))
        groups = [case.communicator() for case in found]
        self.own = np.array([1 / (group.ranks * group.network.scale_up.rate) for group in groups])
        self.reduces = np.array([case.operation == "all_reduce" for case in found])
        self.cost = {name: np.full((len(found), 5), np.nan) for name in {key.split("/")[0] for key in CANDIDATES}}
        known: dict[tuple[int, str, str], tuple[float, ...]] = {}
        for row, (case, group) in enumerate(zip(found, groups, strict=True)):
            network = group.network
            for name, costs in self.cost.items():
                if (name == "direct") != (case.operation == "all_to_all") or (name == "nvls" and not network.scale_up.reduction):
                    continue
                key = (id(group), case.operation, name)
                plan = ALGORITHMS[name].plan(case.operation, group.domains, group.local)
                if key not in known and plan is not None:
                    members = np.arange(case.gpus)[None]
                    inside = execute(plan, members, network, np.where(network.scale_out, np.inf, network.capacity))
                    between = execute(plan, members, network, np.where(network.scale_out, network.capacity, np.inf))
                    known[key] = (inside.near, inside.far, inside.wire, inside.per_byte, between.per_byte)
                if key in known:
                    costs[row] = known[key]

    def modelled(self, constants: dict[str, float]) -> NDArray[np.float64]:
        """Time of the fastest candidate [s]."""
        best = np.full(len(self.size), np.inf)
        copied = self.own * np.where(self.reduces, constants["own/all_reduce"], constants["own/gather"])
        for candidate in CANDIDATES:
            name = candidate.split("/")[0]
            near, far, wire, inside, between = self.cost[name].T
            base, hop_near, hop_far, share, fill_near, fill_far = (
                constants.get(f"{candidate}/{field}", default)
                for field, default in (("base", 0), ("near", 0), ("far", 0), ("share", 1), ("fill_near", 0), ("fill_far", 0))
            )
            per_byte = np.maximum(inside / constants["scale_up"], between / constants["scale_out"]) / min(share, 1.0)
            moved = self.size * (per_byte + (0 if name == "nvls" else copied))
            filled = 2 * np.sqrt(1e-6 * (fill_near * near + fill_far * far) * moved)
            best = np.fmin(best, 1e-6 * (base + hop_near * near + hop_far * far) + wire + moved + filled)
        return best


def weight(case: Case) -> float:
    """How much a point counts, as said above."""
    if "EFA" in case.cluster and case.size < 64 * MIB:
        return 0.0
    scale = 0.35 if case.kind == "one_node" else 0.3 if "Vultr" in case.cluster and case.nodes > 1 else 1.0
    return scale * (0.5 if case.size < MIB else 1.5 if case.size < 256 * MIB else 2.25)


def main(seconds: float) -> None:
    calibration, held_out = (Points([case for case in cases() if case.split == split]) for split in ("calibration", "held_out"))
    weights = np.array([weight(case) for case in calibration.found])
    start = np.log(list(START.values()))

    def constants(logarithms: NDArray[np.float64]) -> dict[str, float]:
        return dict(zip(KEYS, np.exp(logarithms).tolist(), strict=True))

    def loss(logarithms: NDArray[np.float64]) -> float:
        error = np.log(calibration.modelled(constants(logarithms)) / calibration.time)
        return float((weights * np.sqrt(error**2 + 1e-4)).sum() / weights.sum() + 5e-4 * (((logarithms - start) / PULL) ** 2).sum())

    draw = np.random.default_rng(0)
    best, least = start, loss(start)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        moves = draw.random(len(best)) < draw.choice([0.05, 0.1, 0.3])
        moves[draw.integers(len(best))] = True
        tried = best + moves * draw.normal(size=len(best)) * 0.15 * draw.choice([0.1, 0.3, 1, 2])
        if (found := loss(tried)) < least:
            best, least = tried, found
    for key, value in constants(best).items():
        print(f"{key:28} {value:.3g}")
    print(f"own copies now: {dict(OWN_COPY)}")
    for split, points in (("calibration", calibration), ("held out", held_out)):
        error = np.abs(points.modelled(constants(best)) / points.time - 1)
        for low, high in ((256 * MIB, np.inf), (MIB, np.inf), (0, MIB)):
            chosen = (points.size >= low) & (points.size < high)
            middle = float(np.median(error[chosen]))
            print(f"{split}: {low / MIB:.0f} to {high / MIB:.0f} MiB: median error {middle:.3f} of {chosen.sum()}")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0)
