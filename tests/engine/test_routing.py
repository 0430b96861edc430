import numpy as np
import pytest

import pymc_hydro as ph
from pymc_hydro.core.blocks import UnitHydrograph
from pymc_hydro.core.declaration import Parameter
from pymc_hydro.core.functions import exp
from pymc_hydro.models.hbv import base, triangle
from pymc_hydro.testing.weather import make_basin
from tests.tiny import Tiny

pytestmark = pytest.mark.kernels

BASE = Parameter("b", 0.5, 25, "d", "base", default=3)


class Routed(Tiny):
    """Its outflow passes a triangle."""

    routing = UnitHydrograph("discharge", triangle, base, (BASE,))


RAIN = np.where(np.arange(60) == 5, 40.0, 0.0)
DAILY = make_basin(RAIN, 0.0, 10.0)


@pytest.mark.parametrize("b", [0.5, 1.0, 2.5, 7.3, 25.0])
def test_discharge_is_the_convolution_with_the_triangle(b):
    run = ph.simulate(Routed(), [0.01, 0.5, b], DAILY, ("discharge", "o"))
    fine = np.linspace(0, 61, 610_001)
    height = np.maximum(2 / b - np.abs(fine - b / 2) * 4 / b**2, 0)
    arrived = np.concatenate([[0], np.cumsum((height[1:] + height[:-1]) / 2 * (fine[1] - fine[0]))])
    ordinates = np.diff(np.interp(np.arange(61), fine, arrived))
    assert ordinates.sum() == pytest.approx(1, abs=1e-6)
    expected = np.convolve(run["o"].values, ordinates)[:60]
    np.testing.assert_allclose(run["discharge"], expected, atol=1e-6)


@pytest.mark.parametrize("b", [0.7, 1.5, 2.0, 6.2])
def test_derivative_with_respect_to_the_base(b):
    h = 1e-5
    run = ph.simulate(Routed(), [0.01, 0.5, b], DAILY, sensitivities=True)
    ends = [ph.simulate(Routed(), [0.01, 0.5, x], DAILY)["discharge"] for x in (b + h, b - h)]
    found = run["ddischarge_dparameter"].sel(parameter="b").values
    np.testing.assert_allclose(found, (ends[0] - ends[1]).values / (2 * h), rtol=0, atol=2e-4)
    assert (np.abs(found).max() > 0.01) == (b > 1)  # below, all arrives in the same interval


def test_days_arrive_half_an_interval_before_the_triangle_says():
    """Ordinates act on interval means, as in the operational models: lag zero is the same day."""
    theta = [0.01, 0.5, 3.0]
    hourly = make_basin(np.repeat(RAIN, 24), 0.0, 10.0, freq="h")
    centroids = []
    for basin, dt in ((hourly, 1 / 24), (DAILY, 1.0)):
        flows = ph.simulate(Routed(), theta, basin, ("discharge", "o"))
        time = dt * (np.arange(basin.sizes["time"]) + 0.5)
        at = [(flows[q].values @ time) / flows[q].values.sum() for q in ("discharge", "o")]
        centroids.append(at[0] - at[1])
    # of both, the tail beyond the run is missing
    assert centroids[0] - centroids[1] == pytest.approx(0.5 - 0.5 / 24, abs=0.03)


def test_other_outputs_are_not_routed():
    run = ph.simulate(Routed(), [0.01, 0.5, 5.0], DAILY, ("o", "S"))
    plain = ph.simulate(Tiny(), [0.01, 0.5], DAILY, ("o", "S"))
    np.testing.assert_allclose(run["o"], plain["o"], rtol=1e-12)


def test_a_base_that_makes_no_sense_fails_the_run():
    with pytest.raises(ph.IntegrationError):
        ph.simulate(Routed(), [0.01, 0.5, 1e9], DAILY)
    with pytest.raises(ValueError, match="b = -1 is outside its domain"):
        ph.simulate(Routed(), [0.01, 0.5, -1.0], DAILY)


def test_sampled_triangle_of_the_reference():
    model = ph.HBV(snow=False, formulation="reference")
    theta = dict(zip(model.parameter_names, model.default, strict=True)) | {"b": 2.5}
    run = ph.simulate(model, theta, DAILY, ("discharge", "q_0", "q_1", "q_2"))
    raw = (run["q_0"] + run["q_1"] + run["q_2"]).values
    np.testing.assert_allclose(
        run["discharge"], np.convolve(raw, [0, 2 / 3, 1 / 3])[:60], atol=1e-8
    )


class Normalized(Tiny):
    """Ordinates exp(-t/b), whose sum is not one before they are divided by it."""

    routing = UnitHydrograph(
        "discharge", lambda start, end, p: exp(-end / p.b), base, (BASE,), normalized=True
    )


def test_ordinates_that_are_divided_by_their_sum_are_derived_so():
    theta, h = [0.01, 0.5, 4.3], 1e-5
    run = ph.simulate(Normalized(), theta, DAILY, ("discharge", "o"), sensitivities=True)
    ordinates = np.exp(-np.arange(1, 6) / 4.3)
    expected = np.convolve(run["o"], ordinates / ordinates.sum())[:60]
    np.testing.assert_allclose(run["discharge"], expected, rtol=1e-10, atol=1e-12)
    ends = [
        ph.simulate(Normalized(), [*theta[:2], 4.3 + d], DAILY, ("discharge", "o"))["discharge"]
        for d in (h, -h)
    ]
    found = run["ddischarge_dparameter"].sel(parameter="b").values
    np.testing.assert_allclose(found, (ends[0] - ends[1]).values / (2 * h), rtol=1e-6, atol=1e-9)
