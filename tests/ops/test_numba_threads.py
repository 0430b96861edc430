"""Processes one after another: the last ones find all in PyTensor's cache and compile nothing."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import multiprocessing, sys, threading
import numba, numpy as np
from pytensor.link.numba.cache import compile_numba_function_src
from pytensor.link.numba.dispatch.basic import numba_funcify_ensure_cache
import pymc_hydro as ph
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.ops import BatchValues

model, graph = ph.Hymod(snow=False), sys.argv[1]
op = BatchValues(define_problem(model, ("discharge",), 1.0), parallel=True)
theta, x0 = np.tile(model.default, (1, 3, 1)), np.full((1, 3, 5), 1e-5)
arguments = theta, np.tile([5.0, 2.0], (12, 1)), x0, np.repeat([0, 1, 2], 4)
function, _ = numba_funcify_ensure_cache(op, op.make_node(*arguments))
text = f"def {graph}(*arguments): return function(*arguments).sum()"
total = compile_numba_function_src(text, graph, globals(), cache_key=graph)
total = numba.njit(nogil=True, cache=True)(total)
first = float(total(*arguments))
print(first, numba.threading_layer(), *total.stats.cache_hits.values(), flush=True)
if total.stats.cache_hits:
    if sys.platform == "linux":  # elsewhere processes are not forked
        context = multiprocessing.get_context("fork")
        process = context.Process(target=lambda: sys.exit(total(*arguments) != first))
        process.start()
        process.join(60)
        assert process.exitcode == 0, process.exitcode
    many = [threading.Thread(target=lambda: [total(*arguments) for _ in range(50)]) for _ in "1234"]
    [thread.start() for thread in many]
    [thread.join() for thread in many]
"""


@pytest.mark.kernels
def test_cached_graphs_start_the_threads_that_they_need(tmp_path):
    """The second graph finds the Op in the cache: it does not know that it needs threads."""
    environment = os.environ | {"PYTENSOR_FLAGS": f"base_compiledir={tmp_path}"}
    printed = []
    for graph, layer in (
        ("one", "default"), ("two", "default"), ("two", "default"), ("two", "workqueue")
    ):  # fmt: skip
        process = subprocess.run(
            [sys.executable, "-c", SCRIPT, graph],
            env=environment | {"NUMBA_THREADING_LAYER": layer},
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert process.returncode == 0, process.stderr
        printed.append(process.stdout.split())
    assert len({value for value, *_ in printed}) == 1
    assert [hits for _, _, *hits in printed] == [[], [], ["1"], ["1"]]
    assert printed[-1][1] == "workqueue"
