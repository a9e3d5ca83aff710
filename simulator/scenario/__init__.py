"""YAML -> `Scenario`: names resolved, all problems at once with file, line and column."""

from simulator.errors import render
from simulator.scenario.expectations import expectation
from simulator.scenario.loader import load, resolve_sweep
from simulator.scenario.measurements import Measurements, measurements
from simulator.scenario.names import entries, raw_entry
from simulator.scenario.question import Question, Scenario
from simulator.scenario.schema import json_schema
from simulator.scenario.settings import settings
from simulator.scenario.shapes import CATALOGUES
from simulator.scenario.starter import starter
from simulator.scenario.validate import load_entry as entry
from simulator.scenario.validate import load_value as value

__all__ = [
    "CATALOGUES",
    "Measurements",
    "Question",
    "Scenario",
    "entries",
    "entry",
    "expectation",
    "json_schema",
    "load",
    "measurements",
    "raw_entry",
    "render",
    "resolve_sweep",
    "settings",
    "starter",
    "value",
]
