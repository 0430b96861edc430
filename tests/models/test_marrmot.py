"""The structures of MARRMoT: their declarations, right values, and gradients of some."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.core.base.names import Names
from pymc_hydro.data.schema import checked_basin
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array
from pymc_hydro.testing import checks
from pymc_hydro.testing.frozen import run_in_python
from tests.conftest import FORCINGS

VALUES = Path(__file__).parent / "marrmot.npz"
CLASSES = ph.marrmot.MODELS
# Kernels take long to compile: `python -m benchmarks.zoo` checks all structures.
SOME = ("m_17", "m_35")
FORCING = ("precipitation", "potential_evaporation", "temperature")


def test_names_and_numbers():
    assert len(CLASSES) == len(set(CLASSES)) == 47
    assert [kind.number for kind in CLASSES] == list(ph.marrmot.NAMES)
    assert ph.marrmot.get("M_1") is ph.marrmot.get("collieriver1") is ph.marrmot.CollieRiver1
    with pytest.raises(KeyError, match=r"did you mean 'CollieRiver1'\?"):
        ph.marrmot.get("CollieRver1")


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.number)
def test_every_structure_is_sound(kind):
    """Declared in both formulations, smooth, with snow before it, and with its source."""
    assert "MARRMoT" in kind.__doc__
    assert "References\n" in kind.__doc__
    models = [kind(), kind(formulation="reference"), kind(width=0.01)]
    if kind.snow_target is not None:
        models.append(kind(snow=True))
        assert models[-1].parameter_names[-2:] == ("T_tr", "f_dd")
        models.append(kind(snow="refreezing"))
        assert models[-1].parameter_names[-2:] == ("c_sf", "c_fr")
    assert len(set(models)) == len(models)
    assert {o.name for o in models[0].outputs} >= {"discharge", "evaporation"}


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.number)
def test_smooth_laws_are_near_exact_ones(kind):
    """At random contents: each flux within a few widths. It is too warm for snow (0.1 degC)."""
    rng = np.random.default_rng(3)
    exact, smooth = kind(), kind(width=1e-4)
    for theta in checks.draw_parameters(exact, rng, 20):
        p = dict(zip(exact.parameter_names, theta, strict=True))
        s = {n: rng.uniform(20, 60) for n in exact.store_names}
        u = {"precipitation": 7.0, "potential_evaporation": 3.0, "temperature": 300.0}
        u |= {"day_of_year": 100.0} | {h.output: 2.0 for h in exact.hydrographs}
        with np.errstate(all="ignore"):
            found, near = (model.evaluate(s, u, p) for model in (exact, smooth))
        scale = 1 + max(abs(float(v)) for v in found.values())
        for name, value in found.items():
            assert abs(float(near[name]) - float(value)) < 2e-3 * scale, name


@pytest.mark.kernels
@pytest.mark.parametrize("number", ["m_41", "m_43"])
def test_smooth_discharge_is_near_the_exact_one(number):
    """Within 1 % (relative RMS) at the recommended width, also where a store counts as empty.

    `python -m benchmarks.zoo seconds` has all structures over ten years.
    """
    fulda, found = ph.load_basin("fulda").isel(time=slice(0, 150)), []
    for width in (0.0, 0.01):
        model = ph.marrmot.get(number)(width=width)
        theta = model.lower + 0.1 * (model.upper - model.lower)
        record = forcing_array(model, checked_basin(fulda, model.forcing_names))
        problem = define_problem(model, ("discharge",), 1.0)
        found.append(run_in_python(problem, theta, record).values)
    exact, smooth = found
    assert exact.max() > 0.01
    assert np.sqrt(np.mean((smooth - exact) ** 2) / np.mean(exact**2)) < 0.01


@pytest.mark.parametrize("width", [0.0, 0.01])
def test_tanks_share_potential_evaporation(width):
    """What the upper tanks leave: a smooth maximum would add half of its width for each tank."""
    model = ph.marrmot.Tank(width=width)
    p = dict(zip(model.parameter_names, model.default, strict=True))
    u = {"precipitation": 0.0, "potential_evaporation": 3.0}
    q = model.evaluate(dict.fromkeys(model.store_names, 50.0), u, p)
    assert sum(q[f"e_{i}"] for i in (1, 2, 3, 4)) == pytest.approx(3.0, abs=1e-5)


@pytest.mark.parametrize("formulation", ["default", "reference"])
def test_percolation_beside_an_over_full_store(formulation):
    """Sacramento's shares had a pole where one free store is as over-full as the other lacks."""
    model = ph.marrmot.Sacramento(formulation=formulation)
    p = dict(zip(model.parameter_names, model.default, strict=True))
    C = [float(c) for c in model.capacities(Names("", "", p))]
    s = dict(zip(model.store_names, np.multiply(C, (0.5, 0.9, 0.5, 1.01, 0.99)), strict=True))
    u = {"precipitation": 5.0, "potential_evaporation": 1.0}
    q = model.evaluate(s, u, p)
    assert 0 < q["pc_4"] == pytest.approx(q["pc_5"], rel=1e-6)


