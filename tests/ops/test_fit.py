"""Arrays that do not fit a model: no index leaves its array, neither compiled nor step by step."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

import pymc_hydro as ph
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.ops import BatchJacobian, BatchValues, SimulatedJacobian, SimulatedValues
from pymc_hydro.ops.fit import record_fits

MODEL = ph.Hymod(snow=False)
PROBLEM = define_problem(MODEL, ("discharge",), 1.0)
N_PARAMETER, N_STATE = len(MODEL.parameters), len(MODEL.stores)
FORCING = np.tile([8.0, 2.0], (12, 1))
RECORD = np.repeat([0, 1], [7, 5])

pytestmark = pytest.mark.usefixtures("compiled")


def single():
    return {"theta": MODEL.default, "forcing": FORCING, "x0": MODEL.initial_state}


def batch():
    theta, x0 = (np.tile(a, (3, 2, 1)) for a in (MODEL.default, MODEL.initial_state))
    return {"theta": theta, "forcing": FORCING, "x0": x0, "record": RECORD}


SINGLES = {
    "few parameters": {"theta": MODEL.default[:-1]},
    "no parameter": {"theta": MODEL.default[:0]},
    "many parameters": {"theta": np.append(MODEL.default, 1.0)},
    "few columns": {"forcing": FORCING[:, :1]},
    "many columns": {"forcing": np.tile(FORCING, 2)},
    "few stores": {"x0": MODEL.initial_state[:-1]},
    "many stores": {"x0": np.append(MODEL.initial_state, 0.0)},
}
BATCHES = {
    **{
        name: {k: v if k == "forcing" else np.tile(v, (3, 2, 1)) for k, v in case.items()}
        for name, case in SINGLES.items()
    },
    "few states by record": {"x0": batch()["x0"][:, :1]},
    "few states by vector": {"x0": batch()["x0"][:2]},
    "unsorted": {"record": RECORD[::-1].copy()},
    "beyond": {"record": RECORD * 1_000_000},
    "negative": {"record": RECORD - 1_000_000},
    "shorter": {"record": RECORD[:-3]},
    "none": {"record": RECORD[:0]},
    "longer": {"record": np.append(RECORD, 1)},
}
X0 = batch()["x0"]
MESSAGE = "must end with 5, 2 and .* found the shapes|record must have an entry for each of the 12"


@pytest.fixture(scope="module")
def functions():
    """Values and both Jacobians, of one run and of a batch, each compiled once."""
    made = {}

    def make(kind, mode):
        if (kind, mode) not in made:
            if kind == "single":
                inputs = [pt.dvector(), pt.dmatrix(), pt.dvector()]
                ops = SimulatedValues(PROBLEM), SimulatedJacobian(PROBLEM, initial=True)
            else:
                inputs = [pt.dtensor3(), pt.dmatrix(), pt.dtensor3(), pt.lvector()]
                ops = BatchValues(PROBLEM), BatchJacobian(PROBLEM, initial=True)
            made[kind, mode] = [pytensor.function(inputs, op(*inputs), mode=mode) for op in ops]
        return made[kind, mode]

    return make


def shape_of(arrays):
    return (*arrays["theta"].shape[:-2], len(arrays["forcing"]), 1)


@pytest.mark.parametrize("mode", ["NUMBA", "CVM"])
@pytest.mark.parametrize(
    ("kind", "case"), [*(("single", c) for c in SINGLES), *(("batch", c) for c in BATCHES)]
)
def test_misfits_are_nan_compiled_and_an_error_else(functions, kind, case, mode):
    right = single() if kind == "single" else batch()
    arrays = right | (SINGLES if kind == "single" else BATCHES)[case]
    values, jacobian = functions(kind, mode)
    assert np.isfinite(values(*right.values())).all()
    assert all(np.isfinite(a).all() for a in jacobian(*right.values()))
    if mode == "CVM":
        for f in (values, jacobian):
            with pytest.raises(ValueError, match=MESSAGE):
                f(*arrays.values())
        return
    shape = shape_of(arrays)
    found = [values(*arrays.values()), *jacobian(*arrays.values())]
    assert [a.shape for a in found] == [shape, shape, (*shape, N_PARAMETER + N_STATE)]
    assert all(np.isnan(a).all() for a in found)


@pytest.mark.parametrize("case", [{"record": RECORD + 1}, BATCHES["shorter"], {"x0": X0[:2]}])
def test_a_taped_batch_and_second_order_look_at_their_inputs(case):
    op, arrays = BatchValues(PROBLEM), batch() | case
    values = np.ones((3, len(arrays["forcing"]), 1))
    for run, more in ((op.run, ()), (op.taped, ()), (op.swept_along, (values, *[values] * 3))):
        with pytest.raises(ValueError, match=MESSAGE):
            run(*arrays.values(), *more)


def test_the_gradient_of_a_batch_stays_inside_its_arrays():
    """The rows of the Jacobian are added by record, which is an index of ours."""
    right = batch()
    theta, record = pt.dtensor3(), pt.lvector()
    q = BatchValues(PROBLEM)(theta, FORCING, right["x0"], record)
    f = pytensor.function([theta, record], pytensor.grad(q.sum(), theta), mode="NUMBA")
    assert np.isfinite(f(right["theta"], RECORD)).all()
    for case, of_record in (("unsorted", [0, 1]), ("beyond", [0, 1]), ("negative", [0])):
        gradient = f(right["theta"], BATCHES[case]["record"])
        assert gradient.shape == right["theta"].shape
        assert np.isnan(gradient[:, of_record]).all()


@pytest.mark.parametrize(
    ("record", "expected"),
    [([0, 0, 2], True), ([], True), ([0, 0, 3], False), ([-1, 0, 0], False), ([0, 2, 1], False)],
)
def test_records(record, expected):
    record = np.array(record, dtype=int)
    assert record_fits(record, len(record), 3) is expected
    assert not record_fits(record, len(record) + 1, 3)
