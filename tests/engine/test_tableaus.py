"""A method is checked when it is made, and one that a user declares is a solver like the others."""

import math
from dataclasses import replace

import numpy as np
import pymc as pm
import pytest

import pymc_hydro as ph
from pymc_hydro.integrators import ESDIRK3, METHODS, TR_BDF2
from pymc_hydro.integrators.order import trees
from tests.conftest import FORCINGS

FEHLBERG = ph.RungeKutta(
    name="fehlberg2",
    c=[0, 1 / 2, 1],
    a=[[0], [1 / 2, 0], np.array([1, 255, 0]) / 256],
    b=np.array([1, 510, 1]) / 512,
    b_embedded=[1 / 256, 255 / 256, 0],
    order=2,
    error_order=2,
    stability_limit=1.9,
    reference="Fehlberg (1969), NASA TR R-315: RK1(2), advanced with the second order",
)
# Kutta's classical method; its embedded solution is the midpoint rule.
CLASSICAL = {
    "name": "classical",
    "c": (0, 1 / 2, 1 / 2, 1),
    "a": ((0,), (1 / 2, 0), (0, 1 / 2, 0), (0, 0, 1, 0)),
    "b": (1 / 6, 1 / 3, 1 / 3, 1 / 6),
    "b_embedded": (0, 1, 0, 0),
    "order": 4,
    "error_order": 3,
    "stability_limit": 2.78,
    "reference": "Kutta (1901)",
}
IMPLICIT = {"stability_limit": math.inf}
DIAGONAL_1 = {"c": (0, 1, 1), "b": (0, 0, 1), "b_embedded": (0, 1, 0), "order": 1}


def test_a_fourth_order_method_is_accepted():
    method = ph.RungeKutta(**CLASSICAL)
    assert method.order == 4 and not method.implicit and method.b == CLASSICAL["b"]
    assert hash(method) == hash(ph.RungeKutta(**CLASSICAL))


def test_coefficients_become_floats_of_python():
    """They are printed into the text of kernels, and hashed."""
    numbers = [*FEHLBERG.b, *FEHLBERG.c, *(x for row in FEHLBERG.a for x in row)]
    assert {type(x) for x in numbers} == {float}
    assert FEHLBERG.ends_at_solution is False and TR_BDF2.ends_at_solution is True


