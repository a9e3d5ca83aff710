"""The recovery policy `elastic`: go on without the lost replicas, take others in when they are there.

# Assumes: the survivors hold the whole state.
"""

from __future__ import annotations

from simulator.engine import surviving

POLICY = surviving.policy(lambda job, failure: True)
