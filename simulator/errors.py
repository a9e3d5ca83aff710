"""The small tree of errors. Every error a user can cause carries what is wrong and how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing wrong with an input, where it stands, and the mend.

    Args:
        what: what is wrong, one sentence without a full stop.
        mend: what to write instead.
        path: dotted path inside the question, e.g. `cluster.count`; begins with the alternative's name where only some have the problem.
        file, line, column: where it stands; line and column count from 1, 0 where unknown.
        excerpt: the line as written (cropped where very long), empty where unknown.
        caret, width: which characters of `excerpt` are meant; `caret` counts from 0.
    """

    what: str
    mend: str = ""
    path: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    excerpt: str = ""
    caret: int = 0
    width: int = 1

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


def render(problems: Sequence[Problem], so: str = "nothing was run") -> str:
    """Every problem with its line and a caret under what is meant, and how many there are; `so` is what follows from them.

    >>> print(render([Problem(what="no", file="a.yaml", line=7, column=4, excerpt="a: 400 Gb", caret=3, width=6)]))
    a.yaml:7:4: no
        7 | a: 400 Gb
          |    ^^^^^^
    1 problem in a.yaml; nothing was run
    """
    lines = []
    for problem in problems:
        lines.append(str(problem))
        if problem.excerpt:
            margin = " " * len(str(problem.line))
            lines.append(f"    {problem.line} | {problem.excerpt}".rstrip())
            lines.append(f"    {margin} | {' ' * problem.caret}{'^' * max(problem.width, 1)}")
    files = list(dict.fromkeys(problem.file for problem in problems if problem.file))
    count = f"{len(problems)} problem{'' if len(problems) == 1 else 's'}"
    return "\n".join([*lines, f"{count}{' in ' + ', '.join(files) if files else ''}; {so}"])


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The mend for a word that is not among the known ones: the nearest, or all of them where they are few.

    >>> did_you_mean("cuont", ["count", "node"])
    'did you mean count?'
    >>> did_you_mean("x", ["count", "node"])
    'known: count, node'
    """
    names = list(known)
    folded = {name.casefold(): name for name in names}
    asked = word[:60].casefold()
    near = difflib.get_close_matches(asked, folded, n=3, cutoff=0.6)
    if near:
        likeness = [difflib.SequenceMatcher(None, name, asked).ratio() for name in near]
        nearest = [folded[name] for name, ratio in zip(near, likeness, strict=True) if ratio > likeness[0] - 0.1]
        return f"did you mean {' or '.join(nearest)}?"
    return f"known: {', '.join(names[:30])}{', …' if len(names) > 30 else ''}" if names else ""
