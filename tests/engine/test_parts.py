"""Models with unit hydrographs between stores, signed stores and special functions."""

import numpy as np
import pytest

import pymc_hydro as ph
from pymc_hydro.core import AbstractModel, Flow, Laws, Output, Parameter, Store, exp, sin
from pymc_hydro.core.laws import hydrograph, rising_curve
from pymc_hydro.engine.derivation.parts import parts
from pymc_hydro.testing import checks
from tests.conftest import FORCINGS

SHORT = FORCINGS["rain"].isel(time=slice(0, 25))
LAW = Laws()


class Delayed(AbstractModel):
    """Two stores, with a unit hydrograph between them and a part that only passes it."""

    parameters = (
        Parameter("a", 1e-3, 1e-1, "1/d", "rate of the first store at 1 mm", default=0.01),
        Parameter("n", 1, 10, "d", "base", default=3.3),
        Parameter("k", 1e-2, 1, "1/d", "rate of the second store at 1 mm", default=0.5),
    )
    stores = (Store("S", "mm", "first"), Store("R", "mm", "second"))
    hydrographs = (hydrograph("H", rising_curve, lambda p: p.n, "a rising triangle"),)
    flows = (
        Flow("rain", None, "S"),
        Flow("f", "S", "H"),
        Flow("g", "H", "R"),
        Flow("d", "H", None),
        Flow("o", "R", None),
    )
    outputs = (Output("discharge", ("o", "d"), "mm/d", "outflow"),)

    def fluxes(self, s, u, p):
        g = 0.7 * u.H
        f, o = p.a * s.S * s.S, p.k * s.R * s.R
        return {"rain": u.precipitation, "f": f, "g": g, "d": u.H - g, "o": o}


class Deficit(AbstractModel):
    """A deficit as a signed store, its saturated area, and a season."""

    parameters = (
        Parameter("phi", 0.3, 4, "1", "shape", default=1.3),
        Parameter("f", 1e-3, 1, "1/mm", "decay", default=0.1),
        Parameter("k", 1e-2, 1, "1/d", "rate", default=0.5),
    )
    stores = (Store("D", "mm", "minus the deficit", -5, signed=True), Store("R", "mm", "above"))
    flows = (
        Flow("rain", None, "R"),
        Flow("q", "R", "D"),
        Flow("e", "D", None),
        Flow("o", "R", None),
    )
    outputs = (
        Output("discharge", ("o",), "mm/d", "outflow"),
        Output("evaporation", ("e",), "mm/d", "evaporation"),
    )

    def fluxes(self, s, u, p):
        area = LAW.gamma_share(-s.D, p.phi, 1 / p.f)
        season = 1 + sin(u.day_of_year / 58) / 2
        e = u.potential_evaporation * season * exp(s.D * p.f)
        below = p.k * s.R
        return {"rain": u.precipitation, "q": (1 - area) * below, "o": area * below, "e": e}


@pytest.mark.kernels
@pytest.mark.parametrize("model", [Delayed(), Deficit()], ids=["delayed", "deficit"])
def test_against_independent_solutions(model):
    for check in (
        checks.discharge_against_scipy,
        checks.fixed_step_sensitivities,
        checks.adaptive_sensitivities,
    ):
        finding = check(model, model.default, SHORT)
        assert finding.error <= 1, finding


@pytest.mark.kernels
def test_water_of_a_hydrograph_arrives_once():
    """A pulse of a day: the second store gets 70 % of it, spread over the base."""
    model = Delayed()
    run = ph.simulate(model, model.default, SHORT, ("f", "g", "d"), rtol=1e-9, atol=1e-9)
    ordinate = model.hydrographs[0].ordinate
    p = type("P", (), dict(zip(model.parameter_names, model.default, strict=True)))
    shares = [ordinate(j, j + 1, p) for j in range(5)]
    assert sum(shares) == pytest.approx(1)
    arrived = np.convolve(run["f"].values, shares)[: len(run["f"])]
    np.testing.assert_allclose(run["g"].values, 0.7 * arrived, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(run["d"].values, 0.3 * arrived, rtol=1e-10, atol=1e-13)


@pytest.mark.kernels
def test_a_deficit_costs_no_more_steps_than_a_store():
    """Once a store that was below zero could fall by 1e-4 mm a step only."""
    model = Deficit()
    run = ph.simulate(model, model.default, FORCINGS["dry"], ("D",))
    assert run["D"].values.max() < -5
    assert run.attrs["steps"] < 5 * run.sizes["time"]


def test_parts_follow_what_is_asked_for():
    model = Delayed()
    (only,) = parts(model, model.select_outputs(("S", "f")))
    assert (only.held, only.stores) == ((), ("S",))
    first, second = parts(model, model.select_outputs(("discharge", "S")))
    assert [o.name for o in first.outputs] == ["S", "_into_H"]
    assert (second.held, second.stores) == (("H",), ("R",))


def test_errors_of_hydrographs():
    class Back(Delayed):
        def fluxes(self, s, u, p):
            return {**super().fluxes(s, u, p), "f": p.a * s.S + u.H}

    with pytest.raises(ValueError, match="must not feed back"):
        parts(Back(), Back().select_outputs(("discharge",)))
    with pytest.raises(ValueError, match=r"must add up to u\.H"):
        type("Lost", (Delayed,), {"fluxes": lambda self, s, u, p: {
            **Delayed.fluxes(self, s, u, p), "d": u.H}})  # fmt: skip
    with pytest.raises(ValueError, match=r"must lead to the unit hydrograph 'H' \(found none\)"):
        type("Dry", (Delayed,), {
            "flows": (Delayed.flows[0], Flow("f", "S", None), *Delayed.flows[2:]),
            "outputs": (Output("discharge", ("f", "o", "d"), "mm/d", "outflow"),)})  # fmt: skip
