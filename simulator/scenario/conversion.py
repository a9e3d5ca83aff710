"""Descriptions made for other programs -> catalogue entries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from simulator.errors import Problem, ProblemsError
from simulator.model import convert, parameters
from simulator.scenario.writing import entry_text


def model_entry(path: Path, *, name: str, sequence: int | None, ignored: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """The YAML of the model that a Hugging Face configuration describes, and what a user should know about it, line by line.

    Args:
        name: written into the entry unless empty.
        sequence, ignored: see `model.convert`.

    Raises:
        ProblemsError: no JSON object, or one that cannot be converted.
    """
    data = path.read_bytes()
    try:
        config = json.loads(data)
    except ValueError as error:
        raise ProblemsError((Problem(what=f"is not JSON: {error}", file=str(path)),)) from None
    if not isinstance(config, dict):
        raise ProblemsError((Problem(what="is not a JSON object", file=str(path)),))
    found = convert(config, sequence=sequence, ignored=ignored, file=str(path))
    counted = parameters(found.model)
    notes = [*found.remarks, *(f"not counted: {count:,} parameters of {what}" for what, count in found.uncounted.items())]
    extended = "before its positions were extended" if "." in found.sequence_from else "that the model accepts"
    sources = {"sequence": f"{found.sequence_from}, the longest {extended}; its training may have been shorter"}
    entry = replace(
        found.model,
        name=name,
        source=f"converted from {path.name}, sha256 {hashlib.sha256(data).hexdigest()}",
        sources=sources if found.sequence_from else None,
        notes="; ".join(notes),
    )
    told = (f"{counted.total:,} parameters, {counted.active:,} of them active, sequence {found.model.sequence:,}", *notes)
    return entry_text(entry), told
