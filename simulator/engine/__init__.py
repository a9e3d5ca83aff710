"""The life of a run over weeks: a few events per failure, closed form in between; records out, everything else is computed from them."""

from simulator.engine.life import PARTS, Checkpoints, Life, Phase, RunRecord
from simulator.engine.live import live
from simulator.engine.summary import Paired, paired, summarise

__all__ = ["PARTS", "Checkpoints", "Life", "Paired", "Phase", "RunRecord", "live", "paired", "summarise"]
