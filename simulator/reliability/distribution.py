"""Every distribution of times between failures: the union is the registry.

A kind says its cumulative hazard H(t) = −ln P(later than t) and the inverse, both from the mean time between failures of its class; all
that happens by chance follows from them.
"""

from __future__ import annotations

from typing import Annotated

from simulator.reliability.bathtub import Bathtub
from simulator.reliability.exponential import Exponential
from simulator.reliability.lognormal import Lognormal
from simulator.reliability.weibull import Weibull
from simulator.spec import Kinds

Distribution = Annotated[Exponential | Weibull | Lognormal | Bathtub, Kinds()]
"""How the times between the failures of one thing are spread."""