def test_numbers_of_rooted_trees():
    assert [len(trees(n)) for n in range(1, 9)] == [1, 1, 2, 4, 9, 20, 48, 115]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": ((0,), (0.5,), (0, 0.5, 0), (0, 0, 1, 0))}, "a: row 1 must have 2 entries"),
        ({"a": ((0,),)}, "a: expected two stages or more, found 1"),
        ({"b": (1 / 6, 1 / 3, 1 / 2)}, "b: expected 4 entries, one a stage, found 3"),
        ({"b_embedded": (0, 1)}, "b_embedded: expected 4 entries"),
        ({"c": (0, 1 / 2, 1 / 2)}, "c: expected 4 entries"),
        ({"c": (0, 1 / 2, np.nan, 1)}, "c: expected finite numbers"),
        ({"b": 1.0}, "b: expected finite numbers, found 1.0"),
        ({"c": (0, 1 / 2, 1 / 3, 1)}, "c: node 2 must be the sum of row 2 of a, 0.5, found 0.333"),
        (
            {"c": (0, 1 / 2, 1 / 2, 0.9), "a": ((0,), (0.5, 0), (0, 0.5, 0), (0, 0, 0.9, 0))},
            "c: the last stage must lie at the end of the step, at 1, found 0.9",
        ),
        ({"b": (1 / 6, 1 / 3, 1 / 3, 1 / 3)}, "b: expected sum b = 1 for order 1, found 1.16666"),
        ({"b": (0, 1 / 2, 0, 1 / 2)}, "b: expected sum b c = 0.5 for order 2, found 0.75"),
        ({"b": (0, 1, 0, 0)}, r"b: expected sum b \(A c\) = 0.166667 for order 3, found 0"),
        ({"b": (1 / 6, 2 / 3, 0, 1 / 6)}, r"b: expected sum b \(A c\) = .* order 3, found 0.0833"),
        ({"order": 5}, "b: expected sum b .* for order 5"),
        ({"order": 1, "error_order": 3}, r"error_order: expected at most order \+ 1 = 2, found 3"),
        ({"order": 0}, "order: expected a whole number from 1 to 8, found 0"),
        ({"error_order": 2.0}, "error_order: expected a whole number from 1 to 8, found 2.0"),
        # The error weights must sum to zero, and estimate the order that is declared.
        ({"b_embedded": (0, 0.9, 0, 0)}, "b_embedded: expected sum b = 1 for order 1, found 0.9"),
        ({"b_embedded": (1, 0, 0, 0)}, "b_embedded: expected sum b c = 0.5 for order 2, found 0"),
        (
            {"error_order": 2},
            "error_order: the difference of b and b_embedded is of a higher order than 2",
        ),
        ({"b_embedded": CLASSICAL["b"]}, "error_order: the difference of b and b_embedded is of"),
        (
            {"stability_limit": 2.9},
            r"stability_limit: .* at most 1 from -2.9 .* found 1.*at -2.9",
        ),
        ({"stability_limit": 2.79}, r"stability_limit: .* found 1.00.* at -2.79"),
        ({"stability_limit": -1}, "stability_limit: expected a positive number, found -1"),
        ({"stability_limit": math.nan}, "stability_limit: expected a positive number, found nan"),
        (IMPLICIT, "stability_limit: an explicit method has a finite one"),
    ],
)
def test_a_broken_explicit_tableau(change, message):
    with pytest.raises(ValueError, match=f"RungeKutta 'classical': {message}"):
        ph.RungeKutta(**CLASSICAL | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": ((0.1,), *TR_BDF2.a[1:]), "c": (0.1, *TR_BDF2.c[1:])}, "first stage must be explic"),
        (
            {"a": ((0,), (0.5, 0.5), (0.5, 0.1, 0.4)), "c": (0, 1, 1)},
            "or, after the first stage, o",
        ),
        ({"a": ((0,), (2, -1), (1, 1, -1)), "c": (0, 1, 1)}, "one positive number"),
        ({"stability_limit": 5.0}, "expected inf for an implicit method, found 5.0"),
        # The trapezoidal rule twice: A-stable, no more.
        (
            {"c": (0, 1 / 2, 1), "a": ((0,), (1 / 4, 1 / 4), (1 / 4, 1 / 2, 1 / 4))}
            | {"b": (1 / 4, 1 / 2, 1 / 4), "b_embedded": (1 / 6, 2 / 3, 1 / 6)},
            "must be L-stable, and this one is not",
        ),
    ],
)
def test_a_broken_implicit_tableau(change, message):
    with pytest.raises(ValueError, match=f"RungeKutta 'tr_bdf2': .*{message}"):
        replace(TR_BDF2, **change)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_a_moved_coefficient_is_found(method, rng):
    """A digit that was mistyped anywhere in the tableau, in each of its numbers in turn."""
    for s, row in enumerate(method.a):
        for k in range(len(row)):
            moved = [list(r) for r in method.a]
            moved[s][k] += 1e-6
            with pytest.raises(ValueError, match=f"RungeKutta '{method.name}'"):
                replace(method, a=moved)
    for field in ("b", "b_embedded", "c"):
        for k in range(method.n_stages):
            moved = list(getattr(method, field))
            moved[k] += 1e-6
            with pytest.raises(ValueError, match=f"RungeKutta '{method.name}'"):
                replace(method, **{field: moved})


def test_declared_orders():
    assert {m.name: m.order for m in METHODS} == {
        "tr_bdf2": 2, "esdirk3": 3, "bogacki_shampine": 3, "heun": 2,
    }  # fmt: skip
    with pytest.raises(ValueError, match=r"b: expected sum b .* for order 4"):
        replace(ESDIRK3, order=4)


@pytest.mark.kernels
def test_a_method_of_the_user_is_a_solver(tiny):
    """In simulate and in a PyMC model: the same solution as by default, to the tolerance."""
    weather, theta = FORCINGS["rain"], [0.05, 0.5]
    options = {"rtol": 1e-8, "atol": 1e-8}
    run = ph.simulate(tiny, theta, weather, sensitivities=True, solver=FEHLBERG, **options)
    exact = ph.simulate(tiny, theta, weather, sensitivities=True, **options)
    assert run.attrs["solver"] == "fehlberg2" and run.attrs["implicit_steps"] == 0
    np.testing.assert_allclose(run["discharge"], exact["discharge"], rtol=1e-5, atol=1e-6)
    name = "ddischarge_dparameter"
    np.testing.assert_allclose(run[name], exact[name], rtol=2e-3, atol=1e-4)
    with pm.Model():
        a = pm.Uniform("a", 0.001, 0.1)
        flow = ph.discharge(tiny, {"a": a, "k": 0.5}, weather, warmup=0, solver=FEHLBERG, **options)
        value = flow.eval({a: 0.05})
    np.testing.assert_allclose(value, ph.simulate(
        tiny, theta, weather, solver=FEHLBERG, **options)["discharge"])  # fmt: skip
