"""JSON Schema (draft 2020-12) of scenarios and of catalogue entries: so that an editor completes, documents and checks them.

Made from the same shapes that validation walks. A scenario's `base` and `alternatives` are overrides of one another, so nothing is
required in them, dotted keys are allowed, and a catalogue name may stand for a mapping; what is complete only the loader can tell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from simulator import units
from simulator.errors import Problem, ProblemsError, did_you_mean
from simulator.scenario.loader import GENERAL, QUESTION
from simulator.scenario.merge import FLAT
from simulator.scenario.names import SHIPPED_SCHEMAS, entries
from simulator.scenario.shapes import (
    CATALOGUES,
    Choice,
    Either,
    Field,
    ListOf,
    MapOf,
    Maybe,
    Measure,
    Record,
    Shape,
    Tagged,
    shape_of,
)

Json = dict[str, Any]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_SCALARS: Mapping[str, Json] = {
    "text": {"type": "string"},
    "whole number": {"type": "integer", "minimum": 0},
    "number": {"type": "number"},
    "true or false": {"type": "boolean"},
    "date": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$", "examples": ["2024-06-01"]},
}


def json_schema(kind: str = "scenario") -> Json:
    """The schema of scenarios, or of the entries of one kind of the catalogue.

    Raises:
        ProblemsError: no such kind.
    """
    if kind == "scenario":
        return _scenario()
    if kind not in CATALOGUES:
        known = ("scenario", *CATALOGUES)
        raise ProblemsError((Problem(what=f"there is no schema of {kind!r}", mend=did_you_mean(kind, known)),))
    writer = _Writer()
    body = writer.entry(shape_of(CATALOGUES[kind]))
    return {"$schema": _DRAFT, "title": f"An entry of the {kind}", **body, "$defs": writer.finished()}


def files() -> Mapping[str, str]:
    """Name -> text of every schema file that ships, for the `$schema` line of YAML files."""
    return {f"{kind}.json": json.dumps(json_schema(kind), indent=1, ensure_ascii=False) + "\n" for kind in ("scenario", *CATALOGUES)}


def write() -> None:
    """Write the schema files into the catalogue; done after a class of the domain or a name of the catalogue changed."""
    SHIPPED_SCHEMAS.mkdir(exist_ok=True)
    for name, text in files().items():
        (SHIPPED_SCHEMAS / name).write_text(text, encoding="utf-8")


def _scenario() -> Json:
    writer = _Writer()
    general = {name: _described(writer.of(field.shape, change=True), field) for name, field in GENERAL.items()}
    question = writer.of(QUESTION, change=True)
    line = {"type": "object", "additionalProperties": {"type": "string", "pattern": r"^\s*(>=|<=|==|!=|>|<)\s*\S", "examples": ["> 0.8"]}}
    sections: Json = {
        "base": question | {"description": "What all alternatives share; not run unless an alternative lists it as {}."},
        "alternatives": {
            "description": "Name -> overrides of base, key by key; a mapping whose kind changes is replaced whole.",
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": "^[A-Za-z0-9][A-Za-z0-9_-]*$"},
            "additionalProperties": question,
        },
        "sweep": {
            "description": "Dotted path -> list of values; every combination is run.",
            "type": "object",
            "additionalProperties": {"type": "array", "minItems": 1},
        },
        "expect": {"description": "Alternative and path into its answer -> condition, e.g. '> 0.8'.", "type": "array", "items": line},
    }
    return {
        "$schema": _DRAFT,
        "title": "A question to the training cluster simulator",
        "type": "object",
        "properties": general | sections,
        "patternProperties": {r"^(replications|base|alternatives)\.": True},
        "required": [name for name, field in GENERAL.items() if field.required],
        "additionalProperties": False,
        "$defs": writer.finished(),
    }


class _Writer:
    """Writes shapes as schemas; each class once, under `$defs`, as a whole or as a change of one."""

    def __init__(self) -> None:
        self.definitions: dict[str, Json] = {}

    def finished(self) -> Json:
        return dict(sorted(self.definitions.items()))

    def of(self, shape: Shape, change: bool) -> Json:
        match shape:
            case Record() | Tagged() if shape.catalogue:
                name = {
                    "type": "string",
                    "description": f"a name of the {shape.catalogue}, or a path",
                    "examples": list(entries(shape.catalogue)),
                }
                inline = self.tagged(shape, change=True) if isinstance(shape, Tagged) else self.reference(shape, change=True)
                lists = [field.shape for field in getattr(shape, "fields", {}).values() if field.name == "classes"]
                return {"anyOf": [name, inline, *(self.of(inner, change=False) for inner in lists)]}
            case Record():
                return self.reference(shape, change)
            case Tagged():
                return self.tagged(shape, change)
            case Maybe():
                return {"anyOf": [self.of(shape.shape, change), {"type": "null"}]}
            case Either():
                return {"anyOf": [self.of(inner, change) for inner in shape.shapes]}
            case ListOf():
                whole = {"type": "array", "items": self.of(shape.shape, change=False)}
                positions = {"type": "object", "patternProperties": {r"^\d+(\.|$)": True}, "additionalProperties": False}
                return {"anyOf": [whole, positions]} if change else whole
            case MapOf():
                return {"type": "object", "additionalProperties": self.of(shape.shape, change)}
            case Choice():
                return {"enum": list(shape.words)}
            case Measure():
                return self.define(shape.dimension, units.json_schema(shape.dimension))
        return dict(_SCALARS[shape.of])

    def define(self, name: str, schema: Json) -> Json:
        self.definitions[name] = schema
        return {"$ref": f"#/$defs/{name}"}

    def name(self, catalogue: str) -> Json:
        said = f"a name of the {catalogue}, or a path to a file of one's own"
        return self.define(f"{catalogue}_name", {"type": "string", "description": said, "examples": list(entries(catalogue))})

    def entry(self, shape: Shape) -> Json:
        """A whole entry of the catalogue."""
        if isinstance(shape, Record):
            return self.record(shape, change=False)
        return self.tagged(shape, change=False) if isinstance(shape, Tagged) else self.of(shape, change=False)

    def reference(self, record: Record, change: bool) -> Json:
        name = f"{record.name}Change" if change else record.name
        if name not in self.definitions:
            self.definitions[name] = {}  # a class may hold itself
            self.definitions[name] = self.record(record, change)
        return {"$ref": f"#/$defs/{name}"}

    def record(self, record: Record, change: bool) -> Json:
        """A class; as a change of one nothing is required, keys may be dotted, and `like` names the entry that is changed."""
        properties = {name: _described(self.of(field.shape, change), field) for name, field in record.fields.items()}
        body: Json = {"description": record.doc, "type": "object", "properties": properties, "additionalProperties": False}
        if change:
            body["patternProperties"] = _dotted(properties)
            if record.catalogue:
                properties["like"] = self.name(record.catalogue)
        else:
            body["required"] = [name for name, field in record.fields.items() if field.required]
            if record.catalogue:
                body["anyOf"] = [{"required": ["source"]}, {"required": ["sources"]}]
        return body

    def tagged(self, union: Tagged, change: bool) -> Json:
        """A union: the `kind` says which class it is; a change may leave it out and then has a key of any of them."""
        kinds = {"enum": list(union.records), "description": " / ".join(f"{kind}: {r.doc}" for kind, r in union.records.items())}
        cases: list[Json] = [
            {"if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]}, "then": self.reference(record, change)}
            for kind, record in union.records.items()
        ]
        body: Json = {"type": "object", "properties": {"kind": kinds}, "allOf": cases}
        if not change:
            return body | {"required": ["kind"]}
        keys: Json = {name: True for record in union.records.values() for name in record.fields}
        keys |= {"like": self.name(union.catalogue)} if union.catalogue else {}
        anyone = {"properties": keys, "patternProperties": _dotted(keys), "additionalProperties": False}
        cases.append({"if": {"not": {"required": ["kind"]}}, "then": anyone})
        return body


def _described(schema: Json, field: Field) -> Json:
    said = {"description": field.doc} if field.doc else {}
    default = {"default": field.default} if isinstance(field.default, bool | int | str) and not isinstance(field.shape, Measure) else {}
    return schema | said | default


def _dotted(names: Mapping[str, Any]) -> Json:
    return {f"^({'|'.join(re.escape(name) for name in names if name not in FLAT)})\\.": True}
