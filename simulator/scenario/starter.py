"""The commented scenario that `simulator init` writes."""

from __future__ import annotations

from pathlib import Path


def starter() -> str:
    """A scenario to start from, with every section explained; it loads as it is."""
    return (Path(__file__).parent / "starter.yaml").read_text(encoding="utf-8")
