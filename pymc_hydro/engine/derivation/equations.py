"""A model's equations as SymPy, to read and to check."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pymc_hydro.core.maps import AbstractMap
from pymc_hydro.core.model import AbstractModel

__all__ = ["Equations", "equations"]


@dataclass(frozen=True)
class Equations:
    """Fluxes, right-hand side and Jacobians as SymPy expressions; LaTeX in notebooks.

    SymPy differentiates the flux function independently of the kernels. Equal Jacobians show that
    both are right.

    Attributes
    ----------
    fluxes : dict of str to Expr
    right_hand_side : dict of str to Expr
        By store, in symbols of the fluxes.
    J : Matrix, shape (n_state, n_state)
    B : Matrix, shape (n_state, n_parameter)
    states, parameters, forcings : dict of str to Symbol
    rates : Matrix, shape (n_state, 1)
        The right-hand side with the fluxes put in.
    change : str
        How a row of the right-hand side begins: a derivative; of a map, a change in an interval.
    J : Matrix, shape (n_state, n_state)
    B : Matrix, shape (n_state, n_parameter)
        They are derived when they are first asked for, which takes a minute where fluxes depend on
        many others.
    """

    fluxes: dict
    right_hand_side: dict
    states: dict
    parameters: dict
    forcings: dict
    rates: Any = field(repr=False)
    change: str = "d{}/dt"

    @cached_property
    def J(self) -> Any:
        """Return the derivatives of the rates by the states."""
        return self.rates.jacobian(list(self.states.values()))

    @cached_property
    def B(self) -> Any:
        """Return the derivatives of the rates by the parameters."""
        return self.rates.jacobian(list(self.parameters.values()))

    def _lines(self, printer):
        import sympy

        derivative = {k: sympy.Symbol(self.change.format(k)) for k in self.right_hand_side}
        rows = [sympy.Eq(sympy.Symbol(k), v, evaluate=False) for k, v in self.fluxes.items()]
        rates = self.right_hand_side.items()
        rows += [sympy.Eq(derivative[k], v, evaluate=False) for k, v in rates]
        return [printer(row) for row in rows]

    def __repr__(self):
        return "\n".join(self._lines(lambda row: f"{row.lhs} = {row.rhs}"))

    def latex(self) -> list[str]:
        """Return each flux and each balance as a line of LaTeX."""
        import sympy

        return self._lines(sympy.latex)

    def _repr_latex_(self):
        rows = [line.replace(" = ", " &= ", 1) for line in self.latex()]
        return r"$\displaystyle \begin{aligned}" + r" \\ ".join(rows) + r"\end{aligned}$"


def equations(model: AbstractModel) -> Equations:
    """Return the equations of a model as SymPy expressions; needs the extra ``equations``.

    Parameters
    ----------
    model : AbstractModel

    Returns
    -------
    Equations

    Raises
    ------
    ImportError
        If SymPy is not installed.

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> found = ph.equations(ph.Hymod(snow=False))
    >>> found.right_hand_side["S_u"]
    -E_a + P_liq - q_f - q_s
    """
    try:
        import sympy
    except ImportError:
        raise ImportError("ph.equations needs SymPy: pip install 'pymc-hydro[equations]'") from None

    # SymPy finds out what is real, and takes minutes for nested roots, unless it knows the signs.
    def symbols(names, positive=(), nonnegative=()):
        return {
            name: sympy.Symbol(
                name,
                real=True,
                positive=name in positive or None,
                nonnegative=name in nonnegative or None,
            )
            for name in names
        }

    full = {store.name for store in model.stores if not store.signed}
    states = symbols(model.store_names, nonnegative=full)
    above = {p.name for p in model.parameters if p.lower > 0}
    parameters = symbols(model.parameter_names, positive=above)
    forcings = symbols(model.forcing_names, nonnegative=set(model.forcing_names) - {"temperature"})
    forcings |= symbols(hydrograph.output for hydrograph in model.hydrographs)
    fluxes = model.evaluate(states, forcings, parameters)
    return Equations(
        fluxes=fluxes,
        right_hand_side=model.right_hand_side(symbols(fluxes)),
        states=states,
        parameters=parameters,
        forcings=forcings,
        rates=sympy.Matrix(list(model.right_hand_side(fluxes).values())),
        change="Delta {}/Delta t" if isinstance(model, AbstractMap) else "d{}/dt",
    )
