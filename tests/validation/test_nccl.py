"""Collectives against published NCCL measurements: calibrated and held-out clusters apart, beside a constant bus bandwidth."""

import functools

import numpy as np
import pytest
from validation.nccl_measured import CLUSTERS, SYSTEMS, cases, network_of

from simulator.collectives import bus_bandwidth, price

MIB = 2.0**20


@functools.cache
def errors():
    found = cases()
    modelled = np.array([case.modelled() for case in found])
    return found, modelled / np.array([case.time for case in found]) - 1


def median(split, low, high=np.inf, kinds=("one_node", "printed", "digitised")):
    found, error = errors()
    chosen = [split == case.split and low <= case.size < high and case.kind in kinds for case in found]
    return float(np.median(np.abs(error[chosen])))


@pytest.mark.parametrize(
    ("split", "low", "high", "bound"),
    [
        ("calibration", 256 * MIB, np.inf, 0.06),
        ("calibration", MIB, np.inf, 0.08),
        ("held_out", 256 * MIB, np.inf, 0.075),
        ("held_out", MIB, np.inf, 0.10),
        ("held_out", 0, MIB, 0.13),
    ],
)
def test_median_error(split, low, high, bound):
    assert median(split, low, high) < bound


@pytest.mark.parametrize(("low", "high", "least"), [(256 * MIB, np.inf, 0.92), (MIB, np.inf, 0.91), (0, MIB, 0.85)])
def test_share_of_held_out_points_within_a_factor_of_one_and_a_half(low, high, least):
    found, error = errors()
    ratio = 1 + error[[case.split == "held_out" and low <= case.size < high for case in found]]
    assert ((ratio > 1 / 1.5) & (ratio < 1.5)).mean() > least


def test_unordered_networks_keep_to_the_simple_protocol():
    machine = CLUSTERS["AWS p4de.24xlarge (8xA100-80G, 4x100G EFA)"]
    for size in (2.0**10, 2.0**20, 2.0**30):
        assert price("all_reduce", size, np.arange(16)[None], network_of(machine, 2)).algorithm.endswith("/Simple")


def test_a_constant_bus_bandwidth_is_worse():
    """The baseline: per operation, the median share of the scale-up (one domain) or interface rate on the calibration clusters."""
    found, error = errors()
    large = np.array([case.size >= MIB for case in found])

    def rate(case):
        communicator = case.communicator()
        network = communicator.network
        between = communicator.domains > 1
        return network.capacity[network.scale_out].max() * communicator.local if between else network.scale_up.rate

    shares = np.array([case.bus_bandwidth / rate(case) for case in found])
    calibrated = np.array([case.split == "calibration" for case in found])
    held_out = np.array([case.split == "held_out" for case in found])
    baseline = np.empty(len(found))
    for operation in {case.operation for case in found}:
        for between in (False, True):
            same = np.array([case.operation == operation and (case.communicator().domains > 1) == between for case in found])
            if (same & calibrated & large).any():
                baseline[same] = shares[same] / np.median(shares[same & calibrated & large]) - 1
    assert np.median(np.abs(baseline[held_out & large])) > 2 * np.median(np.abs(error[held_out & large]))


@pytest.mark.parametrize(
    ("system", "operation", "ranks", "expected"),
    [
        ("a100_sxm", "all_reduce", 8, 229e9),
        ("h100_sxm", "all_gather", 8, 336e9),
        ("h100_sxm", "reduce_scatter", 8, 336e9),
        ("h100_sxm", "all_to_all", 8, 317e9),
        ("h100_sxm", "all_reduce", 8, 445e9),
    ],
)
def test_bus_bandwidth_of_a_node_at_512_mib(system, operation, ranks, expected):
    size = 512 * MIB
    network = network_of(SYSTEMS[system], 1)
    time = price(operation, size, np.arange(ranks)[None], network).time_s
    assert bus_bandwidth(operation, ranks, size, time) == pytest.approx(expected, rel=0.10)


def test_splits_are_by_cluster():
    found, _ = errors()
    splits = {}
    for case in found:
        assert splits.setdefault(case.cluster, case.split) == case.split
    assert {"calibration", "held_out"} <= set(splits.values())
