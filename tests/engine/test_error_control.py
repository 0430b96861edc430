"""What the tolerances promise, of values and of columns, and on every way to a simulation."""

import numpy as np
import pymc as pm
import pytest
from pytensor.graph.traversal import ancestors

import pymc_hydro as ph
from pymc_hydro.core import Parameter
from pymc_hydro.core.functions import sqrt
from pymc_hydro.engine.codegen.step import Hooks
from pymc_hydro.engine.compile import python_kernel
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array, simulate
from pymc_hydro.testing.weather import make_basin
from tests.conftest import FORCINGS
from tests.tiny import Tiny

# Found by a search of HBV's corners: 40 steps follow its values, and lose its columns.
CORNER = {
    "F_c": 1500.0, "beta": 6.0, "l_p": 0.1, "k_0": 1.2, "u_zl": 0.0, "k_1": 1e-5, "k_2": 1.0,
    "p_max": 15.0, "T_tr": -3.0, "f_dd": 0.1, "c_sf": 1.5, "c_fr": 0.0, "b": 0.5,
}  # fmt: skip
LOOSE = {"rtol": 1e-2, "atol": 1e-2}
STEPS = (61, 92, 158, 285)


@pytest.mark.kernels
@pytest.mark.parametrize("cls", ph.MODELS)
def test_tight_tolerances_agree_in_storms(cls):
    model, basin = cls(), FORCINGS["storm"]
    runs = (simulate(model, model.default, basin, rtol=t, atol=t) for t in (1e-9, 1e-12))
    loose, tight = (run["discharge"].values for run in runs)
    assert np.abs(loose - tight).max() < 1e-6
    assert tight.max() > 10


@pytest.mark.kernels
def test_columns_need_a_control_of_their_own():
    model, basin = ph.HBV(), FORCINGS["rain"].isel(time=slice(0, 40))
    theta, forcing = model.parameter_vector(CORNER), forcing_array(model, basin)
    problem = define_problem(model, ("discharge",), 1.0)
    exact = define_problem(model, ("discharge",), 1.0, rtol=1e-9, atol=1e-9)

    def uncontrolled():
        hooks = Hooks(begin="controlled = False")
        kernel = python_kernel(model, problem.outputs, problem.methods, hooks)
        found = problem.new_outputs(len(forcing), theta.size)
        with np.errstate(all="ignore"):
            arguments = theta, forcing, model.initial_state, *problem.settings(), *found
            assert kernel(*arguments) == 0
        return found[1][:, 0], found[2]

    right = exact.run(theta, forcing, model.initial_state, sensitivities=True).jacobian[:, 0]
    run = problem.run(theta, forcing, model.initial_state, sensitivities=True)
    plain = problem.run(theta, forcing, model.initial_state)
    jacobian, counts = uncontrolled()
    scale = np.array([p.scale or p.upper - p.lower for p in model.parameters])
    resolved = np.linalg.norm(right * scale, axis=0) > 0.1

    def error(columns):
        wrong, size = (np.linalg.norm(a[:, resolved], axis=0) for a in (columns - right, right))
        return wrong / size

    assert error(jacobian).max() > 0.5
    assert error(run.jacobian[:, 0]).max() < 0.02
    assert counts[0] == plain.counts[0] < 0.6 * run.counts[0]


@pytest.mark.kernels
def test_the_tolerance_of_columns_goes_with_the_root_of_that_of_values():
    """Steps of an adaptive run of order three, for each tolerance: the cost of its control."""
    model, basin = ph.HBV(), FORCINGS["rain"].isel(time=slice(0, 40))
    theta, forcing = model.parameter_vector(CORNER), forcing_array(model, basin)
    found = []
    for tolerance in (1e-3, 1e-4, 1e-5, 1e-6):
        problem = define_problem(model, ("discharge",), 1.0, rtol=tolerance, atol=tolerance)
        run = problem.run(theta, forcing, model.initial_state, sensitivities=True)
        found.append(run.counts[0])
    np.testing.assert_allclose(found, STEPS, rtol=0.03)


