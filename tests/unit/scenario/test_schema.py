"""The JSON schemas: valid, up to date, and true to every shipped file; the starter scenario; the classes as shapes."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from simulator.economics import Price
from simulator.reliability import CheckpointPolicy
from simulator.scenario import Question, entries, json_schema, load, starter
from simulator.scenario.names import SHIPPED_SCHEMAS, shipped
from simulator.scenario.schema import files
from simulator.scenario.shapes import CATALOGUES, Either, ListOf, MapOf, Maybe, Record, Tagged, field_docs, shape_of
from simulator.scenario.written import Text, Written
from simulator.scenario.yaml_events import read

SCHEMAS = ("scenario", *CATALOGUES)
CHECKS = {kind: jsonschema.Draft202012Validator(json_schema(kind)) for kind in SCHEMAS}
FOLDER = {"scenario": "scenarios"} | {kind: kind for kind in CATALOGUES}
SHIPPED = [(kind, path) for kind in SCHEMAS for path in sorted(shipped(FOLDER[kind]).glob("*.yaml"))]


def plain(written: Written) -> Any:
    match written.value:
        case dict() as inner:
            return {key: plain(value) for key, value in inner.items()}
        case tuple() as items:
            return [plain(item) for item in items]
    return written.value


def told(kind: str, text: str) -> list[str]:
    document = plain(read(text.encode(), Text("t", "t")))
    return [f"{error.json_path}: {error.message}" for error in CHECKS[kind].iter_errors(document)]


@pytest.mark.parametrize("kind", SCHEMAS)
def test_each_is_a_schema_and_its_file_is_up_to_date(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema(kind))
    shipped_text = (SHIPPED_SCHEMAS / f"{kind}.json").read_text(encoding="utf-8")
    mend = "python -c 'from simulator.scenario.schema import write; write()'"
    assert shipped_text == files()[f"{kind}.json"], f"the schema file is out of date; run {mend}"


@pytest.mark.parametrize(("kind", "path"), SHIPPED, ids=[f"{kind}/{path.stem}" for kind, path in SHIPPED])
def test_every_shipped_file_satisfies_its_schema_and_names_it(kind: str, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert told(kind, text) == []
    first = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
    assert first, "the first line names the schema for editors"
    assert Path(first[1]).name == f"{kind}.json"
    if "_shipped" not in path.parts:
        assert (path.parent / first[1]).resolve() == (SHIPPED_SCHEMAS / f"{kind}.json").resolve()


def test_the_starter_is_a_valid_scenario(write: Callable[..., str]) -> None:
    assert told("scenario", starter()) == []
    found = load(write(starter()))
    assert len(found.alternatives) == 3
    assert max(map(len, starter().splitlines())) <= 140


def test_the_schema_takes_dotted_keys_names_and_changes(text: str) -> None:
    assert told("scenario", text) == []
    for change in (
        "b: {cluster.node.nics: 4, reliability.spares.hot: 3}",
        "b: {cluster: {node: {like: dgx-h100, nics: 4}}}",
        "b: {economics.price: {kind: reserved, list: cloud-2022, term: 1 y}}",
        "b: {economics: {price: {term: 3 y}}}",
        "b: {training: {layout: auto, phases: {0.until: 3%}}}",
        "b: {reliability: {failures: [{cause: gpu, of: node, mtbf: 3 y, detection: 1 min, source: x}]}}",
        "b: {reliability: {failures: null, checkpoint: {interval: 1 h}}}",
    ):
        assert told("scenario", text.replace("rented: {}", f"rented: {{}}\n  {change}")) == []


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("precision: bf16", "precison: bf16", "precison"),
        ("bf16", "bfloat16", "bfloat16"),
        ("300B tokens", "300", "tokens"),
        ("50 GB/s", "50 GB", "50 GB"),
        ("kind: on_demand", "kind: ondemand", "ondemand"),
        ("kind: on_demand", "kind: spot, term: 1 y", "term"),
        ("count: 128", "count: many", "many"),
        ("seed: 7", "sead: 7", "sead"),
        ("date: 2022-06-01\n", "", "date"),
        ("'> 0.8'", "about", "about"),
    ],
)
def test_the_schema_refuses(old: str, new: str, part: str, text: str) -> None:
    assert any(part in line for line in told("scenario", text.replace(old, new, 1)))


def test_names_of_the_catalogue_are_offered() -> None:
    assert json_schema()["$defs"]["models_name"]["examples"] == list(entries("models"))


def test_lines_under_args_document_the_fields() -> None:
    docs = field_docs(CheckpointPolicy)
    assert docs["bandwidth"] == "of the storage, the whole job together [B/s]."
    assert docs["interval"].endswith("[s].")
    shape = shape_of(CheckpointPolicy)
    assert isinstance(shape, Record)
    assert shape.fields["bandwidth"].required
    assert not shape.fields["interval"].required


def test_a_union_is_its_kinds() -> None:
    shape = shape_of(Price)
    assert isinstance(shape, Tagged)
    assert {"on_demand", "reserved", "spot", "rate", "owned", "donated"} <= set(shape.records)


def test_a_type_the_language_has_no_form_for() -> None:
    with pytest.raises(TypeError, match="no form"):
        shape_of(complex)


def test_the_schema_is_plain_json() -> None:
    assert json.loads(json.dumps(json_schema())) == json_schema()


def test_no_two_classes_of_the_language_share_a_name() -> None:
    """Schema and reference name a class once: two of one name would hide each other."""
    seen: dict[str, object] = {}
    waiting = [shape_of(Question)]
    while waiting:
        shape = waiting.pop()
        if isinstance(shape, Record):
            if shape.name in seen:
                assert seen[shape.name] is shape.make, f"two classes are called {shape.name}"
                continue
            seen[shape.name] = shape.make
            waiting += [field.shape for field in shape.fields.values()]
        elif isinstance(shape, Maybe | ListOf | MapOf):
            waiting.append(shape.shape)
        elif isinstance(shape, Either):
            waiting += shape.shapes
        elif isinstance(shape, Tagged):
            waiting += shape.records.values()
    assert len(seen) > 50
