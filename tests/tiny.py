"""The smallest model with a non-linear store and a routing store."""

from pymc_hydro.core.declaration import Flow, Output, Parameter, Store
from pymc_hydro.core.model import AbstractModel


class Tiny(AbstractModel):
    """Two stores in series, the first one empties with the square of its content."""

    parameters = (
        Parameter("a", 1e-3, 1e-1, "1/d", "rate of the first store at 1 mm", default=0.01),
        Parameter("k", 1e-2, 10, "1/d", "rate of the second store", default=0.5),
    )
    stores = (Store("S", "mm", "first"), Store("R", "mm", "second"))
    flows = (Flow("rain", None, "S"), Flow("f", "S", "R"), Flow("o", "R", None))
    outputs = (Output("discharge", ("o",), "mm/d", "outflow"),)

    def fluxes(self, s, u, p):
        return {"rain": u.precipitation, "f": p.a * s.S * s.S, "o": p.k * s.R}
