"""Answers kept in a file, so that a long sweep resumes where it stopped."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path

from simulator import __version__
from simulator.errors import MendableError
from simulator.outcome import Outcome, from_plain, to_plain
from simulator.scenario import Scenario


class Store:
    """Outcomes by the scenario that they answer, in one SQLite file; a killed process loses at most the answer it was writing.

    Accuracy: entries of another version of the simulator are never found. Not for network file systems (SQLite's write-ahead log).

    Raises:
        MendableError: the file is there and is not such a store.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._connection = sqlite3.connect(path, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("CREATE TABLE IF NOT EXISTS outcomes (key TEXT PRIMARY KEY, outcome TEXT NOT NULL)")
        except sqlite3.DatabaseError as error:
            raise MendableError(f"{path} is not a store of answers ({error})", "name another file") from error

    def get(self, scenario: Scenario) -> Outcome | None:
        """The answer to a scenario, where it is kept."""
        row = self._connection.execute("SELECT outcome FROM outcomes WHERE key = ?", (_key(scenario),)).fetchone()
        return from_plain(Outcome, json.loads(row[0])) if row else None

    def put(self, scenario: Scenario, outcome: Outcome) -> None:
        """Keep an answer."""
        text = json.dumps(to_plain(outcome), ensure_ascii=False, allow_nan=False)
        self._connection.execute("INSERT OR REPLACE INTO outcomes VALUES (?, ?)", (_key(scenario), text))

    def close(self) -> None:
        """Write what is pending and let the file go."""
        self._connection.close()


def _key(scenario: Scenario) -> str:
    """Of everything that decides an answer: the resolved scenario, where its settings came from, and the version."""
    return hashlib.sha256(f"{__version__}\n{scenario!r}".encode()).hexdigest()
