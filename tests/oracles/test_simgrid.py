"""Flow-completion times as SimGrid 4.1 gives them under pure max–min sharing.

A few small cases lie beside this test; where the whole set lies beside the checkout, all of it is run.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from simulator.interconnect import completion_times

COPIED = Path(__file__).parent / "data" / "simgrid"
WHOLE = Path(__file__).parents[3] / "shared" / "validation" / "simgrid"
CASES = sorted((WHOLE if WHOLE.is_dir() else COPIED).glob("*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_flow_ends_when_simgrid_says(path):
    case = json.loads(path.read_text())
    flows = case["flows"]
    offsets = np.concatenate([[0], np.cumsum([len(flow[4]) for flow in flows])])
    ended = completion_times(
        np.array([flow[2] for flow in flows], dtype=float),
        np.array([flow[3] for flow in flows]),
        offsets,
        np.array([link for flow in flows for link in flow[4]]),
        np.array([link[3] for link in case["links"]]),
        np.array([link[4] for link in case["links"]]),
    )
    np.testing.assert_allclose(ended, case["finish_s"], rtol=1e-9)


def test_cases_are_there():
    assert len(CASES) >= 6
