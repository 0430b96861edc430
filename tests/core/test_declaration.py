import re

import numpy as np
import pytest

from pymc_hydro.core import AbstractModel, Flow, Output, Parameter, Store, UnitHydrograph

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
    with pytest.raises(TypeError, match=r"a tuple of one has a comma: \('q_s',\)"):
        Output("discharge", ("q_s"), "mm/d", "")


def add(**more):
    """Return a flux function that returns more than that of the reservoir."""

    def fluxes(self, s, u, p):
        values = {name: value(s, p) for name, value in more.items()}
        return {"rain": u.precipitation, "q": p.k * s.S} | values

    return fluxes


LEAK = {"fluxes": add(leak=lambda s, p: s.S)}
OTHER = Parameter("x", 0, 1, "1", "other")
ROUTED = UnitHydrograph("runoff", lambda start, end, p: 1.0, lambda p: 1.0)

# What is declared, and what its author is told.
MISTAKES = {
    "no discharge": (
        {"outputs": (Output("runoff", ("q",), "mm/d", ""),)},
        "declare Output('discharge', ...), the sum of the fluxes that a gauge sees",
    ),
    "no store": ({"stores": (), "flows": ()}, "declare at least one Store"),
    "parameter twice": ({"parameters": (RATE, RATE)}, "parameter ['k'] declared twice"),
    "flow twice": (
        {"flows": (RAIN, OUT, OUT)},
        "flux ['q'] declared twice; give the second flow a flux of its own",
    ),
    "unknown store": (
        {"flows": (RAIN, Flow("q", "R", None))},
        "flow 'q' names the store 'R', which is not declared; known are S",
    ),
    "idle store": (
        {"stores": (STORE, Store("R", "mm", "idle"))},
        "no flow enters or leaves the store 'R'",
    ),
    "idle parameter": (
        {"parameters": (RATE, OTHER)},
        "no equation reads the parameter 'x', so that it has no effect; use it or leave it out",
    ),
    "idle flux": (
        LEAK,
        "fluxes() returns 'leak', which no Flow and no Output names, so that it has no effect; "
        "declare Flow('leak', source, target) or an Output of it, or do not return it",
    ),
    "flux that is not returned": (
        {"flows": (RAIN, Flow("p", "S", None))},
        "'p' is used in a flow or output, but is neither a store nor returned by fluxes(); known "
        "are rain, q, S",
    ),
    "unknown term": (
        {"outputs": (DISCHARGE, Output("soil", ("Z",), "mm", ""))},
        "'Z' is used in a flow or output",
    ),
    "water that leaves unseen": (
        {"flows": (RAIN, OUT, Flow("leak", "S", None)), **LEAK},
        "flux 'leak' leaves the basin and must be part of exactly one output (such as 'discharge' "
        "or 'evaporation'), found in 0",
    ),
    "water lost on entry": (
        {"fluxes": lambda self, s, u, p: {"rain": 0.9 * u.precipitation, "q": p.k * s.S}},
        "the flows from outside (rain) must add up to the precipitation, but differ by up to 0.1 "
        "of it; what is not precipitation belongs into `exchanges`",
    ),
    "fluxes added to stores": (
        {"outputs": (DISCHARGE, Output("x", ("q", "S"), "mm", ""))},
        "output 'x' adds fluxes to stores",
    ),
    "term twice": (
        {"outputs": (DISCHARGE, Output("x", ("S", "S"), "mm", ""))},
        "output 'x' names a term twice",
    ),
    "wrong unit": (
        {"outputs": (Output("discharge", ("q",), "mm", ""),)},
        "output 'discharge' has the unit 'mm', but 'q' is in mm/d",
    ),
    "parameter called as a store": (
        {"parameters": (RATE, Parameter("S", 0, 1, "1", ""))},
        "'S' is the name of a parameter and of a store; rename one",
    ),
    "parameter called as a forcing": (
        {"parameters": (RATE, Parameter("temperature", 0, 1, "1", ""))},
        "'temperature' is the name of a forcing and of a parameter; rename one",
    ),
    "store called as a flux": (
        {"flows": (RAIN, Flow("S", "S", None))},
        "'S' is the name of a store and of a flux; rename one",
    ),
    "flux called as a parameter": (
        {
            "fluxes": add(k=lambda s, p: p.k * s.S),
            "outputs": (DISCHARGE, Output("x", ("k",), "mm/d", "")),
        },
        "'k' is the name of a parameter and of a flux; rename one",
    ),
    "output called as another store": (
        {"outputs": (DISCHARGE, Output("S", ("q",), "mm/d", ""))},
        "'S' is the name of a store and of an output; rename one",
    ),
    "store called as a dimension": (
        {"stores": (Store("time", "mm", ""),)},
        "'time' is the name of a dimension and of a store; rename one",
    ),
    "stores whose pairs have one name": (
        {"stores": (STORE, Store("S_S", "mm", ""))},
        "the stores S, S_S give two pairs the name 'S_S_S'; rename one of them",
    ),
    "pair of one": ({"ordered": (("k", "k"),)}, "ordered must hold pairs of two parameters"),
    "unknown pair": ({"ordered": (("k", "z"),)}, "ordered names the parameter 'z', which is not"),
    "unknown exchange": (
        {"exchanges": ("z",)},
        "exchanges names 'z', which is not a flow from or to outside",
    ),
    "routing of an unknown output": ({"routing": ROUTED}, "routing names the output 'runoff'"),
    "negative start": (
        {"stores": (Store("S", "mm", "", initial=lambda p: p.k - 1),)},
        "the initial content of S is negative or not finite",
    ),
}


@pytest.mark.parametrize(("changes", "message"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_named_with_what_to_change(changes, message):
    with pytest.raises(ValueError, match=f"^Reservoir: .*{re.escape(message)}"):
        declare(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"parameters": (RATE)},
            "parameters must be a tuple of Parameter, found Parameter(name='k'",
        ),
        ({"flows": (RAIN, "q")}, "flows must be a tuple of Flow, found (Flow("),
        ({"exchanges": ("rain")}, "exchanges must be a tuple of str, found 'rain'"),
        ({"ordered": ("k", "k")}, "ordered must be a tuple of tuple, found ('k', 'k')"),
        ({"fluxes": lambda self, s, u, p: None}, "must return a dict of fluxes, found NoneType"),
    ],
)
def test_what_is_no_tuple_of_the_right_thing(changes, message):
    with pytest.raises(TypeError, match=f"^Reservoir.*{re.escape(message)}"):
        declare(**changes)


def test_a_parameter_may_act_through_a_start_or_a_unit_hydrograph_alone():
    start = Store("S", "mm", "", initial=lambda p: 10 * p.x)
    assert declare(parameters=(RATE, OTHER), stores=(start,))().parameter_names == ("k", "x")
    routing = UnitHydrograph("discharge", lambda a, b, p: (b - a) / p.x, lambda p: p.x, (OTHER,))
    assert declare(routing=routing)().parameter_names == ("k", "x")
    with pytest.raises(KeyError, match="capacity: unknown parameter 'z'; known are k"):
        declare(stores=(Store("S", "mm", "", capacity="z"),))


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
