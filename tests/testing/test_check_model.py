from types import SimpleNamespace

import numpy as np
import pytest

import pymc_hydro as ph
from pymc_hydro.core.functions import piecewise
from pymc_hydro.testing import checks
from pymc_hydro.testing.frozen import recorded_run
from tests.conftest import FORCINGS
from tests.tiny import Tiny

pytestmark = pytest.mark.kernels

SHORT = FORCINGS["storm"].isel(time=slice(0, 20))


class Broken(Tiny):
    """Declares branches that do not meet."""

    def fluxes(self, s, u, p):
        f = p.a * s.S * s.S
        leap = piecewise(s.S - 10, 2 * f, f, continuity=0)
        return {"rain": u.precipitation, "f": leap, "o": p.k * s.R}


class Kinked(Tiny):
    """Declares equal slopes where there is a kink."""

    def fluxes(self, s, u, p):
        f = piecewise(s.S - 10, p.a * (2 * s.S - 10), p.a * s.S, continuity=1)
        return {"rain": u.precipitation, "f": f, "o": p.k * s.R}


class KinkedAtTheBound(Tiny):
    """A rate with a kink at the upper bound of `k`, which has the slope of either side there."""

    def __init__(self, *, outside=False, **options):
        self.outside = outside
        super().__init__(**options)

    def fluxes(self, s, u, p):
        if self.outside:
            k = piecewise(10 - p.k, p.k, 10, continuity=0)
        else:
            k = piecewise(p.k - 10, 10, p.k, continuity=0)
        return {"rain": u.precipitation, "f": p.a * s.S * s.S, "o": k * s.R}


def test_not_a_number_fails():
    assert str(checks.Finding("x", np.nan)).startswith("FAILS")
    assert checks.Finding("x", np.nan).error > checks.Finding("x", 1e9).error


def test_a_sound_model_passes():
    findings = ph.testing.check_model(Tiny, draws=3)
    assert len(findings) == 13 and all(f.error <= 1 for f in findings)


def test_a_jump_is_found(rng):
    assert checks.continuity(Broken(), rng).error > 1
    with pytest.raises(AssertionError, match="FAILS: branches meet as declared"):
        ph.testing.check_model(Broken, draws=1)


def test_a_kink_declared_smooth_is_found(rng):
    assert checks.continuity(Kinked(), rng).error > 1


@pytest.mark.parametrize("column", [0, 1])
def test_a_wrong_sensitivity_is_found(monkeypatch, column):
    def spoiled(*arguments, **options):
        run = ph.simulate(*arguments, **options)
        if "ddischarge_dparameter" in run:
            run["ddischarge_dparameter"].values[:, column] *= 1 + 1e-6
        return run

    monkeypatch.setattr(checks, "simulate", spoiled)
    assert checks.fixed_step_sensitivities(Tiny(), Tiny().default, SHORT).error > 1


def test_a_wrong_adaptive_jacobian_is_found(monkeypatch):
    def spoiled(*arguments):
        run, levels = recorded_run(*arguments)
        run.jacobian[:, 0, 0] *= 1 + 1e-4
        return run, levels

    monkeypatch.setattr(checks, "recorded_run", spoiled)
    assert checks.adaptive_sensitivities(Tiny(), Tiny().default, SHORT).error > 1


@pytest.mark.parametrize(
    ("noise", "wrong", "passes"),
    [(2e-9, 0, True), (2e-9, 7e-6, False), (1e-6, 0, False), (0, 7e-7, True), (0, 1e-5, False)],
)
def test_scatter_of_differences_is_averaged_up_to_a_limit(monkeypatch, noise, wrong, passes):
    """Of differences with many steps the mean counts; an error beyond its own is found."""
    theta, rng = Tiny().default, np.random.default_rng(1)
    slopes = np.ones((20, 2)) / theta
    values = np.ones((20, 1))
    run = SimpleNamespace(values=values, jacobian=(slopes * [1, 1 + wrong])[:, None])

    def frozen_run(problem, there, *_):
        moved = slopes @ (there - theta) + noise * rng.normal(size=20)
        return SimpleNamespace(values=values + moved[:, None])

    monkeypatch.setattr(checks, "recorded_run", lambda *_: (run, None))
    monkeypatch.setattr(checks, "frozen_run", frozen_run)
    finding = checks.adaptive_sensitivities(Tiny(), theta, SHORT)
    assert (finding.error <= 1) == passes, finding


@pytest.mark.parametrize("outside", [False, True])
def test_at_a_bound_the_slope_is_the_one_inside(outside):
    model = KinkedAtTheBound(outside=outside)
    finding = checks.adaptive_sensitivities(model, np.array([0.01, 10.0]), SHORT)
    assert (finding.error > 1) == outside, finding


def test_wrong_rates_are_found(monkeypatch, rng):
    def rates_of_another(model, outputs, x, u, p):
        right = checks.__dict__["_right"](model, outputs, x, u, p)
        return [right[0] * (1 + 1e-9), *right[1:]]

    monkeypatch.setitem(checks.__dict__, "_right", checks.rates)
    monkeypatch.setattr(checks, "rates", rates_of_another)
    assert checks.rates_and_jacobians(Tiny(), Tiny().default, rng).error > 1


def test_wrong_rates_that_are_infinite_nearby_are_found(monkeypatch, rng):
    """Infinite scatter is no allowance."""
    right, calls = checks.get_rates(Tiny())[1], []

    def kernel(x, u, theta, *found):
        right(x, u, theta, *found)
        for array in found:
            array[...] = np.inf if calls else array * (1 + 1e-9)
        calls.append(x)

    monkeypatch.setattr(checks, "get_rates", lambda model: (None, kernel))
    assert checks.rates_and_jacobians(Tiny(), Tiny().default, rng).error == np.inf
    assert len(calls) > 1


def test_an_infinite_allowance_fails():
    columns = np.ones((3, 2))
    finding = checks.compare_columns("x", Tiny(), Tiny().default, columns, columns, 1e-9, np.inf)
    assert finding.error == np.inf


def test_lost_water_and_wrong_discharge_are_found(monkeypatch):
    def spoiled(*arguments, **options):
        run = ph.simulate(*arguments, **options)
        for name in ("o", "discharge"):
            if name in run:
                run[name] = run[name] * (1 + 1e-5)
        return run

    monkeypatch.setattr(checks, "simulate", spoiled)
    assert checks.water_balance(Tiny(), Tiny().default, SHORT).error > 1
    assert checks.discharge_against_scipy(Tiny(), Tiny().default, SHORT).error > 1


def test_a_poor_jacobian_is_found(monkeypatch):
    def spoiled(*arguments, **options):
        run = ph.simulate(*arguments, **options)
        if options["rtol"] > 1e-6:
            run["ddischarge_dparameter"] = run["ddischarge_dparameter"] * 1.1
        return run

    monkeypatch.setattr(checks, "simulate", spoiled)
    assert checks.jacobian_at_default_tolerance(Tiny(), np.array([0.05, 1]), SHORT).error > 1
