"""Runs in lanes are the runs that explicit steps make of each vector alone."""

import numpy as np
import pytest

import pymc_hydro as ph
from pymc_hydro.core.domain import OUTSIDE
from pymc_hydro.engine.batch import run_batch
from pymc_hydro.engine.codegen import COUNTS, INPUT, Argument
from pymc_hydro.engine.compile import called_functions, namespace
from pymc_hydro.engine.derivation.system import derive
from pymc_hydro.engine.lanes import kernel, runs
from pymc_hydro.engine.lanes.kernel import LANE_ARGUMENTS, LANES, emit_routes
from pymc_hydro.engine.lanes.runs import LEAST, in_lanes, lane_source, takes_lanes
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array
from pymc_hydro.models import gr
from pymc_hydro.testing.checks import draw_parameters
from tests.conftest import FORCINGS
from tests.engine.test_parts import Deficit, Delayed

pytestmark = pytest.mark.kernels

MODEL = ph.Hymod(snow=False)
# The functions of lanes, with an array for a register.
IN_PYTHON = {
    "load": lambda array, row: array[row].copy(),
    "store": lambda array, row, value: array.__setitem__(row, value),
    "where": lambda condition, yes, no: np.where(condition > 0, yes, no),
    "max": np.maximum,
    "min": np.minimum,
}


def in_python(problem, theta, forcing, x0):
    """Return values, counts and status of runs in lanes, of the text as plain Python."""
    text = lane_source(problem.model, problem.outputs, problem.methods[0])
    space = called_functions(text) | namespace(np) | IN_PYTHON
    exec(text, space)
    n = len(theta)
    values = np.empty((n, len(forcing), len(problem.outputs)))
    counts, status = np.zeros((n, 1, len(COUNTS)), int), np.full((n, 1), -9)
    pairs = np.column_stack([np.arange(n), np.zeros(n, int)])
    spans, settings = np.array([[0, len(forcing), 0]]), problem.settings(arguments=LANE_ARGUMENTS)
    with np.errstate(all="ignore"):
        space["KERNEL"](
            theta[:, None], forcing, x0[:, None], pairs, spans, *settings, values, counts, status
        )
    system = derive(problem.model, problem.model.select_outputs(problem.outputs))
    exec(emit_routes(system, "ROUTE"), space)
    for run, vector in zip(values, theta, strict=True):
        assert space["ROUTE"](vector, problem.dt, run) == 0
    return values, counts[:, 0], status[:, 0]


@pytest.mark.parametrize("cls", (ph.Hymod, ph.GR4J, ph.SacSma, ph.HBV, ph.marrmot.get("m_04")))
def test_each_lane_takes_the_steps_of_a_single_run(cls, rng):
    model, basin = cls(), FORCINGS["cold"].isel(time=slice(0, 15))
    problem, forcing = define_problem(model, ("discharge",), 1.0), forcing_array(model, basin)
    assert takes_lanes(problem)
    n = LANES + 1  # the last one has a lane that another run had before
    theta = model.default * rng.uniform(0.95, 1, (n, len(model.parameters)))
    x0 = np.tile(model.initial_state, (n, 1))
    values, counts, status = in_python(problem, theta, forcing, x0)
    assert not status.any()
    equal = 0
    for i in range(n):
        run = problem.run(theta[i], forcing, x0[i])
        np.testing.assert_allclose(values[i], run.values, rtol=1e-2, atol=1e-3)
        # A single run shortens a step at which neither method is good; a lane has one method.
        if (counts[i] == run.counts).all():
            np.testing.assert_allclose(values[i], run.values, rtol=1e-10, atol=1e-12)
            equal += 1
    assert equal == n or cls is ph.SacSma


def test_lanes_hold_the_tolerances_of_single_runs(monkeypatch):
    """Structures with exact kinks hold a share of the tolerances that are asked for."""
    model, given = ph.marrmot.get("m_02")(), []
    problem = define_problem(model, ("discharge",), 1.0, rtol=1e-3, atol=1e-2)
    monkeypatch.setattr(runs, "get_lanes", lambda *_: (lambda *a: given.extend(a), None))
    arrays = model.default[None, None], np.ones((3, 3)), np.array([[model.initial_state]])
    pair, spans = np.zeros((1, 2), int), np.array([[0, 3, 0]])
    runs.run_in_lanes(problem, *arrays, pair, spans, np.empty((1, 3, 1)), np.empty((1, 1, 6)))
    assert tuple(given[5:8]) == (1.0, 0.3 * 1e-3, 0.3 * 1e-2)


def test_a_lane_leaves_a_run_with_too_many_steps(rng, monkeypatch):
    model, basin = ph.Hmodel(), FORCINGS["cold"].isel(time=slice(0, 8))
    problem, forcing = define_problem(model, ("discharge",), 1.0), forcing_array(model, basin)
    theta = np.tile(model.default, (LANES + 2, 1))
    theta[3:] = 0.5 * (model.lower + model.upper)
    x0 = np.tile(model.initial_state, (len(theta), 1))
    values, counts, _ = in_python(problem, theta, forcing, x0)
    assert counts[0, 0] > 80 > 60 > counts[3, 0]
    monkeypatch.setattr(kernel, "FIRST_STEPS", 80)
    monkeypatch.setattr(kernel, "MOST_STEPS", 0)
    cut, _, left = in_python(problem, theta, forcing, x0)
    assert left.tolist() == [kernel.ALONE] * 3 + [0] * (LANES - 1)
    np.testing.assert_array_equal(cut[3:], values[3:])


