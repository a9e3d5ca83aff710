"""`simulator flows` and `simulator collective` as a user meets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import get_args

import networkx
import pytest

from simulator.cli import collective_command
from simulator.collectives import AlgorithmName, Operation

ROOT = Path(__file__).parents[2]
CASE = ROOT / "tests" / "oracles" / "data" / "simgrid" / "c23_fattree64_degraded_uplinks.json"


def run(*arguments, code=0, given=None):
    done = subprocess.run(
        [sys.executable, "-m", "simulator", *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, check=False, input=given, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def test_flows_end_when_simgrid_says():
    answer = json.loads(run("flows", CASE, "--format", "json").stdout)
    assert answer["finish_s"] == pytest.approx(json.loads(CASE.read_text())["finish_s"], rel=1e-9)
    told = run("flows", "-", given=CASE.read_text()).stdout
    assert f"{max(answer['finish_s']):.10g} s" in told


def test_a_case_with_problems_is_refused_with_all_of_them(tmp_path):
    case = {
        "links": [["a", 0, 1, 0, 0.0], ["b", 0, 1, 1e9, -1]],
        "flows": [[0, 1, -5, 0.0, [0]], [0, 1, 5, 0.0, [2, True]], [0, 1, 5, "now", 3]],
    }
    done = run("flows", "-", given=json.dumps(case), code=3)
    for path in ("links.0", "links.1", "flows.0", "flows.1", "flows.2"):
        assert path in done.stderr
    assert "7 problems" in done.stderr
    (tmp_path / "broken.json").write_text("{")
    assert "broken.json:1:" in run("flows", tmp_path / "broken.json", code=3).stderr
    run("flows", tmp_path / "none.json", code=3)
    run("flows", "-", given="[]", code=3)
    run("flows", "-", given='{"links": [], "flows": [[1]]}', code=3)
    assert json.loads(run("flows", "-", "--format", "json", given='{"links": [], "flows": []}').stdout) == {"finish_s": []}


def test_a_link_that_dies_and_returns():
    case = {"links": [["a", 0, 1, 1e9, 0.0]], "flows": [[0, 1, 2e9, 0.0, [0]]], "changes": [[1.0, 0, 0]]}
    assert json.loads(run("flows", "-", "--format", "json", given=json.dumps(case)).stdout) == {"finish_s": [None]}
    assert "never" in run("flows", "-", given=json.dumps(case)).stdout
    case["changes"].append([3.0, 0, 1e9])
    assert json.loads(run("flows", "-", "--format", "json", given=json.dumps(case)).stdout) == {"finish_s": [4.0]}
    case["changes"] = [[1.0, 7, 0], "soon"]
    assert "2 problems" in run("flows", "-", given=json.dumps(case), code=3).stderr


def test_collective_prints_what_nccl_tests_would():
    answer = json.loads(run("collective", "--topology", "dgx-h100-superpod", "--bytes", "1GiB", "--count", 4, "--format", "json").stdout)
    (row,) = answer["sizes"]
    assert answer["ranks"] == 32
    assert row["algorithm_bandwidth"] == pytest.approx(2**30 / row["time_s"])
    assert row["bus_bandwidth"] == pytest.approx(row["algorithm_bandwidth"] * 2 * 31 / 32)
    assert 250e9 < row["bus_bandwidth"] < 400e9
    assert "->" in row["bottleneck"]
    table = run("collective", "--topology", "dgx-h100-superpod", "--bytes", "8B:1KiB", "--ranks", "0,8", "--operation", "all_gather").stdout
    assert len(table.splitlines()) == 2 + 8


def test_a_fault_shows_in_time_and_bottleneck_and_is_refused_where_it_cuts_off():
    def answer(*faults):
        options = ("--topology", "single-switch", "--node", "jean-zay-a100", "--count", 2, "--bytes", "1GiB", "--algorithm", "ring")
        (row,) = json.loads(run("collective", *options, "--format", "json", *(f for fault in faults for f in ("--fault", fault))).stdout)[
            "sizes"
        ]
        return row

    whole, slow = answer(), answer("node1.nic0 -> switch=25%")
    assert slow["bandwidth_s"] == pytest.approx(4 * whole["bandwidth_s"], rel=0.1)
    assert slow["bottleneck"] == "node1.nic0 -> switch (at 25 %)"
    assert answer("{kind: flapping_link, link: node1.nic0 -> switch, down: 75%}") == slow
    told = run("collective", "--topology", "dgx-h100-superpod", "--fault", "leaf0 -> spine=0", code=3).stderr
    assert "nothing but the dead link leaf0 -> spine leads there; write kind: degraded_link" in told
    assert "did you mean slow_nic" in run("collective", "--topology", "single-switch", "--fault", "{kind: slow_nics}", code=3).stderr
    run("collective", "--topology", "single-switch", "--fault", "node0", code=2)


def test_neighbours_stand_beside_the_ranks():
    def time(*more):
        options = ("--topology", "meta-24k-roce", "--count", 8, "--ranks", "0,16", "--algorithm", "ring", "--bytes", "1GiB", *more)
        (row,) = json.loads(run("collective", *options, "--format", "json").stdout)["sizes"]
        return row["time_s"]

    quiet = time()
    assert time("--neighbour", "{kind: job, nodes: 4, sends: 5%}") == quiet
    assert time("--neighbour", "{kind: load, link: 'leaf* -> *', share: 90%}") > 5 * quiet
    options = ("--topology", "meta-24k-roce", "--count", 8, "--ranks", "0,16", "--neighbour", "{kind: job, nodes: 7, sends: 9%}")
    assert "6 of the machine room are free" in run("collective", *options, code=3).stderr


def test_groups_that_share_interfaces_take_longer():
    def time(*more):
        options = ("--topology", "single-switch", "--node", "jean-zay-a100", "--count", 4, "--bytes", "64MiB", "--format", "json")
        return json.loads(run("collective", *options, *more).stdout)["sizes"][0]["time_s"]

    assert time("--split", 8) > time("--ranks", "0,8,16,24")


def test_a_graph_in_graphml_and_in_node_link_json_is_the_same_network(tmp_path):
    wired = networkx.Graph()
    wired.add_nodes_from(["a", "b"], host=True)
    for host in ("a", "b"):
        wired.add_edge(host, "switch", rate="400 Gb/s", latency="2 us")
    networkx.write_graphml(wired, tmp_path / "net.graphml")
    nodes = [{"id": vertex, **data} for vertex, data in wired.nodes(data=True)]
    links = [{"source": tail, "target": head, **data} for tail, head, data in wired.edges(data=True)]
    (tmp_path / "net.json").write_text(json.dumps({"directed": False, "nodes": nodes, "links": links}))
    (tmp_path / "bad.json").write_text(json.dumps({"nodes": nodes, "links": [{"source": "a", "target": "b"}]}))

    def priced(file, code=0):
        return run("collective", "--topology", tmp_path / file, "--bytes", "1GiB", "--count", 2, "--format", "json", code=code)

    graphml, node_link = (json.loads(priced(file).stdout)["sizes"] for file in ("net.graphml", "net.json"))
    assert graphml == node_link
    # One link of 400 Gb/s carries what eight interfaces send.
    assert graphml[0]["bottleneck"] in ("a -> switch", "switch -> b", "b -> switch", "switch -> a")
    assert "bad.json:1:95: links.0: rate is missing" in priced("bad.json", code=3).stderr
    assert "cannot be read" in priced("none.graphml", code=3).stderr


def test_wrong_usage_of_collective():
    asked = ("collective", "--topology", "single-switch", "--bytes", "1MiB")
    run("collective", code=2)
    run(*asked, "--ranks", "0,0", code=2)
    run(*asked, "--ranks", "many", code=2)
    run(*asked, "--ranks", 64, "--count", 2, code=2)
    run(*asked, "--split", 3, code=2)
    run("collective", "--topology", "single-switch", "--bytes", "2MiB:1MiB", code=2)
    run("collective", "--topology", "single-switch", "--bytes", "1", code=3)
    assert "did you mean" in run("collective", "--topology", "single-swich", code=3).stderr
    run(*asked, "--operation", "broadcast", "--algorithm", "nvls", code=3)


def test_choices_are_those_of_the_collectives():
    assert get_args(Operation) == collective_command._OPERATIONS
    assert get_args(AlgorithmName) == collective_command._ALGORITHMS
