"""Kinds of catalogue entries as the user names them."""

from __future__ import annotations

import click

from simulator.errors import did_you_mean
from simulator.scenario import CATALOGUES


def known_kind(kind: str) -> str:
    """The kind as the catalogue names it; singular is understood.

    Raises:
        UsageError: no such kind.
    """
    for name in CATALOGUES:
        if kind in (name, name.removesuffix("s"), name.removesuffix("ies") + "y"):
            return name
    raise click.UsageError(f"there is no kind {kind!r}; {did_you_mean(kind, CATALOGUES)}")
