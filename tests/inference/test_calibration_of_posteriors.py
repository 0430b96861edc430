"""Simulation-based calibration in a shortened form; the full one is benchmarks/sbc.py."""

import numpy as np
import pytest

from benchmarks import sbc


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("likelihood", ["normal", "skew_student"])
def test_ranks_of_the_truth_are_uniform(likelihood):
    pytest.importorskip("nutpie")
    found = sbc.ranks(likelihood, 30, seed=1, draws=200, tune=300, say=None)
    for name, values in found.items():
        assert values.shape == (30,)
        mean = values.mean() / sbc.RANKS
        assert abs(mean - 0.5) < 4 / np.sqrt(12 * 30), name
        assert 0.15 < (values / sbc.RANKS).std() < 0.42, name
