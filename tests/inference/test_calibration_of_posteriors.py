"""Simulation-based calibration in a shortened form; the full one is benchmarks/sbc.py."""

import numpy as np
import pytest

from benchmarks import sbc

REPLICATIONS = 2


@pytest.mark.slow
@pytest.mark.kernels
@pytest.mark.usefixtures("compiled")
@pytest.mark.filterwarnings("ignore")
def test_ranks_of_the_truth_are_uniform():
    found = sbc.ranks("skew_student", REPLICATIONS, 1, "flow", draws=100, tune=80, say=None)
    share = np.array(list(found.values())) / sbc.RANKS
    assert share.shape == (len(found), REPLICATIONS)
    # Mean and standard deviation of a uniform sample within three of their standard errors.
    assert abs(share.mean() - 0.5) < 3 * 0.2887 / np.sqrt(share.size)
    assert abs(share.std() - 0.2887) < 3 * 0.129 / np.sqrt(share.size)
