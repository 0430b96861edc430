import numpy as np
import pytest

from pymc_hydro.core.declaration import Flow, Output, Parameter, Store
from pymc_hydro.core.model import AbstractModel

RATE = Parameter("k", 0.1, 2, "1/d", "rate")
STORE = Store("S", "mm", "store")
RAIN, OUT = Flow("rain", None, "S"), Flow("q", "S", None)
DISCHARGE = Output("discharge", ("q",), "mm/d", "outflow")


def declare(**changes):
    """Declare a model of one reservoir with some attributes changed."""
    attributes = {
        "__doc__": "One reservoir.",
        "parameters": (RATE,),
        "stores": (STORE,),
        "flows": (RAIN, OUT),
        "outputs": (DISCHARGE,),
        "fluxes": lambda self, s, u, p: {"rain": u.precipitation, "q": p.k * s.S},
    } | changes
    return type("Reservoir", (AbstractModel,), attributes)


def test_a_sound_declaration_is_accepted():
    model = declare()()
    assert model.parameter_names == ("k",)
    assert model.forcing_names == ("precipitation",)
    assert model.output_names == ("discharge", "S", "rain", "q")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("k", 2, 1, "1/d", ""), "lower < upper"),
        (("k", 0, np.inf, "1/d", ""), "finite"),
        (("k", 0, 1, "1/week", ""), "unknown unit '1/week'"),
        (("k f", 0, 1, "1", ""), "Python identifier"),
        (("k", 0, 1, "1", "", 3), "outside its bounds"),
    ],
)
def test_parameter_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        Parameter(*arguments)


def test_store_flow_and_output_errors():
    with pytest.raises(ValueError, match="not negative"):
        Store("S", "mm", "", initial=-1)
    with pytest.raises(ValueError, match="two different stores"):
        Flow("q", "S", "S")
    with pytest.raises(ValueError, match="at least one flux"):
        Output("x", (), "mm", "")


def fluxes(**values):
    def function(self, s, u, p):
        known = {"P": u.precipitation, "S": s.S, "k": p.k}
        return {name: value(known) for name, value in values.items()}

    return function


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parameters": (RATE, RATE)}, "declared twice"),
        ({"stores": ()}, "not declared|at least one Store"),
        ({"flows": (RAIN, Flow("q", "R", None))}, "names the store 'R'"),
        ({"stores": (STORE, Store("R", "mm", "idle"))}, "no flow enters or leaves the store 'R'"),
        ({"flows": (RAIN, Flow("p", "S", None))}, "'p' is used in a flow"),
        (
            {
                "flows": (RAIN, OUT, Flow("leak", "S", None)),
                "fluxes": fluxes(rain=lambda v: v["P"], q=lambda v: v["S"], leak=lambda v: v["S"]),
            },
            "'leak' leaves the basin",
        ),
        (
            {"fluxes": fluxes(rain=lambda v: 0.9 * v["P"], q=lambda v: v["k"] * v["S"])},
            "does not close.*add up to the precipitation",
        ),
        ({"outputs": (Output("runoff", ("q",), "mm/d", ""),)}, "declare Output\\('discharge'"),
        ({"outputs": (DISCHARGE, Output("x", ("q", "S"), "mm", ""))}, "adds fluxes to stores"),
        ({"ordered": (("k", "z"),)}, "'z', which is not declared"),
    ],
)
def test_declarations_that_make_no_sense(changes, message):
    with pytest.raises(ValueError, match=message):
        declare(**changes)


def test_unknown_names_in_the_flux_function():
    with pytest.raises(KeyError, match="unknown parameter 'K'; known are k"):
        declare(fluxes=lambda self, s, u, p: {"rain": u.precipitation, "q": p.K * s.S})


def test_branching_on_a_value_is_refused(rng):
    def branching(self, s, u, p):
        if np.all(s.S > 10):
            return {"rain": u.precipitation, "q": p.k * s.S}
        return {"rain": u.precipitation, "q": p.k * s.S * s.S}

    from pymc_hydro.engine.derivation.system import derive

    model = declare(fluxes=branching)()
    with pytest.raises(TypeError, match="must not branch"):
        derive(model, model.select_outputs(["discharge"]))
