"""Overrides: an override merges key by key, a mapping whose `kind` changes is replaced whole, a dotted key is the same as nesting."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.errors import Problem, ProblemsError
from simulator.scenario import yaml_events
from simulator.scenario.written import Mark, Text, Written

FLAT = frozenset({"sources", "sweep", "expect"})
"""Keys whose own keys are paths, dots included."""

WHOLE = frozenset({"kind", "like", "source"})
"""A mapping with one of these says all there is to say: laid over a name, it takes its place."""


def merge(below: Written, above: Written) -> Written:
    """`above` laid over `below`; every value keeps the place where it was written, a merged mapping that of the override.

    A list is replaced, unless `above` is a mapping of positions (`phases.0.until`). A mapping over a catalogue name changes
    those fields of the entry, unless it is complete in itself (see `WHOLE`).
    """
    if not isinstance(above.value, Mapping):
        return above
    if isinstance(below.value, tuple) and above.value and all(key.isdigit() and int(key) < len(below.value) for key in above.value):
        items = list(below.value)
        for key, value in above.value.items():
            items[int(key)] = merge(items[int(key)], value)
        return Written(tuple(items), below.mark)
    if not isinstance(below.value, Mapping):
        named = isinstance(below.value, str) and above.value and not WHOLE & above.value.keys()
        return Written(above.value, above.mark, above.keys, below) if named else above
    kinds = {kind.value for one in (below.value, above.value) if (kind := one.get("kind")) is not None and isinstance(kind.value, str)}
    if len(kinds) > 1:
        return above
    values, keys = dict(below.value), dict(below.keys)
    for key, value in above.value.items():
        both = key in values and isinstance(values[key].value, Mapping) and isinstance(value.value, Mapping)
        values[key] = merge(values[key], value) if key in values else value
        # What is missing from a section is missing where the section begins, not where an override touches it.
        keys[key] = keys[key] if both and values[key] is not value else above.keys[key]
    return Written(values, above.mark, keys, below.over)


def nested(written: Written, problems: list[Problem], path: str = "") -> Written:
    """The same with every dotted key written as nesting."""
    if isinstance(written.value, tuple):
        return Written(tuple(nested(item, problems, f"{path}.{n}") for n, item in enumerate(written.value)), written.mark)
    if not isinstance(written.value, Mapping):
        return written
    values: dict[str, Written] = {}
    keys: dict[str, Mark] = {}
    for key, value in written.value.items():
        mark = written.keys[key]
        first, *rest = key.split(".")
        if not all(key.split(".")):
            problems.append(mark.problem(path, f"the key {key!r} has an empty part", "write names with single dots between them"))
            continue
        inner = value if first in FLAT else nested(value, problems, f"{path}.{key}" if path else key)
        for part in reversed(rest):
            inner = Written({part: inner}, mark, {part: mark})
        if first in values:
            clash = _clash(values[first], inner, f"{path}.{first}" if path else first)
            if clash:
                where, one, other = clash
                problems.append(other.problem(where, f"is said twice: in line {one.line} and in line {other.line}", "keep one of them"))
            values[first] = merge(values[first], inner)
        else:
            values[first], keys[first] = inner, mark
    return Written(values, written.mark, keys)


def override(setting: str, folder: Text) -> tuple[tuple[str, ...], Written]:
    """`path=value` of a `--set`: the path and the value, which is YAML; names in it are looked up beside `folder`'s file.

    Raises:
        ProblemsError: no `=`, no path, or the value is not YAML.
    """
    shown = setting if len(setting) <= 100 else f"{setting[:100]}…"
    text = Text(f"--set {shown}", f"--set {shown}", (), folder.folder, numbered=False)
    path, equals, value = setting.partition("=")
    parts = tuple(part.strip() for part in path.split("."))
    if not equals or not all(parts):
        problem = Problem(what="is not path=value", mend="write for example --set cluster.count=64", file=text.place)
        raise ProblemsError((problem,))
    written = yaml_events.parse(value, text) if value.strip() else Written(None, Mark(text, 1, 1))
    return parts, written


def at_path(path: tuple[str, ...], value: Written) -> Written:
    """The value with its path around it: what an override by dotted path lays over a scenario."""
    for part in reversed(path):
        value = Written({part: value}, value.mark, {part: value.mark})
    return value


def _clash(one: Written, other: Written, path: str) -> tuple[str, Mark, Mark] | None:
    """Where two spellings in one mapping say the same thing twice: the path, and both places."""
    if not (isinstance(one.value, Mapping) and isinstance(other.value, Mapping)):
        return None if isinstance(one.value, str) and isinstance(other.value, Mapping) else (path, one.mark, other.mark)
    both = (_clash(value, other.value[key], f"{path}.{key}") for key, value in one.value.items() if key in other.value)
    return next((clash for clash in both if clash), None)
