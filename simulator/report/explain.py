"""Where each second, byte and dollar comes from, as a tree."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from simulator.errors import MendableError
from simulator.outcome import Alternative, Outcome, Term
from simulator.report.numbers import clean, quantity


@dataclass
class _Branch:
    terms: list[Term] = field(default_factory=list)
    below: dict[str, _Branch] = field(default_factory=dict)


def explain(outcome: Outcome, alternative: str | None = None) -> str:
    """The terms of one alternative (of all where None) as a tree by dotted path: value with unit, formula, source. Plain text.

    Raises:
        MendableError: no alternative has that name.
    """
    known = [a.name for a in outcome.alternatives]
    if alternative is not None and alternative not in known:
        near = difflib.get_close_matches(alternative, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"the alternatives are {', '.join(known) or 'none'}"
        raise MendableError(f"there is no alternative {alternative!r}", hint)
    shown = [a for a in outcome.alternatives if alternative in (None, a.name)]
    return "\n".join(line for a in shown for line in _alternative(a))


def _alternative(alternative: Alternative) -> Iterable[str]:
    yield clean(alternative.name)
    if not alternative.feasible:
        yield f"│  cannot be done as asked: {clean(alternative.reason)}"
    root = _Branch()
    for term in alternative.terms:
        branch = root
        for name in clean(term.path).split("."):
            branch = branch.below.setdefault(name, _Branch())
        branch.terms.append(term)
    if not root.below:
        yield "└─ nothing to explain"
    yield from _lines(root, "")
    if root.below and alternative.assumptions:
        yield "assumes"
        yield from (f"  · {clean(text)}" for text in alternative.assumptions)
    yield ""


def _lines(branch: _Branch, indent: str) -> Iterable[str]:
    width = max((len(name) for name in branch.below), default=0)
    for at, (name, inner) in enumerate(branch.below.items(), start=1):
        last = at == len(branch.below)
        while len(inner.below) == 1 and not inner.terms:
            # A chain without figures of its own is one line.
            (step,) = inner.below
            name, inner = f"{name}.{step}", inner.below[step]
        gap = "   " if last else "│  "
        stem = f"{indent}{'└─ ' if last else '├─ '}"
        yield f"{stem}{name.ljust(width)}  {_value(inner.terms[0])}".rstrip() if inner.terms else f"{stem}{name}"
        rule = f"{indent}{gap}{'│  ' if inner.below else '   '}"
        for extra, term in enumerate(inner.terms):
            if extra:
                yield f"{rule}also {_value(term)}"
            if term.formula:
                yield f"{rule}= {clean(term.formula)}"
            if term.source:
                yield f"{rule}source: {clean(term.source)}"
        yield from _lines(inner, indent + gap)


def _value(term: Term) -> str:
    return clean(f"{term.value} {term.unit}").rstrip() if isinstance(term.value, str) else quantity(term.value, term.unit)
