"""What is known of failures and checkpoints on paper: pure functions, one equation each.

Symbols: M mean time between failures of the whole job, w blocking time of one checkpoint, T training time between two checkpoints,
R time to restart after a failure, all [s].
"""

from __future__ import annotations

import math

from simulator.reliability.failures import FailureClass, FailureSet


def things(failure: FailureClass, nodes: int, accelerators_per_node: int) -> float:
    """How many things a fleet of `nodes` has that fail by this class; a part of a block counts as that part."""
    return {"accelerator": nodes * accelerators_per_node, "node": nodes, "block": nodes / failure.block, "job": 1}[failure.of]


def job_hazard(failures: FailureSet | None, nodes: int, accelerators_per_node: int) -> float:
    """Failures per second of a job on a whole fleet: Σ share_c · (1 + burst_c) · n_c / MTBF_c [1/s]; what is planned or only slows is none.

    Accuracy: exact for exponential times; for others the long-run mean, which a young fleet of Weibull shape < 1 exceeds; of a bathtub
        its bottom; for lemons that of the start, before any is cured.
    """
    classes = [each for each in (failures.classes if failures else ()) if not each.planned and each.slowdown == 1]
    return math.fsum(each.share * (1 + each.burst) * things(each, nodes, accelerators_per_node) / each.mtbf for each in classes)


def job_mtbf(failures: FailureSet | None, nodes: int, accelerators_per_node: int) -> float:
    """Mean time between failures of a job on a whole fleet [s]; infinite where nothing fails."""
    hazard = job_hazard(failures, nodes, accelerators_per_node)
    return 1.0 / hazard if hazard > 0 else math.inf


def young_interval(blocking: float, mtbf: float) -> float:
    """Young's T = √(2 w M) [s].

    Accuracy: first order; good for w ≪ T ≪ M.
    Source: Young, A first order approximation to the optimum checkpoint interval, CACM 17(9), 1974.

    >>> round(young_interval(20.0, 3.09 * 3600))
    667
    """
    return math.sqrt(2 * blocking * mtbf) if blocking > 0 else 0.0


def daly_first_order_interval(blocking: float, mtbf: float) -> float:
    """Daly's T = √(2 w M) − w, never below w, with M in place of Young's M + R [s].

    Accuracy: good for w ≪ M / 2.
    Source: Daly, A higher order estimate of the optimum checkpoint interval for restart dumps, FGCS 22 (2006), first-order model.
    """
    return max(young_interval(blocking, mtbf) - blocking, blocking)


def daly_interval(blocking: float, mtbf: float) -> float:
    """Daly's higher-order T = √(2wM)·[1 + ⅓·√(w/2M) + ⅑·(w/2M)] − w where w < 2M, else T = M [s].

    Accuracy: run time within 0.2 % of the least that `daly_wall_clock` can reach, for w < M / 2.
    Source: Daly, FGCS 22 (2006), eq. 37.
    """
    if not math.isfinite(mtbf):
        return young_interval(blocking, mtbf)
    if blocking >= 2 * mtbf:
        return mtbf
    ratio = blocking / (2 * mtbf)
    return math.sqrt(2 * blocking * mtbf) * (1 + math.sqrt(ratio) / 3 + ratio / 9) - blocking


def optimal_interval(blocking: float, mtbf: float) -> float:
    """The T at which `daly_wall_clock` is least: e^((T+w)/M)·(1 − T/M) = 1, whatever the restart takes [s].

    Accuracy: exact, by bisection, for exponential failures and periodic checkpoints.
    Source: Daly, FGCS 22 (2006), complete model, its derivative by T.

    >>> round(optimal_interval(5.0, 10_000.0)), round(daly_interval(5.0, 10_000.0))
    (313, 313)
    """
    if not math.isfinite(mtbf) or blocking <= 0:
        return young_interval(blocking, mtbf)
    low, high = 0.0, mtbf
    for _ in range(80):
        interval = (low + high) / 2
        low, high = (interval, high) if math.exp((interval + blocking) / mtbf) * (1 - interval / mtbf) > 1 else (low, interval)
    return low


def daly_wall_clock(work: float, interval: float, blocking: float, restart: float, mtbf: float) -> float:
    """Daly's exact expected run time M·e^(R/M)·(e^((T+w)/M) − 1)·work/T [s].

    Exponential failures strike training, checkpoints and restarts alike; a struck restart begins anew. A checkpoint follows every T of
    work, the last included, and `work` is a whole multiple of T.

    Source: Daly, FGCS 22 (2006), complete model.

    >>> round(daly_wall_clock(1000.0, 100.0, 5.0, 0.0, 1e9), 2)
    1050.0
    """
    if not math.isfinite(mtbf):
        return work * (1 + blocking / interval)
    return mtbf * math.exp(restart / mtbf) * math.expm1((interval + blocking) / mtbf) * work / interval


def waste(interval: float, blocking: float, down: float, mtbf: float) -> float:
    """First-order share of the wall-clock that is not productive: w/T + (T/2 + D)/M, D from the failure to the first new step [s].

    Accuracy: for T + w + D ≪ M.
    Source: Young (1974); in this form in Herault and Robert (eds.), Fault-Tolerance Techniques for High-Performance Computing, 2015.
    """
    return blocking / interval + (interval / 2 + down) / mtbf


def meta_ettr(nodes: int, rate: float, interval: float, blocking: float, start: float) -> float:
    """Expected effective training time ratio E[ETTR] ≈ (1 − N·r_f·(u0 + Δt/2)) / (1 + w/Δt), without queueing.

    Args:
        rate: failures of one node [1/s].
        interval: Δt between two checkpoints [s].
        blocking: w [s].
        start: u0, from the failure to the first new step [s].

    Accuracy: N·r_f·(u0 + Δt/2) ≪ 1.
    Source: Kokolis et al., Revisiting reliability in large-scale machine learning research clusters, HPCA 2025, arXiv:2410.21680,
        as transcribed in the validation report of the simulator netcap.
    """
    return (1 - nodes * rate * (start + interval / 2)) / (1 + blocking / interval)
