"""Simulation-based calibration in a shortened form; the full one is benchmarks/sbc.py."""

import numpy as np
import pytest

from benchmarks import sbc

REPLICATIONS = 4


@pytest.mark.slow
@pytest.mark.kernels
@pytest.mark.usefixtures("compiled")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("likelihood", ["normal", "skew_student"])
def test_ranks_of_the_truth_are_uniform(likelihood):
    found = sbc.ranks(likelihood, REPLICATIONS, seed=1, draws=100, tune=80, say=None)
    for name, values in found.items():
        assert values.shape == (REPLICATIONS,)
        share = values / sbc.RANKS
        # Mean and standard deviation of a uniform sample within four of their standard errors.
        assert abs(share.mean() - 0.5) < 4 * 0.2887 / np.sqrt(REPLICATIONS), name
        assert abs(share.std(ddof=1) - 0.2887) < 4 * 0.129 / np.sqrt(REPLICATIONS), name
