"""Answer scenarios: evaluate, compare alternatives, sweep."""

from simulator.study.evaluate import answer
from simulator.study.store import Store
from simulator.study.sweep import Swept, as_written, sweep

__all__ = ["Store", "Swept", "answer", "as_written", "sweep"]
