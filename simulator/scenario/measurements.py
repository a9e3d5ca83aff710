"""Files of published measurements -> plain mappings and lists: what ships in the catalogue, and anyone's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.errors import Problem, ProblemsError
from simulator.scenario.names import entries, shipped
from simulator.scenario.written import Text, Written
from simulator.scenario.yaml_events import read


@dataclass(frozen=True, kw_only=True)
class Measurements:
    """One file of measurements.

    Args:
        file: how reports name it.
        document: what it says; scalars by YAML 1.2's core schema.
    """

    file: str
    document: Any


def measurements(place: Path | None = None) -> tuple[Measurements, ...]:
    """The documents of a file, or of every YAML file of a directory in the order of their names; the catalogue's where no place is given.

    Raises:
        ProblemsError: there is nothing to read, or a file cannot be read.
    """
    if place is None:
        folder = shipped("measurements")
        return tuple(_document(folder / f"{name}.yaml", f"catalog:measurements/{name}.yaml") for name in entries("measurements"))
    files = sorted(path for path in place.iterdir() if path.suffix in (".yaml", ".yml")) if place.is_dir() else [place]
    if not files:
        raise ProblemsError((Problem(what="holds no YAML file", mend="name a file, or a directory of .yaml files", file=str(place)),))
    return tuple(_document(path, path.as_posix()) for path in files)


def _document(path: Path, shown: str) -> Measurements:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ProblemsError((Problem(what=f"cannot be read: {error.strerror}", file=str(path)),)) from None
    return Measurements(file=shown, document=_plain(read(data, Text(str(path), shown))))


def _plain(written: Written) -> Any:
    """Without positions; as deep as the reader allows, which is little."""
    if isinstance(written.value, tuple):
        return [_plain(item) for item in written.value]
    if written.entries:
        return {key: _plain(value) for key, value in written.entries.items()}
    return {} if not isinstance(written.value, bool | int | float | str | None) else written.value
