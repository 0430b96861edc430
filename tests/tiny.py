"""Small models of tests."""

import pymc_hydro as ph
from pymc_hydro.core import AbstractModel, Flow, NashCascade, Output, Parameter, Store
from pymc_hydro.engine.problem import INFERENCE_TOLERANCE

# For ph.simulate, whose own tolerances are tighter: those of a simulation in a PyMC model.
IN_MODELS = {"rtol": INFERENCE_TOLERANCE, "atol": INFERENCE_TOLERANCE}


class Tiny(AbstractModel):
    """The smallest model with a non-linear store and a routing store."""

    parameters = (
        Parameter("a", 1e-3, 1e-1, "1/d", "rate of the first store at 1 mm", default=0.01),
        Parameter("k", 1e-2, 10, "1/d", "rate of the second store", default=0.5),
    )
    stores = (Store("S", "mm", "first"), Store("R", "mm", "second"))
    flows = (Flow("rain", None, "S"), Flow("f", "S", "R"), Flow("o", "R", None))
    outputs = (Output("discharge", ("o",), "mm/d", "outflow"),)

    def fluxes(self, s, u, p):
        return {"rain": u.precipitation, "f": p.a * s.S * s.S, "o": p.k * s.R}


class Leaky(ph.GR4J):
    """GR4J with an option of its own, in a list, as users give it."""

    def __init__(self, *, weights=(1.0,), **options):
        self.weights = tuple(weights)
        super().__init__(**options)


class Numbered(Tiny):
    """A model that cannot be made without an argument.

    Parameters
    ----------
    n : int
        Of stores.
    """

    def __init__(self, n, **options):
        self.chain = NashCascade("N", "n_", n, None)
        self.stores = (Tiny.stores[0], *self.chain.stores)
        self.flows = (Tiny.flows[0], Flow("f", "S", "N1"), *self.chain.flows)
        self.outputs = (Output("discharge", (f"n_{n}",), "mm/d", "outflow"),)
        super().__init__(**options)

    def fluxes(self, s, u, p):
        return {"rain": u.precipitation, "f": p.a * s.S * s.S, **self.chain.fluxes(s, p.k)}
