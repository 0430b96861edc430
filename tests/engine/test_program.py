import sys
from functools import reduce

import numpy as np
import pytest
import sympy
from scipy import special

import pymc_hydro as ph
from pymc_hydro.core import functions, smoothing
from pymc_hydro.core.base.expression import symbol
from pymc_hydro.core.functions import piecewise
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.core.smoothing import clamp, maximum, minimum, pos
from pymc_hydro.engine.compile import get_rates
from pymc_hydro.engine.derivation.equations import symbols_first
from pymc_hydro.engine.derivation.program import Program
from pymc_hydro.engine.derivation.system import RUN, derive

EXPRESSIONS = {
    "rational": lambda x, y: (x * x - y) / (x + 2 * y) - 3 / x,
    "transcendental": lambda x, y: functions.exp(-x) * functions.log(y) + functions.tanh(x * y),
    "step": lambda x, y: functions.logistic(3 * x * y) + functions.logistic(-1000 * y),
    "small arguments": lambda x, y: functions.expm1(x) / functions.log1p(y),
    "powers": lambda x, y: functions.power(x, y) + x**3 + functions.sqrt(x) * y**0.5,
    "smoothing": lambda x, y: (
        minimum(x, y, 0.1) * maximum(x, y, 0.2) + clamp(x - y, 0.1) + pos(-x, 0.3)
    ),
    "shared": lambda x, y: (lambda t: t * t + t / y + functions.exp(t))(x * y - 1),
}


