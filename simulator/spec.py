"""The grammar of questions: annotated quantity types from which the domain's own classes are built.

A field of type `Seconds` is a plain `float` in SI to the code and to the type checker; the annotation tells the YAML edge its dimension
(`simulator.scenario.shapes` reads it).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from simulator.errors import MendableError

Source = str
"""Where a number comes from, as a reader can follow it. What begins with `unverified` or `assumed` is shown as such in every report."""


@dataclass(frozen=True)
class Quantity:
    """Marks a float field as text with a unit of `dimension` at the YAML edge (see `simulator.units`)."""

    dimension: str


@dataclass(frozen=True)
class Kinds:
    """Marks a union of frozen classes that each carry a `kind: Literal[..]` as tagged by it: the union is the registry."""


def kind_of(member: type) -> str:
    """The tag by which a kind is named in a scenario: the one value of its `kind` field.

    Raises:
        TypeError: the class has no `kind` field with a default.
    """
    kind = getattr(member, "kind", None)
    if not isinstance(kind, str):
        raise TypeError(f"{member.__name__} has no default for its kind")
    return kind


Seconds = Annotated[float, Quantity("time")]
Bytes = Annotated[float, Quantity("data")]
BytesPerSecond = Annotated[float, Quantity("data_rate")]
Flop = Annotated[float, Quantity("flop")]
FlopPerSecond = Annotated[float, Quantity("flop_rate")]
Watts = Annotated[float, Quantity("power")]
Joules = Annotated[float, Quantity("energy")]
Dollars = Annotated[float, Quantity("money")]
DollarsPerSecond = Annotated[float, Quantity("money_rate")]
DollarsPerJoule = Annotated[float, Quantity("energy_price")]
DollarsPerByteSecond = Annotated[float, Quantity("storage_price")]
Kilograms = Annotated[float, Quantity("mass")]
KilogramsPerJoule = Annotated[float, Quantity("carbon_intensity")]
Tokens = Annotated[float, Quantity("tokens")]
PerSecond = Annotated[float, Quantity("frequency")]
Fraction = Annotated[float, Quantity("fraction")]
"""Between 0 and 1; written `0.25` or `25%`."""
Ratio = Annotated[float, Quantity("ratio")]
"""A plain non-negative number, e.g. a PUE of 1.1 or an oversubscription of 7."""

Date = datetime.date


@dataclass(frozen=True, kw_only=True)
class Sourced:
    """What every catalogue entry carries.

    Args:
        name: how it is named in a catalogue; given by the file's name where it comes from one.
        source: where its figures come from unless `sources` says otherwise.
        sources: field (or dotted field) -> where that figure comes from.
        notes: free text for a reader.
    """

    name: str = ""
    source: Source = ""
    sources: Mapping[str, Source] | None = None
    notes: str = ""

    def source_of(self, field: str) -> Source:
        """The source of one figure; empty where none is given (a catalogue entry never lacks one: a test holds it)."""
        return (self.sources or {}).get(field, self.source)


def require(condition: bool, what: str, mend: str = "") -> None:
    """Refuse a value of a domain class.

    Raises:
        MendableError: the condition does not hold.
    """
    if not condition:
        raise MendableError(what, mend)
