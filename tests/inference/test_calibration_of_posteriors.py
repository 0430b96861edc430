"""Simulation-based calibration in a shortened form; the full one is benchmarks/sbc.py."""

import numpy as np
import pytest

from benchmarks import sbc
from tests.conftest import NEWER_STACK

REPLICATIONS = 6
# Six seconds a replication: each of the two stacks that the tests run on takes one error model.
LIKELIHOOD = "skew_student" if NEWER_STACK else "normal"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_ranks_of_the_truth_are_uniform():
    found = sbc.ranks(LIKELIHOOD, REPLICATIONS, seed=1, draws=200, tune=300, say=None)
    for name, values in found.items():
        assert values.shape == (REPLICATIONS,)
        mean = values.mean() / sbc.RANKS
        assert abs(mean - 0.5) < 4 / np.sqrt(12 * REPLICATIONS), name
        assert 0.15 < (values / sbc.RANKS).std() < 0.42, name
