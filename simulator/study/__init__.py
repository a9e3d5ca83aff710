"""Answer scenarios: evaluate, compare alternatives, sweep."""

from simulator.study.evaluate import answer
from simulator.study.store import Store
from simulator.study.sweep import Swept, sweep

__all__ = ["Store", "Swept", "answer", "sweep"]
