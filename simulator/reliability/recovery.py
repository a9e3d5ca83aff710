"""Every recovery policy: the union is the registry."""

from __future__ import annotations

from typing import Annotated

from simulator.reliability.elastic import Elastic
from simulator.reliability.hot_swap import HotSwap
from simulator.reliability.restart import Restart
from simulator.spec import Kinds

Recovery = Annotated[Restart | HotSwap | Elastic, Kinds()]
"""What the job does after a failure."""
