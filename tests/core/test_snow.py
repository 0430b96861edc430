"""Elevation bands: a snow front end repeated over heights."""

import pickle
from types import SimpleNamespace

import numpy as np
import pytest

import pymc_hydro as ph
from pymc_hydro.core.snow import DegreeDaySnow
from pymc_hydro.engine.simulate import simulate
from pymc_hydro.testing import checks
from tests.conftest import FORCINGS

pytestmark = pytest.mark.kernels

HEIGHTS = (-900.0, 100.0, 800.0)


def test_heights_of_equal_areas():
    curve = np.linspace(800, 2800, 101)
    assert ph.elevation_bands(curve) == pytest.approx((-800, -400, 0, 400, 800))
    assert ph.elevation_bands(curve, n=2, height=1000) == pytest.approx((300, 1300))


@pytest.mark.parametrize("heights", [[], [1.0, np.nan], [[1.0, 2.0]], [1.0]])
def test_bad_heights(heights):
    with pytest.raises(ValueError, match="elevation_bands: heights must be"):
        ph.elevation_bands(heights, n=2)


@pytest.mark.parametrize("heights", [[-460.0, 500.0], [500.0, 9010.0]])
def test_heights_that_are_codes(heights):
    with pytest.raises(ValueError, match="heights must be from -450 to 9000 m"):
        ph.elevation_bands(heights, n=2)
    ph.elevation_bands(np.clip(heights, -450, 9000), n=2)


@pytest.mark.parametrize("bands", [(), (np.nan,), (20_000,)])
def test_bad_bands(bands):
    with pytest.raises(ValueError, match="Hymod: bands must be heights in m"):
        ph.Hymod(bands=bands)


def test_bands_are_a_part_of_the_model():
    model = ph.HBV(bands=HEIGHTS)
    assert model == pickle.loads(pickle.dumps(model)) != ph.HBV()
    assert model.store_names[:3] == ("SWE_1", "SWE_2", "SWE_3")
    assert model.parameter_names == ph.HBV().parameter_names
    assert model.output_table["swe"].terms == ("SWE_1", "SWE_2", "SWE_3")


def test_equal_bands_are_the_basin():
    basin = FORCINGS["cold"]
    runs = [
        simulate(m, m.default, basin, ("discharge", "swe"), rtol=1e-9, atol=1e-9)
        for m in (ph.Hymod(), ph.Hymod(bands=(0, 0)))
    ]
    for name in ("discharge", "swe"):
        np.testing.assert_allclose(runs[1][name], runs[0][name], rtol=1e-6, atol=1e-6)


def test_high_bands_keep_snow_longest_and_the_water_is_kept():
    model, basin = ph.Hymod(bands=HEIGHTS), FORCINGS["cold"]
    inflow, outflow, stores = checks.balance_terms(model)  # the kernel of the water balance
    run = simulate(model, model.default, basin, (*inflow, *outflow, *stores))
    contents = [float(run[name].mean()) for name in model.store_names[:3]]
    assert contents == sorted(contents) and contents[0] < 0.9 * contents[2]
    assert checks.water_balance(model, model.default, basin).error <= 1
    finding = checks.fixed_step_sensitivities(model, model.default, basin.isel(time=slice(0, 10)))
    assert finding.error <= 1, finding


@pytest.mark.parametrize("formulation", ["default", "reference"])
def test_refreezing_in_bands_against_complex_step(formulation, rng):
    model = ph.HBV(bands=HEIGHTS, formulation=formulation)
    for theta in checks.draw_parameters(model, rng, 20):
        finding = checks.rates_and_jacobians(model, theta, rng)
        assert finding.error <= 1, finding


@pytest.mark.parametrize("cls", [ph.Hymod, ph.HBV])
def test_a_band_of_a_thousand_metres_is_six_degrees_colder(cls, rng):
    plain, high = cls(), cls(bands=(1000.0,))
    for theta in checks.draw_parameters(plain, rng, 5):
        p = dict(zip(plain.parameter_names, theta, strict=True))
        s = {name: rng.uniform(0, 50) for name in plain.store_names}
        u = {"precipitation": 7.0, "potential_evaporation": 2.0, "temperature": rng.uniform(-4, 9)}
        above = {("SWE_1" if n == "SWE" else n): v for n, v in s.items()}
        found = high.evaluate(above, u, p)
        for name, flux in plain.evaluate(s, u | {"temperature": u["temperature"] - 6}, p).items():
            assert found.get(name, found.get(f"{name}_1")) == pytest.approx(flux, rel=1e-9), name


def test_precipitation_grows_with_height_and_is_kept_as_a_whole():
    """By 4.1 % in 100 m, relative to the mean of the bands."""
    model = ph.Hymod(bands=(0.0, 1000.0))
    p = dict(zip(model.parameter_names, model.default, strict=True))
    s = dict.fromkeys(model.store_names, 0.0)
    u = {"precipitation": 10.0, "potential_evaporation": 2.0, "temperature": -30.0}
    q = model.evaluate(s, u, p)
    low, high = (float(q[f"P_s_{i}"]) for i in (1, 2))
    assert high / low == pytest.approx(np.exp(0.41), rel=1e-9)
    assert low + high == pytest.approx(10.0, rel=1e-9)


@pytest.mark.parametrize("cls", [ph.Hymod, ph.HBV])
def test_no_melt_far_below_the_threshold(cls):
    """The hyperbola of the reference melts a share of the pack in the coldest winter."""
    melt = {}
    for formulation in ("default", "reference"):
        model = cls(formulation=formulation)
        p = dict(zip(model.parameter_names, model.default, strict=True)) | {"T_tr": 0, "f_dd": 3}
        s = dict.fromkeys(model.store_names, 0.0) | {"SWE": 200.0}
        for T in (-10.0, -5.0, 0.0, 10.0):
            u = {"precipitation": 0.0, "potential_evaporation": 0.0, "temperature": T}
            melt[formulation, T] = float(model.evaluate(s, u, p)["M"])
    assert 0 < melt["default", -10.0] < 2e-4 and melt["default", -5.0] < 0.025
    assert melt["default", 0.0] == pytest.approx(3 * np.log(2), rel=1e-3)
    assert melt["default", 10.0] == pytest.approx(30, rel=1e-3)
    if cls is ph.Hymod:
        assert melt["reference", -10.0] == pytest.approx(0.0748, rel=1e-2)


def test_rain_and_melt_have_a_name():
    s, u = SimpleNamespace(SWE=30.0), SimpleNamespace(precipitation=9.0, temperature=1.5)
    water = DegreeDaySnow("S").fluxes(s, u, SimpleNamespace(T_tr=0.0, f_dd=3.0))
    assert water["P_liq"] == water.liquid == water["P_r"] + water["M"] > 9
    assert "P_liq" not in dict(water)
    with pytest.raises(KeyError, match="rain"):
        water["rain"]


def test_an_empty_pack_neither_melts_nor_takes_water():
    model = ph.Hymod()
    p = dict(zip(model.parameter_names, model.default, strict=True))
    s = dict.fromkeys(model.store_names, 0.0)
    for T in (-30.0, 0.0, 30.0):
        u = {"precipitation": 0.0, "potential_evaporation": 0.0, "temperature": T}
        assert 0 <= float(model.evaluate(s, u, p)["M"]) < 1e-6
