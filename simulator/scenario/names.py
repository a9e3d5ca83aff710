"""Names -> files: beside the file that uses the name, then what ships with the simulator. Reads only what is asked for."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path

from simulator.errors import MendableError, Problem, ProblemsError, did_you_mean
from simulator.scenario import yaml_events
from simulator.scenario.written import Text, Written

_PACKAGE = Path(__file__).resolve().parent.parent
_CATALOG = _PACKAGE / "catalog"
SHIPPED_SCHEMAS = _CATALOG / "schema"
"""Where the schema files for editors lie."""

FOLDERS = (
    "models", "accelerators", "nodes", "software", "failures", "traces", "prices", "owned", "grids",
    "measurements", "topologies", "scenarios",
)  # fmt: skip
"""Every kind of entry that ships."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_ENDINGS = (".yaml", ".yml")


def shipped(kind: str) -> Path:
    """The folder that holds the shipped entries of a kind: in the package, or beside it in a checkout."""
    if kind not in ("topologies", "scenarios"):
        return _CATALOG / kind
    installed = _PACKAGE / "_shipped" / kind
    return installed if installed.is_dir() else _PACKAGE.parent / kind


def entries(kind: str) -> tuple[str, ...]:
    """The names of the shipped entries of a kind, sorted; `FOLDERS` names the kinds.

    Raises:
        ProblemsError: no such kind.
    """
    if kind not in FOLDERS:
        raise ProblemsError((Problem(what=f"{kind!r} is not a kind of catalogue entry", mend=did_you_mean(kind, FOLDERS)),))
    return _names_in(shipped(kind))


def raw_entry(kind: str, name: str) -> str:
    """The text of a shipped entry's file.

    Raises:
        ProblemsError: no such entry, no such kind.
    """
    if name not in entries(kind):
        raise ProblemsError((Problem(what=f"{name!r} is not among the {kind}", mend=did_you_mean(name, entries(kind))),))
    return (shipped(kind) / f"{name}.yaml").read_text(encoding="utf-8")


class Library:
    """The files that one scenario reads: finds them, parses them, remembers what was read. Shared by the points of a sweep."""

    def __init__(self) -> None:
        self.inputs: dict[str, str] = {}
        """Label -> sha256 of each file that was read."""
        self._found: dict[tuple[str, str, Path | None], tuple[Path, bool]] = {}

    def scenario(self, path_or_name: str | Path) -> tuple[Path, Written]:
        """The document of a scenario: a path, or the name of one in `scenarios/`.

        Raises:
            ProblemsError: no such file, or one that cannot be read.
        """
        asked = str(path_or_name)
        name = Path(asked).stem if asked.endswith(_ENDINGS) else asked
        plain = "/" not in asked and not asked.endswith(_ENDINGS)
        beside = [Path(asked), *([Path(f"{asked}.yaml"), Path("scenarios", f"{asked}.yaml")] if plain else [])]
        known = _names_in(shipped("scenarios"))
        fallback = [shipped("scenarios") / f"{name}.yaml"] if name in known and asked in (name, f"scenarios/{name}.yaml") else []
        found = next((path for path in (*beside, *fallback) if _is_file(path)), None)
        if found is None:
            folder = _is_folder(Path(asked))
            what = "is a folder, a scenario is a YAML file" if folder else "there is no such scenario, neither here nor in scenarios/"
            raise ProblemsError((Problem(what=what, mend=did_you_mean(name, known), file=asked),))
        return found, self.read(found, "scenarios", packaged=found in fallback)

    def read(self, path: Path, kind: str, packaged: bool) -> Written:
        """The document of a file.

        Raises:
            ProblemsError: it cannot be read, or is not the YAML of this language.
        """
        shown, told = _told(path)
        label = f"catalog:{kind}/{path.name}" if packaged else told
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ProblemsError((Problem(what=f"cannot be read: {error.strerror}", file=shown),)) from None
        self.inputs[label] = hashlib.sha256(data).hexdigest()
        return yaml_events.read(data, Text(shown, label, (), None if packaged else path.parent))

    def bytes(self, path: Path) -> tuple[bytes, Text]:
        """The bytes of a file that is no YAML, and its text to mark problems in; it counts among the inputs.

        Raises:
            ProblemsError: it cannot be read.
        """
        shown, label = _told(path)
        try:
            data = path.read_bytes()
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "its name holds a zero byte"
            raise ProblemsError((Problem(what=f"cannot be read: {why}", file=shown),)) from None
        self.inputs[label] = hashlib.sha256(data).hexdigest()
        return data, Text(shown, label, (), path.parent)

    def find(self, kind: str, name: str, folder: Path | None) -> tuple[Path, bool]:
        """The file of an entry, looked up beside the file in `folder` that names it, then among the shipped ones; and whether
        it is one of these.

        Raises:
            MendableError: there is none.
        """
        asked = (kind, name, folder)
        if asked not in self._found:
            self._found[asked] = _find(kind, name, folder)
        return self._found[asked]


def _find(kind: str, name: str, folder: Path | None) -> tuple[Path, bool]:
    if "/" in name or name.endswith(_ENDINGS):
        path = (folder or Path()) / name
        if "\0" not in name and _is_file(path):
            return path, False
        raise MendableError(f"there is no file {name!r}", "write a path relative to the scenario, or a name of the catalogue")
    places = [shipped(kind)] if folder is None else [*_beside(kind, folder), shipped(kind)]
    if _NAME.match(name):
        for place in places:
            path = place / f"{name}.yaml"
            if _is_file(path) and (place != folder or _is_entry(path)):
                return path, place == places[-1]
    known = sorted({known for place in places if place != folder for known in _names_in(place)})
    raise MendableError(f"{name[:60]!r} is not among the {kind}", did_you_mean(name, known) or f"there is no entry in {kind} yet")


def _is_entry(path: Path) -> bool:
    """Whether a file beside a scenario is an entry: scenarios like to be named after their model."""
    try:
        document = yaml_events.read(path.read_bytes(), Text(str(path), str(path)))
    except (ProblemsError, OSError):
        return True  # found, and its problems will be told when it is read
    return not {"base", "alternatives", "question"} & document.entries.keys()


def _beside(kind: str, folder: Path) -> Sequence[Path]:
    """Where a file's own entries may lie: `KIND/` in its folder, the folder itself, `KIND/` beside a file that is itself such an entry."""
    near = [folder / kind, folder]
    return [*near, folder.parent / kind] if folder.name in FOLDERS else near


def _names_in(folder: Path) -> tuple[str, ...]:
    try:
        return tuple(sorted(name.removesuffix(".yaml") for name in os.listdir(folder) if name.endswith(".yaml")))
    except OSError:
        return ()


def _told(path: Path) -> tuple[str, str]:
    """A path as problems show it and as provenance keeps it: the latter never names folders of this machine alone."""
    try:
        inside = path.resolve().relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError):
        return path.as_posix(), f"{path.parent.name}/{path.name}" if path.is_absolute() else path.as_posix()
    return inside, inside


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
