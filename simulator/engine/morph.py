"""The recovery policy `morph`: a restart on what is there, laid out as the step table has it."""

from __future__ import annotations

from simulator.engine import recovering
from simulator.engine.job import Recovering

POLICY = Recovering(recover=recovering.recover, fall_back=recovering.fall_back)