def evaluate(program, number, values):
    op, *args = program.nodes[number]
    if op == "constant":
        return args[0]
    if op == "symbol":
        return values[args[0]]
    v = [evaluate(program, a, values) for a in args]
    infix = {"add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b}
    infix |= {"div": lambda a, b: a / b, "neg": lambda a: -a}
    infix |= {"logistic": special.expit}
    return infix[op](*v) if op in infix else getattr(np, op)(*v)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_vertex_elimination_against_sympy(name, rng):
    f = EXPRESSIONS[name]
    program = Program()
    output = program.trace(f(symbol("x"), symbol("y")))
    jacobian = program.jacobian({"f": output}, ("x", "y"))
    x, y = sympy.symbols("x y", positive=True)
    expression = f(x, y)
    for _ in range(5):
        values = dict(zip("xy", rng.uniform(0.5, 2, 2), strict=True))
        at = {x: values["x"], y: values["y"]}
        exact = {k: float(expression.diff(k).subs(at)) for k in (x, y)}
        value = float(expression.subs(at))
        assert evaluate(program, output, values) == pytest.approx(value, rel=1e-13)
        for k in (x, y):
            found = evaluate(program, jacobian["f", str(k)], values)
            assert found == pytest.approx(exact[k], rel=1e-12, abs=1e-14)


def test_equal_operations_have_one_number_and_zeros_vanish():
    program = Program()
    x, y = symbol("x"), symbol("y")
    assert program.trace(x * y + y * x) == program.trace(y * x + x * y)
    assert program.is_zero(program.trace(0 * x + (y - y * 1) * 0))
    assert ("f", "y") not in program.jacobian({"f": program.trace(x + y - y)}, ("x", "y"))


def test_cancelling_dependence_is_found():
    """Runoff split into two shares: the store that sheds it does not depend on the split."""
    model = ph.Hymod(snow=False)
    system = derive(model, model.select_outputs(["discharge"]))
    assert ("S_u", "alpha") not in system.jacobian
    assert ("S_s", "S_s", "alpha") in system.share_jacobian


def test_hymod_splits_into_head_and_linear_part():
    model = ph.Hymod()
    system = derive(model, model.select_outputs(["discharge", "evaporation"]))
    assert system.head == ("SWE", "S_u")
    assert set(system.linear) == {
        "S_s",
        "S_f1",
        "S_f2",
        "S_f3",
        "amount of discharge",
        "amount of evaporation",
    }
    assert system.matrix_parameters == ("K_s", "K_f")
    assert all(
        i == k or system.head.index(i) > system.head.index(k)
        for i, k in system.jacobian
        if i in system.head and k in system.head
    )


def test_cascades_before_a_routing_store_are_a_section_of_their_own():
    model = ph.GR4J(snow=False)
    first, second = derive(model, model.select_outputs(["discharge"])).sections
    assert first.head == ("S",) and set(first.linear) == {f"U1_{i}" for i in (1, 2)} | {
        f"U2_{i}" for i in (1, 2, 3, 4)
    }
    assert first.read == first.linear[:2] == ("U1_2", "U2_4")
    assert second.head == ("R",) and second.linear == ("amount of discharge",)
    (whole,) = derive(model, model.select_outputs(["discharge"]), several=False).sections
    assert set(whole.head) == {*first.head, *first.linear, *second.head}


@pytest.mark.parametrize(
    ("model", "driven", "n_share"),
    [
        (ph.Hymod(), ("S_s",), 2),  # alpha and 1 - alpha of the runoff
        (ph.GR4J(form="B"), ("U1_1", "amount of discharge"), 30),  # ordinates of two chains
        (ph.CFE(), ("H1", "F1", "amount of discharge"), 7),  # constant ordinates
        (ph.SacSma(), ("S_f1",), 0),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, AbstractModel) else None,
)
def test_shares_of_one_flux_are_found(model, driven, n_share):
    system = derive(model, model.select_outputs(["discharge"]))
    assert system.driven == driven
    assert len(system.shares) == n_share
    assert all(system.levels[n] <= RUN for n in system.shares.values())


@pytest.mark.kernels
@pytest.mark.parametrize("cls", [ph.Hymod, ph.HBV, ph.GR4J])
def test_kernels_against_sympy_equations(cls, rng):
    """J and B of the compiled rates against SymPy's own derivatives of the flux function.

    The ladder compares with complex step, for all models.
    """
    model = cls()
    found = model.equations()
    symbols = [*found.states.values(), *found.forcings.values(), *found.parameters.values()]
    exact = sympy.lambdify(symbols, [found.J, found.B], "numpy")
    n, n_parameter = len(model.stores), len(model.parameters)
    for _ in range(20):
        x, u = rng.uniform(1, 40, n), np.array([20.0, 3.0, rng.uniform(-4, 4)])
        theta = model.lower + (model.upper - model.lower) * rng.uniform(0.05, 0.95, n_parameter)
        dx, J, B = np.zeros(n + 1), np.zeros((n + 1, n + 1)), np.zeros((n + 1, n_parameter))
        get_rates(model)[1](np.append(x, 0), u, theta, dx, J, B)
        for ours, theirs in zip((J[:n, :n], B[:n]), exact(*x, *u, *theta), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12 * np.abs(theirs).max())


def test_equations_are_shown():
    found = ph.Hymod(snow=False).equations()
    assert "dS_u/dt = -E_a + P_liq - q_f - q_s" in repr(found)
    assert "aligned" in found._repr_latex_()
    assert "u_precipitation = forcing[k, 0]" in ph.Hymod(snow=False).source()


@pytest.mark.kernels
def test_equations_of_every_structure_are_shown_as_they_were_written():
    """Pieces within pieces are not folded: SymPy's own took hours for the Sacramento model."""
    for name in ("Sacramento", "Prms", "Midlands", "Alpine1"):
        model = ph.marrmot.get(name)()
        found = ph.equations(model)
        assert set(found.right_hand_side) == set(model.store_names)
        assert len(found._repr_latex_()) < 12_000


@pytest.mark.kernels
@pytest.mark.parametrize("kind", [ph.SacSma, ph.HBV, ph.marrmot.Prms])
def test_equations_to_be_read_give_the_fluxes(kind, rng):
    """With exact kinks: what each symbol stands for, put in one after another."""
    laws = {name: np.maximum for name in ("maximum", "greatest")}
    laws |= {name: lambda *values: reduce(np.minimum, values) for name in ("minimum", "lesser")}
    laws |= {
        "least": laws["lesser"],
        "pos": lambda x: max(x, 0),
        "clamp": lambda x: np.clip(x, 0, 1),
    }
    laws |= {"content": laws["pos"], "positive": laws["pos"]}
    laws |= {"share": laws["clamp"], "guarded_power": np.power}
    laws |= {"overflow": smoothing.overflow, "softplus": lambda x: smoothing.softplus(x, 1.0)}
    laws |= {"step": lambda x: float(x > 0)}
    laws |= {"full_to": lambda content, capacity, least: content > max(capacity, least)}
    model = kind()
    found = ph.equations(model)
    at = {p.name: p.default for p in model.parameters}
    at |= {s: x for s, x in zip(model.store_names, rng.uniform(5, 20, 99), strict=False)}
    at |= {"precipitation": 12.0, "potential_evaporation": 3.0, "temperature": 5.0}
    states, forcing = ({n: at[n] for n in names} for names in (model.store_names, found.forcings))
    exact = model.evaluate(states, forcing, {n: at[n] for n in model.parameter_names})
    for name, value in symbols_first(found.readable).items():
        names = [s.name for s in value.free_symbols]
        numbers = sympy.lambdify(list(value.free_symbols), value, [laws, "numpy"])
        at[name] = float(numbers(*(at[n] for n in names)))
        if name in exact:
            assert at[name] == pytest.approx(exact[name], rel=2e-3, abs=2e-2), name


def test_choice_of_sympy_is_differentiated_and_printed():
    x = sympy.Symbol("x", real=True)
    found = piecewise(x - 1, x**2, 2 * x - 1, continuity=1)
    slope = sympy.lambdify(x, [found, found.diff(x)], "numpy")
    for value in (-0.5, 0.5, 1.5, 3.0):
        above, below = (value**2, 2 * value), (2 * value - 1, 2)
        assert tuple(map(float, slope(value))) == (above if value > 1 else below)
        assert float(found.subs(x, value)) == (above if value > 1 else below)[0]
    assert r"\begin{cases} x^{2} & \text{for}\: x - 1 > 0" in sympy.latex(found)


def test_without_sympy_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sympy", None)
    with pytest.raises(ImportError, match=r"needs SymPy: pip install 'pymc-hydro\[equations\]'"):
        ph.equations(ph.Hymod())
