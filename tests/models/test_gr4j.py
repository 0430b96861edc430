"""Ordinates of form B where its time base is a whole day, as at its upper bound."""

import numpy as np
import pytest

import pymc_hydro as ph
from pymc_hydro.models.gr4j import ordinates, reference_curve, sh1, sh2


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        (sh1, [0.5**2.5, 1 - 0.5**2.5, 0, 0]),
        (sh2, [0.5**3.5, 0.5 - 0.5**3.5, 0.5 - 0.5**3.5, 0.5**3.5]),
        (reference_curve, [0.5**3.5, -(0.5**3.5), 1 - 0.5**3.5, 0.5**3.5]),
    ],
)
def test_shares_of_days(curve, expected):
    np.testing.assert_allclose(ordinates(curve, 2.0, 4), expected, atol=1e-15)


@pytest.mark.parametrize("curve", [sh1, sh2, reference_curve])
def test_at_the_bound_of_x4_the_slope_is_the_one_inside(curve):
    (x4,) = (p.upper for p in ph.GR4J.parameters if p.name == "x4")
    slopes, inside = (
        np.imag(ordinates(curve, x + 1e-40j, int(2 * x4))) / 1e-40 for x in (x4, x4 * (1 - 1e-7))
    )
    np.testing.assert_allclose(slopes, inside, atol=1e-6)
    assert np.abs(slopes).max() > 0.01