class Rooted(Tiny):
    """The derivative by b is infinite where b is zero."""

    parameters = (*Tiny.parameters, Parameter("b", 0, 1, "1", "share", default=0.5))

    def fluxes(self, s, u, p):
        return {**super().fluxes(s, u, p), "f": p.a * s.S * s.S * (1 + sqrt(p.b))}


@pytest.mark.parametrize("settings", [{}, {"steps": 1, "solver": "heun"}])
def test_a_sensitivity_that_is_not_finite_is_a_failure(settings):
    theta, basin = [0.01, 0.5, 0.0], FORCINGS["dry"]
    assert np.isfinite(simulate(Rooted(), theta, basin, **settings)["discharge"]).all()
    with pytest.raises(ph.IntegrationError, match="interval that starts at 2000-10-01"):
        simulate(Rooted(), theta, basin, sensitivities=True, **settings)


def test_a_failure_has_the_date_of_its_interval():
    """Dry until the thirteenth day; then a stage is beyond the stability limit of 100 mm."""
    basin = make_basin(np.where(np.arange(60) == 12, 500.0, 0.0), 0.0, 10.0)
    with pytest.raises(ph.IntegrationError, match=r"interval that starts at 2000-10-13\b"):
        simulate(Tiny(), Tiny().default, basin, steps=1, solver="heun")


@pytest.mark.kernels
def test_each_tolerance_is_respected(tiny):
    """Steps, of values and with columns, for each tolerance while the other one is small."""

    def steps(**tolerances):
        runs = (
            simulate(tiny, [0.05, 0.5], FORCINGS["rain"], sensitivities=s, **tolerances)
            for s in (False, True)
        )
        return np.array([run.attrs["steps"] for run in runs])

    for loose, tight in (("rtol", "atol"), ("atol", "rtol")):
        usual, tighter = (steps(**{loose: t, tight: 1e-9}) for t in (1e-3, 1e-7))
        assert (1.5 * usual < tighter).all(), loose
    model = ph.marrmot.get("m_02")()  # exact kinks: a share of what is asked for
    problem = define_problem(model, ("discharge",), 1.0, rtol=1e-3, atol=1e-2)
    assert problem.settings()[3:5] == (0.3 * 1e-3, 0.3 * 1e-2)


@pytest.mark.kernels
def test_every_way_to_a_simulation_respects_the_tolerance():
    model, basin = ph.Hymod(), ph.load_basin("fulda").isel(time=slice(0, 250))

    def run(**settings):
        return simulate(model, model.default, basin, sensitivities=True, **settings)

    loose, usual = run(**LOOSE)["discharge"].values, run()["discharge"].values
    assert np.abs(loose - usual).max() > 1e-4
    plain = simulate(model, model.default, basin, **LOOSE)["discharge"].values
    with pm.Model():
        q = ph.discharge(model, model.default, basin, warmup=0, **LOOSE)
        np.testing.assert_array_equal(q.eval(), plain)
    with pm.Model():
        found = ph.outputs(model, model.default, basin, ("discharge",), warmup=0, **LOOSE)
        np.testing.assert_array_equal(found["discharge"].eval(), plain)
    built = ph.build_model(model, basin, warmup=100, **LOOSE)
    (op,) = {
        v.owner.op
        for v in ancestors(built.observed_RVs)
        if v.owner and hasattr(v.owner.op, "problem")
    }
    assert (op.problem.rtol, op.problem.atol) == (1e-2, 1e-2)
    few = {"starts": 1, "hops": 0, "method_options": {"max_nfev": 3}, "progressbar": False}
    fit = ph.calibrate(model, basin, warmup=100, random_seed=1, **few, **LOOSE)
    there = {name: float(value) for name, value in fit.theta.items()}
    again = simulate(model, there, basin, sensitivities=True, **LOOSE)["discharge"][100:]
    np.testing.assert_array_equal(fit.simulation["discharge"][-150:], again)
    assert ph.losses.nse(basin["discharge"][100:], again) == pytest.approx(fit.scores["nse"])
    score = ph.attribute(model, model.default, basin, "nse", **LOOSE).attrs["value"]
    assert score == pytest.approx(float(ph.losses.nse(basin["discharge"], plain)), rel=1e-12)
