"""Every recovery policy: the union is the registry."""

from __future__ import annotations

from typing import Annotated

from simulator.reliability.elastic import Elastic
from simulator.reliability.hot_swap import HotSwap
from simulator.reliability.morph import Morph
from simulator.reliability.redundant import Redundant
from simulator.reliability.reroute import Reroute
from simulator.reliability.restart import Restart
from simulator.reliability.templates import Templates
from simulator.spec import Kinds

Recovery = Annotated[Restart | HotSwap | Elastic | Morph | Templates | Redundant | Reroute, Kinds()]
"""What the job does after a failure."""
