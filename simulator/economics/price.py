"""Every way to come by machines: rent on demand, reserve, spot, a given rate, own, be given."""

from __future__ import annotations

from typing import Annotated

from simulator.economics.donated import Donated
from simulator.economics.fixed_rate import FixedRate
from simulator.economics.on_demand import OnDemand
from simulator.economics.owned import Owned
from simulator.economics.reserved import Reserved
from simulator.economics.spot import SpotRent
from simulator.spec import Kinds

Price = Annotated[OnDemand | Reserved | SpotRent | FixedRate | Owned | Donated, Kinds()]
"""Every way to come by machines: the union is the registry."""
