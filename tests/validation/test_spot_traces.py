"""Spot traces as measured: the fits of `simulator fit failures` beside those that were computed from the same files by other means.

Inputs: traces of SkyPilot (github.com/skypilot-org/spot-traces) and Bamboo (github.com/uclasystem/bamboo, traces), five of them copied to
data/traces. Compared with: availability, mean times and Weibull parameters of complete spells, computed independently from the same
files (two to three digits); tolerance: their last digit. Evidence: primary data, our own reference computation.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from simulator.cli.fit_command import command
from simulator.errors import ProblemsError
from simulator.reliability import Weibull
from simulator.reliability.fitting import Spells, fit_weibull
from simulator.scenario import load
from simulator.study.failure_logs import FailureLog, findings, read

TRACES = Path(__file__).parent / "data" / "traces"
HOUR = 3600.0


def trace(name: str) -> FailureLog:
    return read((TRACES / name).read_text(encoding="utf-8"))


def complete(spells: Spells) -> Spells:
    """Only those whose end was seen: what the reference figures are of."""
    seen = spells.ended
    return Spells(seconds=spells.seconds[seen], ended=seen[seen], limits=spells.limits[seen])


@pytest.mark.parametrize(
    ("file", "availability", "mean_h", "shape", "scale_h"),
    [
        ("availability_1-node_aws-10-26-2022_us-west-2a_v100_8.json", 0.48, 1.16, 0.67, 0.69),
        ("availability_1-node_aws-10-26-2022_us-west-2b_v100_8.json", 0.466, 0.76, 0.84, 0.67),
    ],
)
def test_spells_of_single_nodes(file: str, availability: float, mean_h: float, shape: float, scale_h: float) -> None:
    log = trace(file)
    (cause,) = log.causes
    assert cause.spells is not None
    assert log.mean_nodes == pytest.approx(availability, abs=0.0006)
    spells = complete(cause.spells)
    assert spells.seconds.mean() / HOUR == pytest.approx(mean_h, abs=0.006)
    fitted = fit_weibull(spells)
    assert fitted.shape == pytest.approx(shape, abs=0.006)
    assert fitted.scale / HOUR == pytest.approx(scale_h, abs=0.006)
    # The spell that the end of the trace cuts off belongs to the fit: it moves it by less than a standard error.
    whole = fit_weibull(cause.spells)
    assert abs(whole.shape - fitted.shape) < whole.shape_error


def test_lifetimes_of_bamboos_g4dn_machines() -> None:
    """0.538 preemptions per node-hour, mean life 1.66 h, shape 0.94, scale 1.61 h in the reference, from 73 lifetimes; the file has 74."""
    (cause,) = trace("bamboo_g4dn-trace.csv").causes
    assert cause.spells is not None
    assert cause.failures == 74
    assert cause.failures / cause.exposure * HOUR == pytest.approx(0.538 * 74 / 73, abs=0.0006)
    fitted = fit_weibull(complete(cause.spells))
    assert fitted.shape == pytest.approx(0.94, abs=0.02)
    assert fitted.scale / HOUR == pytest.approx(1.61, abs=0.02)
    # Machines that were still alive at the end count too: the mean is longer than that of the lives that ended.
    assert fit_weibull(cause.spells).mean > 1.05 * fitted.mean


@pytest.mark.parametrize(
    ("file", "mean_nodes", "per_node_hour"),
    [
        ("bamboo_a100x1-east1b.txt", 57.3, 0.099),
        ("preemption_4-node_aws-08-03-2023_us-east-1f_v100_1.json", 1.38, None),
    ],
)
def test_counts_of_instances(file: str, mean_nodes: float, per_node_hour: float | None) -> None:
    log = trace(file)
    (cause,) = log.causes
    assert log.mean_nodes == pytest.approx(mean_nodes, abs=0.05 if mean_nodes > 10 else 0.006)
    assert cause.spells is None
    if per_node_hour:
        assert cause.failures / cause.exposure * HOUR == pytest.approx(per_node_hour, abs=0.0006)


def test_times_that_are_not_exponential_are_told(tmp_path: Path) -> None:
    """The 8-GPU zone's spells: shape 0.67 and no exponential; the entry that is written says so and a scenario reads it back."""
    out = tmp_path / "zone.yaml"
    file = TRACES / "availability_1-node_aws-10-26-2022_us-west-2a_v100_8.json"
    done = CliRunner().invoke(command, ["failures", str(file), "--detection", "30s", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "likelihood ratio p" in done.stderr
    small = (Path(__file__).parents[1] / "unit" / "study" / "small.yaml").read_text(encoding="utf-8")
    head, tail = small.split("    failures:\n")
    (tmp_path / "scenario.yaml").write_text(head + "    failures: zone\n" + tail[tail.index("    spares:") :], encoding="utf-8")
    read_back = load(tmp_path / "scenario.yaml").alternatives["rented"].reliability.failures
    assert read_back is not None
    (failure,) = read_back.classes
    (found,) = findings(trace(file.name))
    assert found.weibull is not None
    assert found.chosen is found.weibull, "by Akaike's criterion lognormal times would be likelier, but they do not fit"
    assert isinstance(failure.distribution, Weibull)
    assert failure.distribution.shape == pytest.approx(found.weibull.shape, rel=1e-4)
    assert failure.mtbf == pytest.approx(found.weibull.mean, rel=1e-3)
    assert failure.detection == 30.0
    assert "sha256" in failure.source


# ------------------------------------------------------------------------------------------------------------- tables of failures


def table(generator: np.random.Generator, nodes: int, mtbf: float, span: float, shape: float = 1.0) -> list[tuple[float, str, str]]:
    """A log of nodes that are new at 0 s and renewed with each failure, and of a job that fails once in ten days."""
    rows = []
    for node in range(nodes):
        at = 0.0
        while (at := at + mtbf * generator.weibull(shape)) < span:
            rows.append((at, f"n{node}", "gpu"))
    at = 0.0
    while (at := at + generator.exponential(240 * HOUR)) < span:
        rows.append((at, "", "software"))
    return sorted(rows)


def test_a_table_gives_its_rates_back() -> None:
    generator = np.random.default_rng(7)
    inside = 0
    for _ in range(20):
        rows = table(generator, 50, 400 * HOUR, 90 * 24 * HOUR)
        text = "time [h],node,cause\n" + "".join(f"{at / HOUR:.6f},{node},{cause}\n" for at, node, cause in rows)
        gpu, software = findings(read(text, nodes=50, span=90 * 24 * HOUR), samples=1)
        assert (gpu.cause.of, software.cause.of) == ("node", "job")
        assert gpu.cause.failures + software.cause.failures == len(rows)
        inside += gpu.rate.low <= 1 / (400 * HOUR) <= gpu.rate.high
    assert inside >= 17


@pytest.mark.parametrize("new", [True, False])
def test_a_table_gives_its_shape_back(new: bool) -> None:
    generator = np.random.default_rng(3)
    rows = table(generator, 60, 200 * HOUR, 100 * 24 * HOUR, shape=0.7)
    data = json.dumps([{"time": f"{at / HOUR:.6f} h", "node": node or None, "cause": cause} for at, node, cause in rows])
    found = findings(read(data, nodes=60, span=100 * 24 * HOUR, new=new), samples=60)[0]
    assert found.weibull is not None
    assert abs(found.weibull.shape - 0.7) < 3 * found.weibull.shape_error
    assert abs(found.weibull.scale - 200 * HOUR) < 3 * found.weibull.scale_error
    assert found.distribution == Weibull(shape=found.weibull.shape)
    assert found.weibull.p > 0.02


def test_dates_are_times_too() -> None:
    text = "time,node,cause\n2024-05-01T00:00:00,a,gpu\n2024-05-01T12:00:00,b,gpu\n2024-05-02T00:00:00,a,gpu\n"
    (cause,) = read(text, nodes=4, span=48 * HOUR).causes
    assert (cause.failures, cause.exposure) == (3, 4 * 48 * HOUR)
    assert cause.spells is not None
    assert sorted(cause.spells.seconds / HOUR) == [24.0, 24.0, 36.0]


@pytest.mark.parametrize(
    ("text", "more", "what"),
    [
        ("time [h],node,cause\n1,a,gpu\n", {}, "how many nodes"),
        ("time [h],node,cause\n1,a,gpu\n", {"nodes": 2}, "how long"),
        ("time [h],node,cause\n9,a,gpu\n", {"nodes": 2, "span": HOUR}, "hold"),
        ("time [lightyears],node,cause\n9,a,gpu\n", {"nodes": 2, "span": HOUR}, "cannot be read"),
        ("when,node,cause\n9,a,gpu\n", {"nodes": 2, "span": HOUR}, "no time"),
        ("time [h],node,cause\n1,a,x\n1,b,x\n1,c,x\n", {"nodes": 2, "span": 2 * HOUR}, "3 nodes failed"),
        ('{"data": [1, 2]}', {}, "gap_seconds"),
        ("{", {}, "not JSON"),
        ("[]", {}, "no list"),
    ],
)
def test_what_is_missing_is_said(text: str, more: dict[str, float], what: str) -> None:
    with pytest.raises(ProblemsError) as told:
        read(text, **more)
    assert any(what in problem.what or what in problem.mend for problem in told.value.problems), told.value.problems


def test_a_fit_is_the_same_every_time() -> None:
    log = trace("bamboo_g4dn-trace.csv")
    assert [dataclasses.asdict(each.rate) for each in findings(log)] == [dataclasses.asdict(each.rate) for each in findings(log)]
    assert [each.told() for each in findings(log)] == [each.told() for each in findings(log)]


def test_a_log_is_replayed_at_its_times(tmp_path: Path) -> None:
    log, out = tmp_path / "log.csv", tmp_path / "mine.yaml"
    log.write_text("time [h],node,cause\n2,b,gpu\n5,a,gpu\n7,,software\n9,b,gpu\n", encoding="utf-8")
    options = ["--nodes", "4", "--span", "2d", "--detection", "30s", "--replay", "--out", str(out)]
    done = CliRunner().invoke(command, ["failures", str(log), *options])
    assert done.exit_code == 0, done.output
    small = (Path(__file__).parents[1] / "unit" / "study" / "small.yaml").read_text(encoding="utf-8")
    head, tail = small.split("    failures:\n")
    (tmp_path / "scenario.yaml").write_text(head + "    failures: mine\n" + tail[tail.index("    spares:") :], encoding="utf-8")
    replayed = load(tmp_path / "scenario.yaml").alternatives["rented"].reliability.failures
    assert replayed is not None
    told = {each.cause: (each.of, each.times, each.nodes) for each in replayed.classes}
    assert told == {"gpu": ("node", (2 * HOUR, 5 * HOUR, 9 * HOUR), (1, 0, 1)), "software": ("job", (7 * HOUR,), ())}
    trace = TRACES / "availability_1-node_aws-10-26-2022_us-west-2a_v100_8.json"
    refused = CliRunner().invoke(command, ["failures", str(trace), "--detection", "30s", "--replay"])
    assert "no table of failures" in str(refused.exception)
