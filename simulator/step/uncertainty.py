"""How far measured step times and peaks lie from modelled ones: every constant of the prediction intervals, and what it was obtained on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import NormalDist

from simulator.hardware import NARROW, kernels_of
from simulator.parallelism import Layout
from simulator.step.job import Job, Machines

BETWEEN = 0.085
"""Spread (log-normal) of the medians of whole sources: clusters, recipes and habits of measuring that no field of a case says.

Source: root mean square over the dense cases of 13 calibration sources of the median of ln(measured / modelled), each predicted with a
software generation that was calibrated on other sources (leave one source out); benchmarks/fit_intervals.py.
"""
SOURCES = 13
"""Behind `BETWEEN`: a new source is one draw more, and the spread itself is known with `SOURCES - 1` degrees of freedom."""

EXPERTS = 0.22
"""Added spread of mixtures of experts, for uneven routing and the many ways to exchange tokens.

Source: 1.4826 times the median size of the log residual in each of six sources (two of calibration, four blind), root mean square 0.24,
less the spreads of dense models; benchmarks/fit_intervals.py. DeepSeek-V3 on GB200, which took twice the time, lies outside it.
"""

STANDS_IN = 0.14
"""Added spread where the run's own software is not in the catalogue and the generation is only like it.

Source: root mean square 0.16 of the medians of seven blind sources (Pax, PaddlePaddle, llm.c, ..), less what sources differ by anyway;
benchmarks/fit_intervals.py.
"""

UNSEEN = 0.06
"""Added spread for each thing that no calibration row of the software generation has: the generation itself, a kind of parallelism in it.
Source: assumed: of the order of what one source differs from the next."""

PER_QUADRUPLE = 0.05
"""Added spread for each factor of four beyond four times the largest calibrated run. Source: assumed: of that order too."""

LARGEST = 2_240
"""Accelerators of the largest calibration run (Narayanan et al. 2021, Table 2)."""

MEMORY = 0.04
"""Spread of measured over predicted peaks of memory in a generation whose memory was calibrated. Source: root mean square of log residuals
0.035 on SimuMax (B200) and Zero Bubble (A100) rows."""
MEMORY_UNSEEN = 0.12
"""Likewise in any other generation. Source: assumed; three times that."""

_MEMORY_SEEN = ("megatron-2022", "megatron-2025")
_NINETY = NormalDist().inv_cdf(0.95)


def spread(job: Job, layout: Layout, machines: Machines) -> Mapping[str, float]:
    """What makes the measured step time differ from the modelled one, by name: independent spreads of its logarithm.

    Hierarchical: runs differ within a source (`Software.sigma`), and sources differ from one another; thin evidence adds to both.
    """
    software = job.software
    found = {
        "within a source": software.sigma,
        "between sources": BETWEEN * math.sqrt(1 + 1 / SOURCES),
        "accelerator": kernels_of(machines.node.accelerator).sigma,
        "experts": EXPERTS if job.model.experts else 0.0,
        "software of another name": STANDS_IN if software.stands_in else 0.0,
        "software without calibration runs": UNSEEN if not software.calibrated else 0.0,
    }
    if software.calibrated:
        found |= {f"{kind} not calibrated": UNSEEN for kind in kinds(job, layout, machines) if kind not in software.calibrated}
    beyond = layout.accelerators / (4 * LARGEST)
    found["scale"] = PER_QUADRUPLE * (1 + math.log(beyond, 4)) if beyond > 1 else 0.0
    return {name: size for name, size in found.items() if size}


def kinds(job: Job, layout: Layout, machines: Machines) -> tuple[str, ...]:
    """The kinds of parallelism of a layout, as `Software.calibrated` names them."""
    inside = machines.node.scale_up.domain or machines.node.accelerators
    present = {
        "data": layout.data > 1,
        "tensor": layout.tensor > 1,
        "tensor across nodes": layout.tensor > inside,
        "pipeline": layout.pipeline > 1,
        "interleaved": layout.virtual > 1,
        "context": layout.context > 1,
        "expert": layout.expert > 1,
        "zero3": layout.sharding == "zero3",
        "offload": bool(layout.offload),
    } | {precision: job.precision == precision for precision in NARROW}
    return tuple(kind for kind, is_present in present.items() if is_present)


def sigma(parts: Mapping[str, float]) -> float:
    """One spread of all of them, such that 1.645 of it hold nine of ten.

    Few sources lie behind it, so that the quantile is Student's; expanded in 1 / degrees of freedom.

    Source: Cornish and Fisher 1938; Abramowitz and Stegun 26.7.5, first two terms.
    """
    z, freedom = _NINETY, SOURCES - 1
    student = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    return math.sqrt(math.fsum(size**2 for size in parts.values())) * student / z


def interval(seconds: float, width: float) -> tuple[float, float]:
    """90 % interval of a step time with the spread `width` [s]."""
    return seconds * math.exp(-_NINETY * width), seconds * math.exp(_NINETY * width)


def memory_interval(total: float, job: Job) -> tuple[float, float]:
    """90 % interval of a predicted peak [B]."""
    width = MEMORY if job.software.name in _MEMORY_SEEN else MEMORY_UNSEEN
    return total * math.exp(-_NINETY * width), total * math.exp(_NINETY * width)
