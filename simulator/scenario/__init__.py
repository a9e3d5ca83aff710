"""YAML -> `Scenario`: names resolved, all problems at once with file, line and column."""

from simulator.scenario.loader import load, resolve_sweep
from simulator.scenario.names import entries, raw_entry
from simulator.scenario.question import Question, Scenario
from simulator.scenario.validate import load_entry as entry

__all__ = ["Question", "Scenario", "entries", "entry", "load", "raw_entry", "resolve_sweep"]
