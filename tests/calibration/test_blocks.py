"""Calibration with a value of a parameter for each block of the record."""

import numpy as np
import pytest

import pymc_hydro as ph
from pymc_hydro.calibration.blocks import define_blocks
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array

MODEL = ph.Hymod(snow=False)
THETA = dict(zip(MODEL.parameter_names, MODEL.default, strict=True))
RECORD = ph.load_basin("leaf_river").isel(time=slice(0, 200))
MONTH = ph.blocks(RECORD, "QS")
VARIED = MODEL.vary("K_f")
TRUE = np.array([0.3, 0.5, 0.8])[MONTH]
REST = {name: THETA[name] for name in VARIED.parameter_names}
FLOW = ph.simulate(VARIED, REST, RECORD.assign(K_f=("time", TRUE)), steps=4)["discharge"]


@pytest.mark.kernels
def test_columns_are_those_of_the_sweep(rng):
    """The sweep gives the product of a cotangent with each column, exactly."""
    blocked = define_blocks(MODEL, {"K_f": MONTH}, RECORD, slice(None))
    assert blocked.model.parameter_names[-3:] == ("K_f_0", "K_f_1", "K_f_2")
    problem = define_problem(blocked.model, ("discharge",), 1.0, steps=4)
    problem = blocked.problem(problem, slice(None))
    theta = np.array([*REST.values(), 0.3, 0.5, 0.8])
    forcing, x0 = forcing_array(MODEL, RECORD), MODEL.initial_state
    run = problem.run(theta, forcing, x0, sensitivities=True)
    arrays = theta[:-3], np.column_stack([forcing, TRUE]), x0
    taped, tape = problem.varied.taped_run(*arrays)
    np.testing.assert_array_equal(run.values, taped.values)
    cotangent = rng.normal(size=run.values.shape)
    by_theta, by_forcing, _ = problem.varied.sweep(*arrays, tape, cotangent)
    by_block = np.bincount(MONTH, by_forcing[:, -1])
    products = (cotangent[:, :, None] * run.jacobian).sum(axis=(0, 1))
    np.testing.assert_allclose(products, [*by_theta, *by_block], rtol=1e-6)


def test_blocks_are_found():
    fit = ph.calibrate(
        MODEL,
        RECORD.assign(discharge=FLOW),
        warmup=30,
        starts=1,
        hops=0,
        fixed={name: value for name, value in REST.items() if name != "K_s"},
        bounds={"K_f": (0.1, 1.5)},
        blocks={"K_f": MONTH},
        steps=4,
        progressbar=False,
    )
    found = [float(fit.theta[f"K_f_{i}"]) for i in range(3)]
    np.testing.assert_allclose(found, [0.3, 0.5, 0.8], rtol=1e-4)
    assert fit.theta["K_f_1"].attrs["upper"] == 1.5 and fit.scores["nse"] > 1 - 1e-8


def test_refusals():
    with pytest.raises(ValueError, match="one for each of the 200 intervals"):
        ph.calibrate(MODEL, RECORD, warmup=30, blocks={"K_f": MONTH[1:]})
    with pytest.raises(ValueError, match="leave out blocks or validation"):
        ph.calibrate(
            MODEL, RECORD, warmup=30, blocks={"K_f": MONTH}, period=("1953-01-01", "1953-02-01"),
            validation=("1953-03-01", "1953-03-20"),
        )  # fmt: skip
    with pytest.raises(KeyError, match="unknown parameters"):
        ph.calibrate(MODEL, RECORD, warmup=30, blocks={"x1": MONTH})
