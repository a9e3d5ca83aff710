"""Graphs in files of their own: the same network as written out, and problems told where they stand in the file."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simulator.errors import ProblemsError
from simulator.scenario import load

GRAPHML = """\
<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="h" for="node" attr.name="host" attr.type="boolean"><default>false</default></key>
  <key id="r" for="edge" attr.name="rate" attr.type="string"><default>100 Gb/s</default></key>
  <key id="l" for="edge" attr.name="latency" attr.type="string"/>
  <graph edgedefault="undirected">
    <node id="a"><data key="h">true</data></node>
    <node id="b"><data key="h">true</data></node>
    <node id="left"/>
    <edge source="a" target="left"><data key="l">2 us</data></edge>
    <edge source="b" target="left"><data key="r">25 Gb/s</data></edge>
    <edge source="left" target="b" directed="true"><data key="r">10 Gb/s</data></edge>
  </graph>
</graphml>
"""
JSON = """\
{"directed": false,
 "nodes": [{"id": "a", "host": true}, {"id": "b", "host": true}, {"id": "left"}],
 "edges": [
\t{"source": "a", "target": "left", "rate": "100 Gb/s", "latency": "2 us"},
\t{"source": "b", "target": "left", "rate": "25 Gb/s"}
 ]}
"""


def asked(text: str, topology: str) -> str:
    return text.replace("dgx-a100-superpod", topology).replace("count: 128", "count: 2").replace("pipeline: 16, data: 8", "pipeline: 2")


def test_a_graph_is_read_from_a_file_beside_the_scenario(text: str, write: Callable[..., str]) -> None:
    write(GRAPHML, "net.graphml")
    inline = (
        "{kind: explicit, source: mine, hosts: [a, b], links: [{source: a, target: left, rate: 100 Gb/s, latency: 2 us},"
        " {source: b, target: left, rate: 25 Gb/s}, {source: left, target: b, rate: 10 Gb/s, both: false}]}"
    )
    drawn = load(write(asked(text, "{kind: explicit, source: mine, file: net.graphml}")))
    written = load(write(asked(text, inline), "t.yaml"))
    one, other = (found.alternatives["rented"].cluster.topology for found in (drawn, written))
    assert (one.hosts, one.links) == (other.hosts, other.links)
    assert "net.graphml" in drawn.inputs


def test_a_topology_names_its_graph_from_where_it_stands(text: str, write: Callable[..., str]) -> None:
    write(JSON, "topologies/graphs/net.json")
    write("kind: explicit\nsource: mine\nfile: graphs/net.json\n", "topologies/mine.yaml")
    found = load(write(asked(text, "mine"))).alternatives["rented"].cluster.topology
    assert found.hosts == ("a", "b")
    assert [(link.source, link.rate, link.both) for link in found.links] == [("a", 12.5e9, True), ("b", 3.125e9, True)]
    changed = load(write(asked(text, "{like: mine, shortest: latency}"))).alternatives["rented"].cluster.topology
    assert (changed.hosts, changed.shortest) == (found.hosts, "latency")


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "what"),
    [
        ("net.graphml", "25 Gb/s", "25 Gbs", 11, "'Gbs' is not known"),
        ("net.graphml", "25 Gb/s", "25", 11, "has no unit"),
        ("net.graphml", "<default>100 Gb/s</default>", "", 10, "rate is missing"),
        ("net.graphml", "true", "false", 1, "names no hosts"),
        ("net.graphml", "</node>", "", 13, "mismatched tag"),
        ("net.graphml", "<graphml", "<!DOCTYPE x [<!ENTITY e 'e'>]><graphml", 2, "document type"),
        ("net.graphml", '<node id="left"/>', '<hyperedge id="left"/>', 9, "hyperedge"),
        ("net.graphml", '<node id="left"/>', '<node id="left"><graph/></node>', 9, "graph inside a graph"),
        ("net.json", '"25 Gb/s"', "25", 5, "25 has no unit"),
        ("net.json", '"rate": "25 Gb/s"', '"weight": 3', 5, "rate is missing"),
        ("net.json", '"id": "left"', '"name": "left"', 2, "a vertex without id"),
        ("net.json", '"source": "b", ', "", 5, "an edge without source"),
        ("net.json", '"edges"', '"arcs"', 1, "links is no list"),
        ("net.json", " ]}", " ]", 0, "not YAML"),
        ("net.json", '{"id": "left"}', '"left"', 2, "'left' where a mapping"),
    ],
)
def test_problems_stand_where_the_file_has_them(
    file: str, old: str, new: str, line: int, what: str, text: str, write: Callable[..., str]
) -> None:
    broken = {"net.graphml": GRAPHML, "net.json": JSON}[file]
    assert old in broken
    write(broken.replace(old, new), file)
    with pytest.raises(ProblemsError) as caught:
        load(write(asked(text, f"{{kind: explicit, source: mine, file: {file}}}")))
    told = [(p.file, p.line) for p in caught.value.problems if what in p.what]
    assert told, caught.value
    assert told[0][0] == file
    assert line in (0, told[0][1])


@pytest.mark.parametrize(
    ("topology", "what"),
    [
        ("{kind: explicit, source: mine, file: none.json}", "cannot be read"),
        ("{kind: explicit, source: mine, file: net.dot}", "ends in .graphml or .json"),
        ("{kind: explicit, source: mine, file: net.json, hosts: [a]}", "hosts are said by the file"),
        ("{kind: explicit, source: mine}", "hosts is empty"),
    ],
)
def test_a_graph_that_is_not_there(topology: str, what: str, text: str, write: Callable[..., str]) -> None:
    write(JSON, "net.json")
    with pytest.raises(ProblemsError) as caught:
        load(write(asked(text, topology)))
    assert any(what in f"{p.what}; {p.mend}" for p in caught.value.problems), caught.value
