"""The small tree of errors. Every error a user can cause carries what is wrong and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing wrong with an input, where it stands, and the mend.

    Args:
        what: what is wrong, one sentence without a full stop.
        mend: what to write instead.
        path: dotted path inside the document, e.g. `base.cluster.count`.
        file, line, column: where it stands; line and column count from 1, 0 where unknown.
        excerpt: the offending text as written, for the caret line; empty where unknown.
    """

    what: str
    mend: str = ""
    path: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    excerpt: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: " if self.line else f"{self.file}: " if self.file else ""
        where = f"{self.path}: " if self.path else ""
        mend = f"; {self.mend}" if self.mend else ""
        return f"{place}{where}{self.what}{mend}"


class SimulatorError(Exception):
    """Root of every error that is the input's fault; anything else that escapes is a bug."""


class ProblemsError(SimulatorError):
    """An input that cannot be used; carries every problem found, never only the first."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class MendableError(SimulatorError, ValueError):
    """A value that a domain class refuses: says what is wrong and the mend; the scenario room adds where it stands."""

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(f"{what}; {mend}" if mend else what)
        self.what = what
        self.mend = mend
