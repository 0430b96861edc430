"""Products of cotangents with the Jacobians of a system, for the sweep back in time.

With a cotangent for each rate, one number is differentiated: the sum of all rates times their
cotangents. Its derivatives by head states, parameters and forcing are the products with the
transposed Jacobians, ``J' k``, ``B' k`` and ``U' k``. Vertex elimination with one output is the
reverse mode of differentiation (Griewank & Walther, 2008): the products cost a few evaluations of
the rates, however many inputs there are.
"""

from dataclasses import dataclass, replace

from pymc_hydro.core.declaration import Output
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.engine.derivation.system import COTANGENT, System, derive, levels_of

__all__ = ["Transposed", "transpose"]


@dataclass(frozen=True)
class Transposed:
    """A system, and the products of its transposed Jacobians with the cotangents of its rates.

    Attributes
    ----------
    system : System
        With the products among the operations of its program.
    products : dict of str to int
        By head state, parameter or forcing: the sum over rates of the derivative of the rate times
        ``COTANGENT + row``. An input that no rate depends on is left out.
    """

    system: System
    products: tuple[dict[str, int], ...]


def transpose(
    model: AbstractModel,
    outputs: tuple[Output, ...],
    held: tuple[str, ...] = (),
    kept: tuple[str, ...] | None = None,
    several: bool = True,
) -> Transposed:
    """Return the transposed system of a model; for the arguments see :func:`derive`."""
    system = derive(model, outputs, held, kept, several)
    program, products = system.program, []
    for section in system.sections:
        total = program.constant(0.0)
        driven = [n for n in section.linear if n in system.driven]
        for row in (*section.head, *driven):
            term = program.node("mul", system.rates[row], program.symbol(COTANGENT + row))
            total = program.node("add", total, term)
        inputs = (*system.head, *system.read, *model.parameter_names, *model.forcing_names)
        found = program.jacobian({"total": total}, inputs)
        products.append({by: n for (_, by), n in found.items()})
    return Transposed(replace(system, levels=levels_of(program, model)), tuple(products))
