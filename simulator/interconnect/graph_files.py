"""GraphML and node-link JSON -> an explicit graph. Loaded only where such a file is named."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import networkx

from simulator import units
from simulator.errors import MendableError
from simulator.interconnect.explicit import Explicit, Link
from simulator.spec import require


def read_graph(path: Path) -> Explicit:
    """The graph of a file: vertices with `host` true are nodes, in their order; edges carry `rate` and, where known, `latency`, as text
    with a unit (`400 Gb/s`, `2 us`). Edges of an undirected graph lead both ways.

    Raises:
        MendableError: it cannot be read, or is no such graph.
    """
    vertices, edges, directed = _graphml(path) if path.suffix == ".graphml" else _node_link(path)
    hosts = tuple(str(vertex) for vertex, data in vertices if data.get("host") in (True, "true", 1))
    require(bool(hosts), f"{path} names no hosts", "give the vertices that are nodes the attribute host: true")
    links = []
    for tail, head, data in edges:
        require("rate" in data, f"{path}: the edge from {tail} to {head} has no rate", "write for example rate: 400 Gb/s")
        rate, latency = units.parse(data["rate"], "data_rate"), units.parse(data.get("latency", "1 us"), "time")
        links.append(Link(source=str(tail), target=str(head), rate=rate, latency=latency, both=not directed))
    return Explicit(name=path.stem, source=f"assumed: as given in {path.name}", hosts=hosts, links=tuple(links))


_Read = tuple[Iterable[tuple[Any, Mapping[str, Any]]], Iterable[tuple[Any, Any, Mapping[str, Any]]], bool]


def _graphml(path: Path) -> _Read:
    try:
        graph = networkx.read_graphml(path)
    except OSError as error:
        raise MendableError(f"{path} cannot be read: {error.strerror}") from None
    except (ParseError, networkx.NetworkXError) as error:
        raise MendableError(f"{path} is not GraphML: {error}") from None
    return graph.nodes(data=True), graph.edges(data=True), graph.is_directed()


def _node_link(path: Path) -> _Read:
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        edges = read["links"] if "links" in read else read["edges"]
        return (
            [(vertex["id"], vertex) for vertex in read["nodes"]],
            [(edge["source"], edge["target"], edge) for edge in edges],
            bool(read.get("directed", False)),
        )
    except OSError as error:
        raise MendableError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise MendableError(f"{path} is not a node-link graph", 'write {"nodes": [{"id": ..}], "links": [{"source": .., ..}]}') from None
