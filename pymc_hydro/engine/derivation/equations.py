"""A model's equations as SymPy, to check; and as LaTeX, to read."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pymc_hydro.core.base.expression import choice
from pymc_hydro.core.functions import laws_by_name
from pymc_hydro.core.maps import AbstractMap
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.models.listing import as_model

__all__ = ["Equations", "equations", "latex_lines", "symbols_first"]

# How a law is written: a kink as if it were exact.
FORMS = {
    "pos": r"\max\left({0}, 0\right)",
    "positive": r"\max\left({0}, 0\right)",
    "content": r"\max\left({0}, 0\right)",
    "minimum": r"\min\left({0}, {1}\right)",
    "lesser": r"\min\left({0}, {1}\right)",
    "maximum": r"\max\left({0}, {1}\right)",
    "clamp": r"\min\left(\max\left({0}, 0\right), 1\right)",
    "share": r"\min\left(\max\left({0}, 0\right), 1\right)",
    "step": r"\operatorname{{step}}\left({0}\right)",
    "softplus": r"\operatorname{{softplus}}\left({0}\right)",
    "overflow": r"\operatorname{{overflow}}\left({0}, {1}\right)",
    "full_to": r"\operatorname{{overflow}}\left({0}, {1}\right)",
    "guarded_power": r"\left({0}\right)^{{{1}}}",
    "exponential_law": r"\frac{{1 - \exp\left(-{1} {0}\right)}}{{1 - \exp\left(-{1}\right)}}",
}
SEVERAL = {"least": r"\min", "greatest": r"\max"}
FORCING = {"precipitation": "P", "potential_evaporation": "E_p", "temperature": "T"}
DIGITS, LARGE = 4, 4  # of numbers; digits beyond which a power of ten is written
WORTH = 5  # operations of an expression that has a symbol where it comes back
NOTHING, DEEP = 1e-15, 3  # between two numbers; pieces within pieces
FEW = 2  # operations of an argument whose sign is looked for
WIDE = 48  # letters that a phone shows in a line


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
    states, parameters, forcings : dict of str to Symbol
    rates : Matrix, shape (n_state, 1)
        The right-hand side with the fluxes put in.
    readable : dict of str to Expr
        The fluxes with laws such as ``pos`` as functions.
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
    readable: dict = field(repr=False)
    change: str = "d{}/dt"

    @cached_property
    def J(self) -> Any:
        """Return the derivatives of the rates by the states."""
        return self.rates.jacobian(list(self.states.values()))

    @cached_property
    def B(self) -> Any:
        """Return the derivatives of the rates by the parameters."""
        return self.rates.jacobian(list(self.parameters.values()))

    def __repr__(self):
        rates = {self.change.format(k): v for k, v in self.right_hand_side.items()}
        return "\n".join(f"{k} = {v}" for k, v in (self.fluxes | rates).items())

    def latex(self) -> list[str]:
        """Return each flux and each balance as a line of LaTeX, to be read.

        Kinks are written as if they were exact, such as max(x, 0); a flux or an expression that
        comes back has a symbol. `fluxes` has the equations as they are.
        """
        return latex_lines(self.readable, self.right_hand_side, self.change)

    def _repr_latex_(self):
        rows = [line.replace(" = ", " &= ", 1) for line in self.latex()]
        return r"$\displaystyle \begin{aligned}" + r" \\ ".join(rows) + r"\end{aligned}$"


def equations(model: AbstractModel | str) -> Equations:
    """Return the equations of a model as SymPy expressions; needs the extra ``equations``.

    Parameters
    ----------
    model : AbstractModel or str
        A name stands for the model with default options, such as "m_01" or "fuse/prms".

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

    model = as_model(model)

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
    other = {p.name for p in model.parameters if p.lower == 0}
    parameters = symbols(model.parameter_names, positive=above, nonnegative=other)
    forcings = symbols(model.forcing_names, nonnegative=set(model.forcing_names) - {"temperature"})
    forcings |= symbols(hydrograph.output for hydrograph in model.hydrographs)
    fluxes = model.evaluate(states, forcings, parameters)
    with laws_by_name():
        readable = model.evaluate(states, forcings, parameters)
    return Equations(
        fluxes=fluxes,
        readable=readable,
        right_hand_side=model.right_hand_side(symbols(fluxes)),
        states=states,
        parameters=parameters,
        forcings=forcings,
        rates=sympy.Matrix(list(model.right_hand_side(fluxes).values())),
        change="Delta {}/Delta t" if isinstance(model, AbstractMap) else "d{}/dt",
    )


