"""GR models in discrete time: right values of two other implementations, gradients, use."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytensor
import pytensor.tensor as pt
import pytest

import pymc_hydro as ph
from pymc_hydro.core import AbstractMap, Flow, Parameter, Store, UnitHydrograph
from pymc_hydro.core.laws.structure import discharge_from
from pymc_hydro.testing.checks import draw_parameters
from pymc_hydro.testing.maps import map_sensitivities, map_sweep
from tests.conftest import FORCINGS

BANDS = (-200.0, -50.0, 30.0, 150.0, 400.0)
THETA = {
    "GR4J": (300, -0.5, 60, 1.7),
    "GR5J": (320, -0.8, 70, 2.3, 0.35),
    "GR6J": (280, 0.6, 50, 1.3, 0.25, 6.0),
    "GR4H": (400, -0.2 * 24, 150, 9.5 / 24),
    "GR5H": (350, -0.15 * 24, 120, 7.3 / 24, 0.4),
}
SNOW = {"CemaNeige": (0.3, 3.5), "bands": (0.6, 4.0)}
SMOOTH = ph.gr.GR4J(snow=True, width=1e-3)
# Every 30th value of grsuite 1.1.1, which agrees with airGR 1.7.9 to 2e-13, and of hydrogr 1.2.2.
# The first has shares such as 0.9 in single precision.
VALUES = np.load(Path(__file__).parent / "gr.npz")


@pytest.fixture(scope="module")
def basins():
    """Both embedded records; also their days read as hours."""
    found = {name: ph.load_basin(name) for name in ("leaf_river", "fulda")}
    for name, basin in list(found.items()):
        hours = pd.date_range("2000-01-01", periods=basin.sizes["time"], freq="h")
        found[f"{name} hours"] = basin.assign_coords(time=hours)
    return found


@pytest.mark.kernels
@pytest.mark.parametrize("case", list(VALUES))
def test_right_values(case, basins):
    name, kind, *rest = case.split()
    hourly, theta, options = kind.endswith("H"), THETA[kind], {}
    basin = basins[f"{name} hours" if hourly else name]
    if rest and rest[0] in SNOW:
        theta += (0.9, 0.15 * 24) if hourly else SNOW[rest[0]]
        options = {"bands": BANDS} if rest == ["bands"] else {}
        fallen = 250.0 if hourly else ph.gr.annual_snowfall(basin, **options)
        options |= {"snow": True, "annual_snowfall": fallen}
    model = getattr(ph.gr, kind)(**options)
    run = ph.simulate(model, theta, basin)["discharge"].values[5::30]
    limit = 1e-12 if kind == "GR5J" and rest == ["hydrogr"] else 1e-6
    assert np.abs(run - VALUES[case]).max() < limit


@pytest.mark.kernels
def test_gradients(rng, basins):
    """Columns and the sweep against complex step, 1e-10; also in bands and with smooth kinks."""
    fallen = ph.gr.annual_snowfall(basins["fulda"], BANDS)
    in_bands = ph.gr.GR4J(snow=True, bands=BANDS, annual_snowfall=fallen)
    for model in (ph.gr.GR6J(), in_bands, SMOOTH):
        for theta in draw_parameters(model, rng, 2):
            found = [map_sensitivities(model, theta, FORCINGS["cold"])]
            found += map_sweep(model, theta, FORCINGS["cold"]) if model == SMOOTH else []
            for finding in found:
                assert finding.error <= 1, finding


@pytest.mark.kernels
def test_checks_of_a_model():
    findings = ph.testing.check_model(ph.gr.GR4J, draws=2)
    assert len(findings) == 5
    assert all(finding.error <= 1 for finding in findings)


def test_in_graphs(leaf_river):
    """Value and gradient by parameters and by rain come from the sweep, and agree with columns."""
    basin, model = leaf_river.isel(time=slice(0, 60)), ph.gr.GR4J()
    theta, forcing = np.array(THETA["GR4J"]), basin[list(model.forcing_names)].to_array().values.T
    x, u = pt.dvector(), pt.dmatrix()
    q = ph.ops.simulate(model, x, u)[:, 0]
    outputs = [q, *pytensor.grad((q**2).sum(), [x, u])]
    value, by_theta, by_forcing = pytensor.function([x, u], outputs)(theta, forcing)
    run = ph.simulate(model, theta, basin, sensitivities=True)
    np.testing.assert_array_equal(value, run["discharge"])
    slopes = run["ddischarge_dparameter"].values
    np.testing.assert_allclose(by_theta, 2 * value @ slopes, 1e-10)
    moved = forcing.copy()
    moved[20, 0] += 1e-5
    other = ph.ops.simulate(model, theta, moved)[:, 0].eval()
    assert by_forcing[20, 0] == pytest.approx(((other**2).sum() - (value**2).sum()) / 1e-5, 1e-4)


def test_calibration(leaf_river):
    """Scores of another calibration of GR4J on this record are 0.807 and 0.882."""
    period, validation = ("1953-10-01", "1958-09-30"), ("1958-10-01", "1962-09-30")
    given = {"loss": "nse", "period": period, "validation": validation, "starts": 8, "hops": 0}
    fit = ph.calibrate("gr/GR4J", leaf_river, random_seed=1, **given)
    found = fit.scores["nse"], fit.validation_scores["nse"]
    assert found == pytest.approx((0.807, 0.882), abs=2e-3)


def test_options(leaf_river):
    assert ph.gr.GR4J(snow=True).parameter_names[4:] == ("c_T", "f_dd", "G_c")
    stores = ph.gr.GR4J(snow=True, bands=BANDS).store_names
    assert stores[:4] == ("SWE_1", "e_T_1", "SWE_2", "e_T_2")
    assert "GR5J" not in dir(ph) and "GR5J" in dir(ph.gr)
    run = ph.simulate(ph.gr.GR4J(), THETA["GR4J"], leaf_river)
    assert run.attrs["solver"] == "none: one update an interval"
    assert run.attrs["steps"] == leaf_river.sizes["time"]


@pytest.mark.kernels
def test_smooth_kinks_are_near_exact_ones(basins):
    exact = ph.gr.GR4J(snow=True)
    theta = (*THETA["GR4J"], 0.3, 3.5, 90.0)
    a, b = (ph.simulate(m, theta, basins["fulda"])["discharge"].values for m in (exact, SMOOTH))
    assert 0 < np.sqrt(np.mean((a - b) ** 2) / np.mean(a**2)) < 0.01


def test_what_is_refused(leaf_river, basins):
    model, theta = ph.gr.GR4J(), THETA["GR4J"]
    with pytest.raises(ValueError, match="law for intervals of 24 hours, but the record has"):
        ph.simulate(model, theta, basins["leaf_river hours"])
    with pytest.raises(ValueError, match="leave out solver and steps"):
        ph.simulate(model, theta, leaf_river, steps=4)
    with pytest.raises(ValueError, match="annual_snowfall must be a positive number"):
        ph.gr.GR4J(annual_snowfall=100.0)
    with pytest.raises(ValueError, match="width must be"):
        ph.gr.GR4J(width=-1.0)
    for options in ({"routing": True}, {"loop": True}):
        with pytest.raises(ValueError, match=r"no `routing`|in the same interval"):
            ph.simulate(Delayed(**options), [0.5], leaf_river)


def test_failures_are_known(leaf_river):
    basin = leaf_river.isel(time=slice(0, 30))
    with pytest.raises(ph.IntegrationError, match="starts at 1952-07-28"):
        ph.simulate(Delayed(), [0.5], basin, initial_state={"S": 1e200})


class Delayed(AbstractMap):
    """A store whose outflow goes through a hydrograph, which may return to it at once."""

    parameters = (Parameter("K", 0, 1, "1", "share"),)
    stores = (Store("S", "mm", "store"),)
    flows = (
        Flow("P", None, "S"),
        Flow("r", "S", "H"),
        Flow("q", "H", None),
    )
    outputs = (discharge_from("q"),)

    def __init__(self, *, routing: bool = False, loop: bool = False, **options):
        delay = UnitHydrograph("H", lambda start, end, p: 1.0, lambda p: 0.5)
        self.hydrographs, self.loop = (delay,), loop
        if routing:
            self.routing = delay
        super().__init__(**options)

    def fluxes(self, s, u, p):
        r = p.K * (s.S + (u.H if self.loop else 0.0))
        return {"P": u.precipitation, "r": r, "q": u.H}
