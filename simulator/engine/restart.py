"""The recovery policy `restart`: stop, replace what was lost, load the last checkpoint, go on."""

from __future__ import annotations

from simulator.engine import recovering
from simulator.engine.job import Recovering

POLICY = Recovering(recover=recovering.recover, fall_back=recovering.fall_back)
