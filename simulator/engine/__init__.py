"""The life of a run over weeks: a few events per failure, closed form in between; records out, everything else is computed from them."""

from simulator.engine.life import PARTS, Checkpoints, Far, Life, Phase, RunRecord
from simulator.engine.live import live, tell
from simulator.engine.summary import Paired, paired, summarise
from simulator.engine.watched import Story, Stretch

__all__ = ["PARTS", "Checkpoints", "Far", "Life", "Paired", "Phase", "RunRecord", "Story", "Stretch", "live", "paired", "summarise", "tell"]