def latex_lines(fluxes: dict, rates: dict, change: str) -> list[str]:
    """Return lines of LaTeX: symbols of repeated expressions, fluxes, rates of change.

    Parameters
    ----------
    fluxes : dict of str to Expr
        With laws as functions of SymPy.
    rates : dict of str to Expr
        By store, in symbols of the fluxes.
    change : str
        How a row of the rates begins, as in ``d{}/dt``.
    """
    show, short = _printer(), symbols_first(fluxes)
    lines = [f"{show(k)} = {_broken(v, show)}" for k, v in short.items()]
    top, _, bottom = change.partition("/")
    head = r"\Delta {}" if top.startswith("Delta") else "d {}"
    bottom = bottom.replace("Delta ", r"\Delta ")
    for name, rate in rates.items():
        lines.append(rf"\frac{{{head.format(show(name))}}}{{{bottom}}} = {_broken(rate, show)}")
    return lines


def symbols_first(fluxes: dict) -> dict:
    """Return fluxes in terms of the fluxes before them, each after the symbols that it needs."""
    import sympy

    show = _printer()
    rounded = {k: _rounded(sympy.sympify(v)) for k, v in fluxes.items()}
    known: dict[Any, Any] = {}
    short = {}
    for name, value in rounded.items():
        short[name] = value.subs(known) if known else value
        if value.count_ops() > 1 and value not in known:
            known = {value: sympy.Symbol(name), **known}  # the last, and largest, first
    names = iter(sympy.Dummy, None)
    pairs, values = sympy.cse(list(short.values()), symbols=names, order="none")
    inside: dict[Any, Any] = {}
    kept: dict[Any, Any] = {}
    for symbol, value in pairs:
        value = value.xreplace(inside)
        worth = value.count_ops() >= WORTH and not isinstance(value, sympy.Function)
        (kept if worth else inside)[symbol] = value
    found: dict[str, Any] = {}
    numbers: dict[Any, Any] = {}

    def add(value):
        for symbol in sorted(value.free_symbols & kept.keys(), key=list(kept).index):
            if symbol not in numbers:
                numbers[symbol] = named(add(kept[symbol]))
        return shortened(value.xreplace(numbers))

    def named(value):
        for name, before in found.items():
            if name.startswith("y_") and before == value:
                return sympy.Symbol(name)
        symbol = sympy.Symbol(f"y_{sum(name.startswith('y_') for name in found) + 1}")
        found[symbol.name] = value
        return symbol

    def shortened(value):
        """Give symbols to the largest parts that fit in a line, until the rest fits."""
        while _width(value, show) > WIDE:
            parts = [p for p in sympy.preorder_traversal(value) if isinstance(p, sympy.Expr)]
            fitting = {p: w for p in parts[1:] if WIDE / 4 < (w := _width(p, show)) <= WIDE}
            if not fitting:
                break
            part = max(fitting, key=lambda p: fitting[p])
            value = value.xreplace({part: named(part)})
        return value

    for name, value in zip(short, values, strict=True):
        found[name] = add(value.xreplace(inside))
    return found


