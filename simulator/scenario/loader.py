"""A scenario file -> `Scenario`: base, alternatives and overrides merged, all problems of all alternatives at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from simulator.errors import MendableError, Problem, ProblemsError, did_you_mean
from simulator.scenario.checks import findings
from simulator.scenario.expectations import expectation
from simulator.scenario.merge import at_path, merge, nested, override
from simulator.scenario.names import Library
from simulator.scenario.question import Question, Replications, Scenario
from simulator.scenario.shapes import Either, Field, ListOf, MapOf, Maybe, Record, Scalar, Shape, Tagged, example, shape_of
from simulator.scenario.validate import BROKEN, MOST_PROBLEMS, Broken, Place, Reader
from simulator.scenario.written import Written, at, flow

GENERAL: Mapping[str, Field] = {
    field.name: field
    for field in (
        Field("question", Scalar("text"), True, "What is asked, as one sentence that heads every report."),
        Field(
            "date",
            Scalar("date"),
            True,
            "Picks the row of every dated price list; hardware, software and prices later than it are refused.",
        ),
        Field("seed", Scalar("whole number"), False, "Of all random streams; alternatives share them.", 0),
        Field("replications", shape_of(int | Replications), False, "Lives of the run that are simulated for each alternative.", 100),
        Field("hindsight", Scalar("true or false"), False, "Allow hardware and software later than the date.", False),
    )
}
"""What a scenario says beside its questions; `--set` reaches these by their names."""

KEYS = (*GENERAL, "base", "alternatives", "sweep", "expect")

QUESTION = shape_of(Question)
QUESTION_FIELDS = tuple(field.name for field in fields(Question))

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\Z", re.ASCII)


def load(path_or_name: str | Path, overrides: Sequence[str] = ()) -> Scenario:
    """A scenario by path, or by the name of one in `scenarios/`.

    Args:
        overrides: `path=value` each, applied after the alternatives, in order. The path is one inside a question (`cluster.count`), and
            then holds for every alternative; or begins with the name of one alternative (`donated.cluster.count`); or names one of
            question, date, seed, replications, hindsight. The value is YAML.

    Raises:
        ProblemsError: with every problem found.
    """
    return next(resolve_sweep(path_or_name, (tuple(overrides),)))


def resolve_sweep(path_or_name: str | Path, points: Iterable[Sequence[str]]) -> Iterator[Scenario]:
    """The scenario once per point, each with its own overrides (as `load`); files are read once.

    Raises:
        ProblemsError: with every problem of the first point that has any.
    """
    library = Library()
    path, written = library.scenario(path_or_name)
    problems: list[Problem] = []
    document = nested(written, problems)
    reader = Reader(library)
    for overrides in points:
        reader.problems, reader.origins, reader.used = list(problems), {}, {}
        yield _Loading(reader, path.stem, document).scenario(tuple(overrides))


@dataclass
class _Loading:
    """One scenario on its way from what is written to what is meant."""

    reader: Reader
    name: str
    document: Written

    def scenario(self, overrides: tuple[str, ...]) -> Scenario:
        problems = self.reader.problems
        if not isinstance(self.document.value, Mapping):
            raise ProblemsError(
                (self.document.mark.problem("", f"{self.document.said} where a scenario is expected", f"keys: {', '.join(KEYS)}"),)
            )
        self.unknown_keys()
        base, alternatives = self.base(), self.alternatives()
        settings = self.settings(overrides, tuple(alternatives))
        general = self.general(settings)
        questions, origins, found = {}, {}, {}
        for name, change in alternatives.items():
            merged = merge(base, change)
            for target, value in settings:
                merged = merge(merged, value) if target in ("", name) else merged
            found[name] = self.question(merged, general)
            questions[name], origins[name] = found[name][0], dict(self.reader.origins)
        self.tell({name: told for name, (_, told) in found.items()})
        sweep = self.sweep(tuple(alternatives))
        expect = self.expect(tuple(alternatives))
        if problems:
            raise ProblemsError(_sorted(problems, self.document.mark.text.place))
        return Scenario(
            name=self.name,
            **general,
            alternatives=questions,
            sweep=sweep,
            expect=expect,
            origins=origins,
            inputs={label: self.reader.library.inputs[label] for label in (self.document.mark.text.label, *self.reader.used)},
            overrides=overrides,
        )

    def unknown_keys(self) -> None:
        for key in (key for key in self.document.entries if key not in KEYS):
            mark = self.document.keys[key]
            mend = f"put it under base: base.{key}" if key in QUESTION_FIELDS else did_you_mean(key, KEYS)
            self.reader.report(mark, key[:60], f"{key[:60]!r} is not a key of a scenario", mend)

    def section(self, key: str) -> Written | None:
        """A top-level mapping; None where it is absent or no mapping (then reported)."""
        written = self.document.entries.get(key)
        if written is not None and not isinstance(written.value, Mapping):
            self.reader.report(
                self.document.keys[key], key, f"{written.said} where a mapping is expected", f"write {key}: {{}} if it is empty"
            )
            return None
        return written

    def base(self) -> Written:
        mark = self.document.keys.get("base", self.document.mark)
        base = self.section("base")
        if base is None and "base" not in self.document.entries:
            self.reader.report(mark, "", "base is missing", "put training, cluster, reliability and economics under base:")
        return base or Written({}, mark)

    def alternatives(self) -> Mapping[str, Written]:
        section = self.section("alternatives")
        if section is None:
            return {"base": Written({}, self.document.mark)}
        if not section.value:
            self.reader.report(self.document.keys["alternatives"], "alternatives", "there are none", "leave the key out to run base alone")
        alternatives = {}
        for name, change in section.entries.items():
            mark = section.keys[name]
            if not _NAME.match(name) or name in {*KEYS, *QUESTION_FIELDS} - {"base"}:
                what = f"{name[:60]!r} cannot name an alternative"
                self.reader.report(mark, "alternatives", what, "use letters, digits, - and _, and no word of the language")
            if not isinstance(change.value, Mapping):
                self.reader.report(
                    mark, name[:60], f"{change.said} where overrides of base are expected", f"write {name[:60]}: {{}} for base as it is"
                )
                continue
            alternatives[name] = change
        return alternatives

    def settings(self, overrides: Sequence[str], names: Sequence[str]) -> list[tuple[str, Written]]:
        """Each `--set`: which alternative it is for (empty: all; `*`: the scenario itself), and what it lays over."""
        read = []
        for setting in overrides:
            try:
                path, value = override(setting, self.document.mark.text)
            except ProblemsError as error:
                self.reader.problems += error.problems
                continue
            value = nested(value, self.reader.problems)
            target = "*" if path[0] in GENERAL else path[0] if path[0] in names else ""
            inner = path if target in ("*", "") else path[1:]
            if target == "" and path[0] == "base":
                inner = path[1:]
            if target != "*" and (not inner or inner[0] not in QUESTION_FIELDS):
                known = [*QUESTION_FIELDS, *GENERAL, *names]
                self.reader.report(value.mark, ".".join(path)[:60], "there is no such path", did_you_mean((inner or path)[0], known))
                continue
            read.append((target, at_path(inner, value)))
        return read

    def general(self, settings: Sequence[tuple[str, Written]]) -> dict[str, Any]:
        """Question, date, seed, ..; a broken one is reported and stands as its default."""
        known = {key: value for key, value in self.document.entries.items() if key in GENERAL}
        written = Written(known, self.document.mark, self.document.keys)
        for target, value in settings:
            written = merge(written, value) if target == "*" else written
        values: dict[str, Any] = {}
        for name, field in GENERAL.items():
            if name not in written.entries:
                if field.required:
                    self.reader.report(
                        self.document.mark, "", f"{name} is missing ({field.doc.rstrip('.')})", f"add {name}: {example(field.shape)}"
                    )
                values[name] = field.default
                continue
            value = written.entries[name]
            values[name] = self.reader.read(field.shape, value, Place(name, written.keys[name]))
            if name == "replications" and values[name] == 0:
                self.reader.report(value.mark, name, "replications is 0", "write at least 1")
        return values

    def question(self, merged: Written, general: Mapping[str, Any]) -> tuple[Any, list[Problem]]:
        """One alternative as its class, and its own problems."""
        shared, self.reader.problems = self.reader.problems, []
        self.reader.origins = {}
        mark = self.document.keys.get("base", self.document.mark)
        question = self.reader.read(QUESTION, merged, Place("", mark))
        if question is not BROKEN and not isinstance(general["date"], Broken | None):
            for finding in findings(question, general["date"], general["hindsight"] is True):
                self.reader.report(at(merged, finding.path), finding.path, finding.what, finding.mend)
        own, self.reader.problems = self.reader.problems, shared
        return question, own

    def tell(self, found: Mapping[str, Sequence[Problem]]) -> None:
        """Report each problem of the alternatives once; with the alternative's name where it is not everyone's."""
        holders: dict[Problem, list[str]] = {}
        for name, problems in found.items():
            for problem in dict.fromkeys(problems):
                holders.setdefault(problem, []).append(name)
        told = self.reader.problems
        for problem, names in holders.items():
            here = problem.file in (self.document.mark.text.place, "") or problem.file.startswith("--set ")
            own = problem.path and len(names) < len(found) and here
            told.append(replace(problem, path=f"{names[0]}.{problem.path}") if own else problem)
        del told[MOST_PROBLEMS:]

    def sweep(self, names: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        section = self.section("sweep")
        axes: dict[str, tuple[str, ...]] = {}
        for path, values in (section.entries if section else {}).items():
            mark = section.keys[path] if section else values.mark
            if not isinstance(values.value, tuple) or not values.value:
                self.reader.report(
                    values.mark, f"sweep.{path[:60]}", f"{values.said} where a list of values is expected", f"write {path[:60]}: [.., ..]"
                )
                continue
            parts = path.split(".")
            shape = GENERAL[parts[0]].shape if parts[0] in GENERAL else QUESTION
            inner = parts[1:] if parts[0] in GENERAL or parts[0] in (*names, "base") else parts
            try:
                shape = _follow(shape, inner)
            except MendableError as error:
                self.reader.report(mark, f"sweep.{path[:60]}", error.what, error.mend)
                continue
            for n, value in enumerate(values.value):
                if not isinstance(value.value, Mapping):  # a mapping is laid over base, so it is complete only there
                    self.reader.read(shape, value, Place(f"sweep.{path}.{n}", value.mark))
            axes[path] = tuple(flow(value) for value in values.value)
        return axes

    def expect(self, names: Sequence[str]) -> tuple[Mapping[str, str], ...]:
        written = self.document.entries.get("expect")
        if written is None:
            return ()
        lines = self.reader.read(ListOf(MapOf(Scalar("text"))), written, Place("expect", self.document.keys["expect"]))
        for item in written.value if isinstance(written.value, tuple) else ():
            for path, condition in item.entries.items():
                try:
                    if isinstance(condition.value, str):
                        expectation(path, condition.value, names)
                except MendableError as error:
                    self.reader.report(item.keys[path], "expect", error.what, error.mend)
        return () if lines is BROKEN else lines


def _follow(shape: Shape, path: Sequence[str]) -> Shape:
    """The shape at a path inside a shape.

    Raises:
        MendableError: there is no such path.
    """
    if not path:
        return shape
    match shape:
        case Maybe():
            return _follow(shape.shape, path)
        case Either():
            return _follow(next((s for s in shape.shapes if isinstance(s, Record | Tagged)), shape.shapes[0]), path)
        case Record():
            known = {name: field.shape for name, field in shape.fields.items()}
        case Tagged():
            known = {name: field.shape for record in shape.records.values() for name, field in record.fields.items()}
        case ListOf() if path[0].isdigit():
            return _follow(shape.shape, path[1:])
        case MapOf():
            return _follow(shape.shape, path[1:])
        case _:
            raise MendableError("the path goes on inside a single value", f"leave .{'.'.join(path)[:60]} out")
    if path[0] not in known:
        raise MendableError(f"there is no {path[0][:60]!r} on this path", did_you_mean(path[0], known))
    return _follow(known[path[0]], path[1:])


def _sorted(problems: Sequence[Problem], first: str) -> tuple[Problem, ...]:
    """The scenario's own problems first, each file's in the order of its lines, none twice."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda p: (p.file != first, p.file, p.line, p.column)))