@pytest.mark.kernels
@pytest.mark.parametrize("number", SOME)
def test_right_values(number):
    """Solutions by an independent right-hand side at 1e-10, 120 days (Dormand & Prince, 1980)."""
    with np.load(VALUES) as data:
        forcing = {n: ("time", data[n]) for n in FORCING}
        basin = xr.Dataset(forcing, {"time": pd.date_range("1989-01-01", periods=120)})
        theta, expected, x0 = (data[f"{number}_{n}"] for n in ("theta", "discharge", "initial"))
    model = ph.marrmot.get(number)()
    run = ph.simulate(model, theta, basin, initial_state=x0, rtol=1e-9, atol=1e-9)
    assert np.abs(run["discharge"].values - expected).max() < 1e-5


@pytest.mark.kernels
@pytest.mark.parametrize("number", SOME)
def test_gradients(number, rng):
    model, weather = ph.marrmot.get(number)(), FORCINGS["rain"].isel(time=slice(0, 8))
    for theta in checks.draw_parameters(model, rng, 10):
        finding = checks.rates_and_jacobians(model, theta, rng)
        assert finding.error <= 1, finding
    finding = checks.fixed_step_sensitivities(model, model.default, weather)
    assert finding.error <= 1, finding


def test_the_table_of_models():
    table = ph.models()
    assert len(table) == len(ph.MODELS) + 47 + 1 + len(ph.gr.MODELS)  # with FUSE
    assert table.loc["CollieRiver1", ["number", "parameters", "stores"]].tolist() == ["m_01", 1, 1]
    snowy = ph.models(snow=True, stores=2, processes="snow")
    assert set(snowy.index) == {"Alpine1", "Alpine2"}
    assert ph.models("tank").index.tolist() == ["Tank", "TankSoil"]
    with pytest.raises(ValueError, match="no process 'magic'; known are deficit"):
        ph.models(processes="magic")


def test_names_stand_for_models():
    from pymc_hydro.models.listing import as_model, find_model, name_of_model

    assert find_model("m_06") is find_model("alpine1") is ph.marrmot.Alpine1
    assert as_model("hbv") == ph.HBV()
    assert as_model("gr/gr4j") == ph.gr.GR4J() != as_model("GR4J")
    assert repr(ph.equations("m_01")) == repr(ph.equations(ph.marrmot.CollieRiver1()))
    assert ph.source("m_01") == ph.source(ph.marrmot.CollieRiver1())
    basin = ph.load_basin("leaf_river").isel(time=slice(0, 3))
    runs = [ph.simulate(each, [200.0], basin) for each in ("m_1", ph.marrmot.CollieRiver1())]
    assert runs[0].identical(runs[1])
    with pytest.raises(KeyError, match="no model 'm_99'"):
        ph.simulate("m_99", [200.0], basin)
    for model in (ph.gr.GR4J(snow=True, width=0.1), ph.gr.GR5H(), ph.HBV(), ph.marrmot.Vic()):
        assert find_model(name_of_model(model))(**model.options) == model
    with pytest.raises(KeyError, match=r"no model 'HVB'; did you mean HBV"):
        find_model("HVB")
    with pytest.raises(ValueError, match="width must be at least 0"):
        ph.marrmot.CollieRiver1(width=-1)