def _rounded(value: Any) -> Any:
    """Return an expression with whole numbers where numbers are whole, without idle kinks."""
    import sympy

    whole = {n: sympy.Integer(int(n)) for n in value.atoms(sympy.Float) if float(n).is_integer()}
    value = value.xreplace(whole)
    kinks = {}
    for piece in value.atoms(choice(sympy)):
        switch, above, below = piece.args
        for name, difference in (("greatest", above - below), ("least", below - above)):
            gap = sympy.expand(switch - difference)
            if gap.is_number and abs(gap) < NOTHING:
                kinks[piece] = sympy.Function(name, real=True)(above, below)
    for _ in range(DEEP):
        value = value.xreplace(kinks)
    known = {}
    for kink in value.atoms(sympy.Function):
        if kink.func.__name__ in ("pos", "positive") and kink.args[0].count_ops() <= FEW:
            if kink.args[0].is_nonnegative:
                known[kink] = kink.args[0]
            elif kink.args[0].is_nonpositive:
                known[kink] = sympy.Integer(0)
    return value.xreplace(known)


def _broken(value: Any, show: Any) -> str:
    """Return a sum in several lines where it is wide."""
    text = show(value)
    if _seen(text) <= WIDE or not value.is_Add:
        return text
    ordered = sorted(value.as_ordered_terms(), key=lambda term: term.could_extract_minus_sign())
    terms = [show(term) for term in ordered]
    rows = [terms[0]]
    for term in terms[1:]:
        signed = term if term.startswith("-") else f"+ {term}"
        if _seen(rows[-1]) + _seen(signed) <= WIDE:
            rows[-1] += f" {signed}"
        else:
            rows.append(signed)
    return r"\begin{array}[t]{l}" + r" \\ ".join(rows) + r"\end{array}"


def _seen(text: str) -> int:
    """Return about how many letters are seen of LaTeX."""
    words = re.sub(
        r"\\(left|right|frac|mathrm|operatorname|begin|end|cdot|text|for|cases|,)", "", text
    )
    return len(re.sub(r"[{}_^ ]", "", re.sub(r"\\[a-z]+", "x", words)))


def _width(value: Any, show: Any) -> int:
    """Return how many letters the widest line of an expression has."""
    terms = value.args if value.is_Add else [value]
    return max(_seen(show(term)) for term in terms)


def _printer() -> Any:
    import sympy
    from sympy.printing.latex import LatexPrinter

    class Printer(LatexPrinter):
        """LaTeX with the forms of laws."""

        def _print_Function(self, expr, exp=None):
            name, args = expr.func.__name__, [self._print(a) for a in expr.args]
            if name in SEVERAL:
                text = rf"{SEVERAL[name]}\left({', '.join(args)}\right)"
            elif name in FORMS:
                text = FORMS[name].format(*args)
            else:
                return super()._print_Function(expr, exp)
            return text if exp is None else rf"\left({text}\right)^{{{exp}}}"

        def _as_ordered_terms(self, expr, order=None):
            terms = super()._as_ordered_terms(expr, order)
            return sorted(terms, key=lambda term: term.could_extract_minus_sign())

        def _print_Float(self, expr):
            text = super()._print_Float(sympy.Float(expr, DIGITS))
            return text.removeprefix(r"1.0 \cdot ")

        def _print_Integer(self, expr):
            digits = str(expr)
            if len(digits) > LARGE and set(digits[1:]) == {"0"} and digits[0] == "1":
                return f"10^{{{len(digits) - 1}}}"
            return digits

        def _print_Symbol(self, expr, style="plain"):
            return symbol_text(expr.name)

    # Between names of several letters, which would read as one.
    printer = Printer({"full_prec": False, "mul_symbol": r"\,"})

    def show(value):
        return symbol_text(value) if isinstance(value, str) else printer.doprint(value)

    return show


def symbol_text(name: str) -> str:
    """Return a name as LaTeX: its index upright."""
    import sympy
    from sympy.printing.latex import tex_greek_dictionary

    if name in FORCING:
        return FORCING[name]
    head, _, index = name.partition("_")
    if numbered := re.fullmatch(r"([A-Za-z])(\d+)", name):
        head, index = numbered.groups()
    greek = sympy.latex(sympy.Symbol(head))
    head = greek if greek.startswith("\\") or head in tex_greek_dictionary else head
    if len(head) > 1 and not head.startswith("\\"):
        head = rf"\mathrm{{{head}}}"
    return rf"{head}_{{\mathrm{{{index.replace('_', ',')}}}}}" if index else head