def test_runs_that_lanes_do_not_take():
    others = (gr.GR4J(), {}), (Delayed(), {}), (Deficit(), {})
    for model, given in ((MODEL, {"steps": 1}), (MODEL, {"solver": "tr_bdf2"}), *others):
        assert not takes_lanes(define_problem(model, ("discharge",), 1.0, **given))
    assert takes_lanes(define_problem(MODEL, ("discharge",), 1.0, solver="heun"))


def many(problem, theta, forcing, **options):
    """Return a batch of one record."""
    x0 = np.tile(problem.model.initial_state, (len(theta), 1, 1))
    bounds = np.array([0, len(forcing)])
    return run_batch(problem, theta[:, None], forcing, x0, bounds, lanes=True, **options)


def test_a_run_does_not_depend_on_its_companions(rng, leaf_river):
    problem = define_problem(MODEL, ("discharge", "S_u"), 1.0)
    forcing = forcing_array(MODEL, leaf_river)[:120]
    theta = draw_parameters(MODEL, rng, LEAST + 13)
    theta[8, 0] = -1.0
    batch = many(problem, theta, forcing, threads=1)
    order = rng.permutation(len(theta))[:LEAST]
    part = many(problem, theta[order], forcing, threads=2)
    np.testing.assert_array_equal(part.values, batch.values[order])
    np.testing.assert_array_equal(part.counts, batch.counts[order])
    np.testing.assert_array_equal(part.status, batch.status[order])
    for i, vector in enumerate(theta):
        run = problem.run(vector, forcing, MODEL.initial_state)
        assert batch.status[i, 0] == run.status == (OUTSIDE if i == 8 else 0)
        if i == 8:  # left to single runs
            np.testing.assert_array_equal(batch.values[i], run.values)
            np.testing.assert_array_equal(batch.counts[i, 0], run.counts)
        elif run.counts[COUNTS.index("implicit_steps")] == 0:
            np.testing.assert_allclose(batch.values[i], run.values, rtol=1e-9, atol=1e-12)
            np.testing.assert_array_equal(batch.counts[i, 0], run.counts)


def test_records_of_any_lengths(rng, leaf_river):
    problem, n_vector = define_problem(MODEL, ("discharge", "S_u"), 1.0), LEAST // 4
    forcing, bounds = forcing_array(MODEL, leaf_river)[:120], np.array([0, 50, 50, 51, 120])
    theta = draw_parameters(MODEL, rng, 4 * n_vector).reshape(n_vector, 4, -1)
    x0 = rng.uniform(0, 5, (n_vector, 4, len(MODEL.stores)))
    rows = {"rows": np.array([80, 0, 40, 200]), "n_row": 270}
    batch = run_batch(problem, theta, forcing, x0, bounds, lanes=True, **rows)
    alone = run_batch(problem, theta, forcing, x0, bounds, **rows)
    np.testing.assert_array_equal(batch.status, alone.status)
    explicit = alone.counts[:, :, COUNTS.index("implicit_steps")].sum(axis=1) == 0
    assert explicit.sum() > 2
    np.testing.assert_array_equal(batch.counts[explicit], alone.counts[explicit])
    np.testing.assert_allclose(batch.values[explicit], alone.values[explicit], 1e-9, 1e-12)
    np.testing.assert_allclose(batch.values, alone.values, rtol=1e-2, atol=1e-3)


def test_mathematics_of_lanes(rng):
    names = ("exp", "log", "log1p", "expm1", "tanh", "sqrt")
    calls = "; ".join(f"store(y, {i} * n + i, {f}(load(x, i)))" for i, f in enumerate(names))
    text = f"def KERNEL(x, y):\n    n = x.shape[0]\n    for i in range(n):\n        {calls}\n"
    axes = ("n", "lane")
    arguments = [Argument(name, INPUT, "f8", axes, "") for name in "xy"]
    function = in_lanes(text + "    return 0\n", "mathematics of lanes", tuple(arguments))
    special = [0.0, -0.0, 1.0, np.nan, -1.0, 1e-310, -np.inf, np.inf]
    powers = 10.0 ** rng.uniform(-17, 2, 1000)
    numbers = [
        special,
        powers,
        -powers,
        rng.uniform(-700, 700, 1000),
        10.0 ** rng.uniform(2, 300, 1000),
    ]
    x = np.concatenate(numbers).reshape(-1, LANES)
    y = np.empty((len(names) * len(x), LANES))
    function(x, y)
    for name, found in zip(names, y.reshape(len(names), -1), strict=True):
        with np.errstate(all="ignore"):
            exact = getattr(np, name)(x.ravel().astype(np.longdouble)).astype(float)
        if name in ("exp", "expm1"):  # held within [1e-308, 1e308]
            exact = np.clip(exact, None, np.exp(709.0))
            exact[(exact < 1e-307) & (exact >= 0) & (x.ravel() < -700)] = np.exp(-708.0)
        np.testing.assert_allclose(found, exact, rtol=4 * np.finfo(float).eps, err_msg=name)
