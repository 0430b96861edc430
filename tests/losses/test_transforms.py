"""Transformations of discharge: one function for arrays and graphs, its inverse and derivative."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest

import pymc_hydro as ph
from pymc_hydro.losses.curves import Identity
from pymc_hydro.losses.transforms import as_transform, transformed, with_offset

TRANSFORMS = [
    Identity(),
    ph.losses.BoxCox(),
    ph.losses.BoxCox(0.0, 0.1),
    ph.losses.BoxCox(1.3, 0.2),
    ph.losses.Power(),
    ph.losses.Power(-1.0, 0.3),
    ph.losses.Power(2.0),
    ph.losses.LogSinh(),
    ph.losses.LogSinh(0.02, 3.0),
]
FLOW = np.array([1e-3, 0.1, 1.0, 7.5, 300.0])


@pytest.mark.parametrize("transform", TRANSFORMS, ids=str)
def test_inverse_and_derivative(transform):
    z = transform.forward(FLOW)
    assert (np.diff(z) > 0).all() and transform.defined(FLOW).all()
    np.testing.assert_allclose(transform.inverse(z), FLOW, rtol=1e-9)
    step = 1e-30 * FLOW  # complex step
    slope = np.imag(transform.forward(FLOW + 1j * step)) / step
    np.testing.assert_allclose(np.exp(transform.log_derivative(FLOW)), slope, rtol=1e-10)


@pytest.mark.parametrize("transform", TRANSFORMS, ids=str)
def test_graphs_have_the_values_of_arrays(transform):
    y, z = pt.constant(FLOW), transform.forward(FLOW)
    np.testing.assert_allclose(transform.forward(y).eval(), z, rtol=1e-14)
    np.testing.assert_allclose(transform.inverse(pt.constant(z)).eval(), transform.inverse(z))
    slopes = transform.log_derivative(y).eval()
    np.testing.assert_allclose(slopes, transform.log_derivative(FLOW), rtol=1e-12, atol=1e-14)


def test_the_offset_of_losses():
    """A hundredth of the observed mean where none is given, but not for the square root."""
    y = np.array([1.0, 3.0])
    log, box_cox = ph.losses.Transform("log"), ph.losses.box_cox(0.3)
    assert with_offset("loss", log, y).offset == 0.02
    assert with_offset("loss", box_cox, y) == ph.losses.BoxCox(0.3, 0.02)
    assert with_offset("loss", ph.losses.BoxCox(0.3, 0.0), y).offset == 0
    for same in (ph.losses.Power(), ph.losses.LogSinh(), Identity()):
        assert with_offset("loss", same, y) is same


def test_transformations_by_name():
    """Of errors and of losses, as the reference page has them."""
    at, of_errors = np.array([0.3, 2.0]), as_transform
    for name, expected in {
        "log": np.log(at),
        "sqrt": 2 * (np.sqrt(at) - 1),
        "box_cox": (at**0.2 - 1) / 0.2,
        "log_sinh": np.log(np.sinh(0.1 + 0.2 * at)) / 0.2,
    }.items():
        np.testing.assert_allclose(of_errors("x", name).forward(at), expected, rtol=1e-12)


def test_one_box_cox_in_the_package():
    """By its name: one power for losses and likelihoods, which add no offset of their own."""
    observed = np.array([0.5, 1.0, 4.0])
    with pm.Model():
        simulated = pt.as_tensor(observed)
        options = {"observed": observed, "scale": 0.3}
        named = ph.likelihoods.Normal("named", simulated, transform="box_cox", **options)
        given = ph.likelihoods.Normal("given", simulated, transform=ph.losses.BoxCox(), **options)
        densities = [pm.logp(rv, observed).eval() for rv in (named, given)]
    np.testing.assert_array_equal(*densities)
    of_loss = ph.losses.ssr(observed, 2 * observed, transform="box_cox")
    e = 0.01 * observed.mean()
    root = (observed + e) ** 0.2, (2 * observed + e) ** 0.2
    assert of_loss == pytest.approx(((np.subtract(*root) / 0.2) ** 2).sum(), rel=1e-12)


def test_flow_without_a_value_is_an_error_or_nan():
    flow = np.array([1.0, -0.5, np.nan])
    for transform in (ph.losses.BoxCox(), ph.losses.Power(), ph.losses.LogSinh()):
        with pytest.raises(ValueError, match=f"flow -0.5 .* no {transform.name} transform"):
            transformed("loss", transform, flow[:2])
        found = transformed("loss", transform, pt.constant(flow)).eval()
        assert np.isfinite(found[0]) and np.isnan(found[1:]).all()
