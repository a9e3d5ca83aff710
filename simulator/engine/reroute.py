"""The recovery policy `reroute`: peers of the same stage take over the lost workers' micro-batches.

# Assumes: what is lost at once is spread over the stages, or as many peers as the step table goes down to are left where it is not.
"""

from __future__ import annotations

from simulator.engine import surviving

POLICY = surviving.policy(lambda job, failure: True)
