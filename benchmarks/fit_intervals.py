"""Spreads of measured over modelled step times, within and between calibration sources, for simulator/step/uncertainty.py.

    python benchmarks/fit_intervals.py

Every calibration source of the catalogue is predicted with its own software generation, and with the nearest one that was calibrated on
other sources (leave one source out). Blind sources tell what stands beside that: software that is not in the catalogue, accelerators that
nobody measured, and with the calibration sources mixtures of experts. Held-out sources are not read.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from simulator.errors import MendableError
from simulator.scenario import entry, measurements
from simulator.step import clock
from simulator.study.cases import Case, case, rows

NEAREST = {
    "megatron-2020": "megatron-2021", "megatron-2021": "megatron-2020", "megatron-2022": "megatron-2021", "megatron-2025": "nemo-2025",
    "pytorch-2023": "megatron-2023", "fsdp-2023": "torchtitan-2024", "nemo-2024": "nemo-2025", "nemo-2025": "nemo-2024",
    "deepspeed-2022": "megatron-2021", "torchtitan-2024": "fsdp-2023", "torchtitan-2025": "fsdp-2023",
}  # fmt: skip
"""Generation -> the one nearest in year and kind whose calibration does not rest on the same sources."""
SHARED = ("fms-fsdp", "zero-bubble")
"""Sources whose own generation was calibrated on another source for most of what matters to them: predicted with their own."""


def residual(of: Case) -> float:
    """ln(measured / modelled)."""
    return math.log(of.seconds / clock(of.job, of.layout, of.machines).total)


def cases(split: str) -> Sequence[Case]:
    """The cases of that split of the catalogue that a step time is known of."""
    found = []
    for file in measurements():
        if "case_source" not in file.document or file.document["split"] != split:
            continue
        for row in rows(file.document):
            try:
                one = case(row, entry)
            except MendableError:
                continue
            if one.seconds:
                found.append(one)
    return found


def main() -> None:
    """Print every source and the spreads."""
    own, other = defaultdict(list), defaultdict(list)
    for one in cases("calibration"):
        key = (one.source, "moe" if one.job.model.experts else "dense")
        if one.generation == "deepspeed-2021":
            continue  # ZeRO-3 of 2021: a share of its rate was fitted on the six runs there are
        own[key].append(residual(one))
        generation = one.generation if one.source in SHARED else NEAREST[one.generation]
        software = entry("software", generation)
        other[key].append(residual(replace(one, job=replace(one.job, software=software))))
    for key in own:
        mine, left_out = own[key], other[key]
        print(
            f"{key[0]:20s} {key[1]:6s} {len(mine):4d} cases, "
            f"own generation: median {statistics.median(mine):+.3f} sd {statistics.pstdev(mine):.3f}; "
            f"left out: median {statistics.median(left_out):+.3f} sd {statistics.pstdev(left_out):.3f}"
        )
    dense = [statistics.median(found) for (_, kind), found in other.items() if kind == "dense"]
    within = [statistics.pstdev(found) for (_, kind), found in own.items() if kind == "dense" and len(found) > 2]
    print(f"dense: between {rms(dense):.3f} over {len(dense)} sources, within {rms(within):.3f}")
    groups = blind()
    mixtures = {source: found for (source, kind), found in own.items() if kind == "moe"} | groups.pop("mixtures of experts")
    sizes = [1.4826 * statistics.median(abs(one) for one in found) for found in mixtures.values()]
    print(f"mixtures of experts: {rms(sizes):.3f} over {len(sizes)} sources (1.4826 x median size of the residual)")
    for group, sources in groups.items():
        medians = {name: statistics.median(found) for name, found in sources.items()}
        told = ", ".join(f"{name} {value:+.2f}" for name, value in medians.items())
        print(f"{group}: {rms(list(medians.values())):.3f} over {len(medians)} ({told})")


def blind() -> dict[str, dict[str, list[float]]]:
    """What a blind run has that no calibration run has -> source or accelerator -> residuals."""
    groups: dict[str, dict[str, list[float]]] = {kind: defaultdict(list) for kind in ("mixtures of experts", "stands in", "not measured")}
    for one in cases("blind"):
        if one.machines.node.accelerator.kernels is None:
            if not one.job.model.experts:
                groups["not measured"][one.machines.node.accelerator.name].append(residual(one))
        elif one.job.model.experts:
            groups["mixtures of experts"][one.source].append(residual(one))
        elif one.job.software.stands_in:
            groups["stands in"][one.source].append(residual(one))
    return groups


def rms(values: Sequence[float]) -> float:
    """Root mean square."""
    return math.sqrt(statistics.fmean(value**2 for value in values))


if __name__ == "__main__":
    main()
