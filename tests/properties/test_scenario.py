"""Laws of reading: whatever is written, the answer is a scenario or problems; overrides compose."""

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.errors import ProblemsError, render
from simulator.scenario import load, starter
from simulator.scenario.merge import at_path, merge, nested
from simulator.scenario.written import Text, Written, flow
from simulator.scenario.yaml_events import parse, read

TEXT = Text("t.yaml", "t.yaml")
WORDS = """base alternatives training cluster node count kind like source sources layout price list auto a.b cluster.count 0 -1 1e9 8 1:30
    .inf yes null 80 GB 400Gb/s dgx-h100 on_demand restart x '' [] {} > 0.8 << &a *a !!int"""
words = st.sampled_from([*WORDS.split(), "80 GB", "300B tokens", "> 0.8", "4 d"])
scalars = st.one_of(
    words, st.text(max_size=8), st.integers(-10, 10**20), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none()
)
values = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)), max_leaves=6
)
few = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def plain(written: Written) -> Any:
    match written.value:
        case dict() as entries:
            return {key: plain(value) for key, value in entries.items()}
        case tuple() as items:
            return [plain(item) for item in items]
    return written.value


def written(value: Any) -> Written:
    """The value as if it had been read from a file."""
    mark = parse("x", TEXT).mark
    match value:
        case dict():
            return Written({k: written(v) for k, v in value.items()}, mark, dict.fromkeys(value, mark))
        case list():
            return Written(tuple(written(v) for v in value), mark)
    return Written(value, mark)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = plain(read(starter().encode(), TEXT))
    return found


@given(
    st.one_of(
        st.text(max_size=60), st.binary(max_size=60), st.lists(words, max_size=12).map(" ".join), st.lists(words, max_size=8).map(": ".join)
    )
)
@few
def test_any_bytes_are_read_or_refused(tmp_path: Path, source: str | bytes) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(source if isinstance(source, bytes) else source.encode(errors="surrogatepass"))
    with pytest.raises(ProblemsError) as caught:
        load(path)
    assert render(caught.value.problems)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [path, *(place for key, inner in value.items() for place in places(inner, (*path, key)))]
    return [path]


@given(data=st.data())
@settings(few, max_examples=100)
def test_a_scenario_with_anything_in_any_place_is_read_or_refused(document: dict[str, Any], tmp_path: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(places(document)))
    whole: Any = {"": document}
    keys = ("", *path)
    changed = whole = _copy(whole)
    for key in keys[:-1]:
        changed = changed[key]
    match data.draw(st.sampled_from(["replace", "delete", "add"])):
        case "delete":
            del changed[keys[-1]]
        case "add" if isinstance(changed[keys[-1]], dict):
            changed[keys[-1]][data.draw(words)] = data.draw(values)
        case _:
            changed[keys[-1]] = data.draw(values)
    file = tmp_path / "s.yaml"
    file.write_text(flow(written(whole.get(""))), encoding="utf-8", errors="surrogatepass")
    with contextlib.suppress(ProblemsError):
        assert load(file).alternatives


@given(st.lists(words, min_size=1, max_size=4).map(".".join), values)
@few
def test_any_set_is_read_or_refused(tmp_path: Path, path: str, value: Any) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(starter(), encoding="utf-8")
    with contextlib.suppress(ProblemsError):
        assert load(file, (f"{path}={flow(written(value))}",)).alternatives


names = st.sampled_from(["a", "b", "c", "kind"])
trees = st.recursive(st.integers(0, 5), lambda inner: st.dictionaries(names, inner, max_size=3), max_leaves=8)
mappings = st.dictionaries(names, trees, max_size=3)


@given(mappings)
def test_an_empty_override_and_an_override_by_itself_change_nothing(tree: dict[str, Any]) -> None:
    one = written(tree)
    assert plain(merge(one, written({}))) == tree
    assert plain(merge(one, one)) == tree


@given(mappings, mappings, mappings)
def test_what_is_laid_over_last_is_there(a: dict[str, Any], b: dict[str, Any], c: dict[str, Any]) -> None:
    merged = plain(merge(merge(written(a), written(b)), written(c)))
    for path, value in _leaves(c):
        found = merged
        for key in path:
            found = found[key]
        assert found == value


@given(mappings)
def test_dotted_keys_are_nesting(tree: dict[str, Any]) -> None:
    flat = {".".join(path): value for path, value in _leaves(tree)}
    merged = nested(written(flat), [])
    together = written({})
    for path, value in _leaves(tree):
        together = merge(together, at_path(path, written(value)))
    assert plain(merged) == plain(together)


@given(values)
@few
def test_flow_is_read_back(value: Any) -> None:
    with contextlib.suppress(ProblemsError):  # floats that are not finite, characters that are not YAML's
        assert plain(parse(flow(written(value)), TEXT)) == value


def _leaves(tree: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    if not isinstance(tree, dict):
        return [(path, tree)]
    return [leaf for key, value in tree.items() for leaf in _leaves(value, (*path, key))]


def _copy(value: Any) -> Any:
    return {key: _copy(inner) for key, inner in value.items()} if isinstance(value, dict) else value
