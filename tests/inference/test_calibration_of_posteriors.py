"""Simulation-based calibration in a shortened form; the full one is benchmarks/sbc.py."""

import numpy as np
import pytest

from benchmarks import sbc
from tests.conftest import NEWER_STACK

REPLICATIONS = 4
# Seconds a replication: each of the two stacks that the tests run on takes one error model.
LIKELIHOOD = "skew_student" if NEWER_STACK else "normal"


@pytest.mark.slow
@pytest.mark.usefixtures("compiled")
@pytest.mark.filterwarnings("ignore")
def test_ranks_of_the_truth_are_uniform():
    found = sbc.ranks(LIKELIHOOD, REPLICATIONS, seed=1, draws=100, tune=80, say=None)
    for name, values in found.items():
        assert values.shape == (REPLICATIONS,)
        share = values / sbc.RANKS
        # Mean and standard deviation of a uniform sample within four of their standard errors.
        assert abs(share.mean() - 0.5) < 4 * 0.2887 / np.sqrt(REPLICATIONS), name
        assert abs(share.std(ddof=1) - 0.2887) < 4 * 0.129 / np.sqrt(REPLICATIONS), name
