"""GraphML and node-link JSON -> hosts and links of an explicit graph, as if written in YAML, each where it stands in the file.

Vertices with `host: true` are nodes, in their order; edges carry `rate` and, where known, `latency`, as text with a unit. Edges of an
undirected graph lead both ways; other attributes are passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat

from simulator.errors import Problem, ProblemsError
from simulator.scenario import yaml_events
from simulator.scenario.written import Mark, Text, Written

_KEPT = ("rate", "latency")


def hosts_and_links(data: bytes, text: Text) -> Mapping[str, Written]:
    """`hosts` and `links` of a graph.

    Args:
        text: the file; its ending says which of the two forms it has.

    Raises:
        ProblemsError: it is not such a file, or names no hosts.
    """
    return _graphml(data, text) if text.place.endswith(".graphml") else _node_link(data, text)


def _made(hosts: Iterable[Written], links: Iterable[Written], start: Mark) -> Mapping[str, Written]:
    named = tuple(hosts)
    if not named:
        raise ProblemsError((start.problem("", "names no hosts", "give the vertices that are nodes the attribute host: true"),))
    return {"hosts": Written(named, start), "links": Written(tuple(links), start)}


def _link(source: Written, target: Written, values: Mapping[str, Written], keys: Mapping[str, Mark], both: bool, mark: Mark) -> Written:
    told = {"source": source, "target": target, "both": Written(both, mark)} | {key: values[key] for key in _KEPT if key in values}
    return Written(told, mark, {key: keys.get(key, mark) for key in told})


def _node_link(data: bytes, text: Text) -> Mapping[str, Written]:
    # JSON is YAML but for its tabs, which may stand between values and nowhere else.
    document = yaml_events.read(data.replace(b"\t", b" "), text)
    mark = document.mark
    form = 'write {"nodes": [{"id": .., "host": true}], "links": [{"source": .., "target": .., "rate": ..}]}'

    def rows(*names: str) -> tuple[Written, ...]:
        found = next((document.entries[name] for name in names if name in document.entries), None)
        if found is None or not isinstance(found.value, tuple):
            place = found.mark if found else mark
            raise ProblemsError((place.problem("", f"is no node-link graph: {names[0]} is no list", form),))
        wrong = [item.mark.problem("", f"{item.said} where a mapping is expected", form) for item in found.value if not item.entries]
        if wrong:
            raise ProblemsError(tuple(wrong))
        return found.value

    vertices, edges = rows("nodes"), rows("links", "edges")
    unnamed = [vertex.mark.problem("", "a vertex without id", form) for vertex in vertices if "id" not in vertex.entries]
    if unnamed:
        raise ProblemsError(tuple(unnamed))
    directed = "directed" in document.entries and document.entries["directed"].value is True
    hosts = [_text(v.entries["id"]) for v in vertices if "host" in v.entries and v.entries["host"].value in (True, "true", 1)]
    absent = [
        edge.mark.problem("", f"an edge without {end}", form) for edge in edges for end in ("source", "target") if end not in edge.entries
    ]
    if absent:
        raise ProblemsError(tuple(absent))
    links = [_link(_text(e.entries["source"]), _text(e.entries["target"]), e.entries, e.keys, not directed, e.mark) for e in edges]
    return _made(hosts, links, mark)


def _text(written: Written) -> Written:
    """A name, which may be written as a number."""
    return written if isinstance(written.value, str) else Written(str(written.value), written.mark)


@dataclass
class _Element:
    """A node or edge that is being read."""

    mark: Mark
    source: str = ""
    target: str = ""
    directed: bool = False
    data: dict[str, Written] = field(default_factory=dict)


def _graphml(data: bytes, text: Text) -> Mapping[str, Written]:
    lines = tuple(data.decode("utf-8", errors="replace").splitlines())
    return _GraphML(Text(text.place, text.label, lines, text.folder)).read(data)


class _GraphML:
    """Reads the elements of one GraphML text. A mutable thing that lives for one call."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.characters
        self.parser.StartDoctypeDeclHandler = self.declared
        self.keys: dict[tuple[str, str], str] = {}
        self.defaults: dict[tuple[str, str], Written] = {}
        self.directed, self.graphs = False, 0
        self.open: _Element | None = None
        self.reading: tuple[str, str] | None = None
        self.said = ""
        self.hosts: list[Written] = []
        self.links: list[Written] = []

    @property
    def here(self) -> Mark:
        return Mark(self.text, self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1)

    def refuse(self, what: str, mend: str = "") -> NoReturn:
        raise ProblemsError((self.here.problem("", what, mend),))

    def read(self, data: bytes) -> Mapping[str, Written]:
        try:
            self.parser.Parse(data, True)
        except expat.ExpatError as error:
            mark = Mark(self.text, error.lineno, error.offset + 1)
            raise ProblemsError((mark.problem("", f"is not GraphML: {expat.ErrorString(error.code)}"),)) from None
        if not self.graphs:
            raise ProblemsError((Problem(what="is not GraphML: it holds no graph", file=self.text.place),))
        return _made(self.hosts, self.links, Mark(self.text, 1, 1))

    def declared(self, *_: object) -> None:
        self.refuse("has a document type, which is not read", "delete the DOCTYPE")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        kind = name.rpartition(" ")[2]
        if kind == "key":
            self.keys[attributes.get("for", "all"), attributes.get("id", "")] = attributes.get("attr.name", attributes.get("id", ""))
            self.reading, self.said = ("default", attributes.get("id", "")), ""
        elif kind == "graph":
            self.graphs += 1
            if self.graphs > 1:
                self.refuse("has a graph inside a graph, or a second one", "write one graph")
            self.directed = attributes.get("edgedefault") == "directed"
        elif kind == "node":
            self.open = _Element(self.here, source=attributes.get("id", ""))
        elif kind == "edge":
            directed = {"true": True, "false": False}.get(attributes.get("directed", ""), self.directed)
            self.open = _Element(self.here, attributes.get("source", ""), attributes.get("target", ""), directed)
        elif kind == "hyperedge":
            self.refuse("has a hyperedge", "write a switch as a vertex and its cables as edges")
        elif kind == "data" and self.open is not None:
            self.reading, self.said = ("data", attributes.get("key", "")), ""

    def characters(self, said: str) -> None:
        self.said += said

    def end(self, name: str) -> None:
        kind = name.rpartition(" ")[2]
        if kind == "default" and self.reading:
            whose = next((for_ for for_, key in self.keys if key == self.reading[1]), "all")
            self.defaults[whose, self.keys[whose, self.reading[1]]] = Written(self.said.strip(), self.here)
        elif kind == "data" and self.open is not None and self.reading:
            owner = "edge" if self.open.target else "node"
            key = self.reading[1]
            named = self.keys.get((owner, key), self.keys.get(("all", key), key))
            self.open.data[named] = Written(self.said.strip(), self.here)
        elif kind in ("node", "edge") and self.open is not None:
            self.close(kind, self.open)
            self.open = None

    def close(self, kind: str, element: _Element) -> None:
        given = {name: value for (for_, name), value in self.defaults.items() if for_ in (kind, "all")} | element.data
        if kind == "node":
            if "host" in given and str(given["host"].value).casefold() in ("true", "1"):
                self.hosts.append(Written(element.source, element.mark))
            return
        ends = (Written(element.source, element.mark), Written(element.target, element.mark))
        self.links.append(_link(*ends, given, {}, not element.directed, element.mark))
