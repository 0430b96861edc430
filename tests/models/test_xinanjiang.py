"""The evaporation of Xinanjiang, whose reference jumps."""

import numpy as np
import pytest

import pymc_hydro as ph


@pytest.mark.parametrize("formulation", ["default", "reference"])
@pytest.mark.parametrize("c", [1e-3, 0.3, 1.0])
@pytest.mark.parametrize("LM", [0.002, 5.0, 500.0])
def test_evaporation_is_continuous_and_full_above_its_threshold(formulation, c, LM):
    model = ph.Xinanjiang(formulation=formulation)
    for at in (LM, c * LM):
        share = model.evaporation_share(at * np.array([1 - 1e-9, 1 + 1e-9]), LM, c)
        assert abs(share[1] - share[0]) < 1e-7
    assert model.evaporation_share(np.array(LM + 50.0), LM, c) == pytest.approx(1, abs=1e-12)


def test_the_default_evaporates_as_the_reference_away_from_its_jump():
    LM, c = 60.0, 0.3
    default, reference = (ph.Xinanjiang(formulation=f) for f in ("default", "reference"))
    above = np.linspace(c * LM + 5, 2 * LM, 50)
    np.testing.assert_allclose(
        default.evaporation_share(above, LM, c), reference.evaporation_share(above, LM, c), 1e-8
    )
    below = np.linspace(0, c * LM - 5, 50)
    scaled = reference.evaporation_share(below, LM, c) * (c * LM + 1) / (c * LM)
    np.testing.assert_allclose(default.evaporation_share(below, LM, c), scaled, rtol=1e-8)
