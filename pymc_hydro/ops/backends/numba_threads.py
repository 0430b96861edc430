"""Numba's threads, for the Ops that run in parallel.

Numba starts its threads when it compiles a parallel function. A process that finds the function in
PyTensor's cache compiles nothing, and would enter a pool that is not there: Python ends. So the
threads are started when an Op is turned into a function.

Two more places end Python: GNU's OpenMP in a forked child, and two threads at once in Numba's own
pool (the layer ``workqueue``). A counter says how many calls may enter the pool. A call that may
not enter runs alone; the samplers that fork, or call from several threads, use the cores already.
"""

import ctypes
import os

import numba
from llvmlite import binding, ir
from numba.core import cgutils, types
from numba.extending import intrinsic

__all__ = ["add_to_entries", "start_threads"]

SYMBOL = "pymc_hydro_parallel_entries"
_ENTRIES = ctypes.c_int64(0)  # how many more calls may enter the pool now
_LIMIT = {"workqueue": 1}  # by layer; the other layers take calls from any thread
_state = {"started": False}


def start_threads() -> None:
    """Start Numba's threads, unless this process or the one it was forked from did."""
    if not _state["started"]:
        numba.get_num_threads()
        _ENTRIES.value = _LIMIT.get(numba.threading_layer(), 2**31)
        _state["started"] = True


def _after_fork() -> None:
    """Let no call enter the pool of the parent, which has no threads in a child."""
    try:
        numba.threading_layer()
    except ValueError:  # no threads yet: the child may start its own
        return
    _ENTRIES.value, _state["started"] = 0, True


binding.add_symbol(SYMBOL, ctypes.addressof(_ENTRIES))
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@intrinsic
def add_to_entries(context, amount):
    """Return how many calls may enter the pool, and add `amount` to it, in one atomic step."""

    def generate(context, builder, signature, arguments):
        kind = ir.IntType(64)
        entries = builder.module.globals.get(SYMBOL)
        if entries is None:
            entries = cgutils.add_global_variable(builder.module, kind, SYMBOL)
        return builder.atomic_rmw("add", entries, arguments[0], "seq_cst")

    return types.int64(types.int64), generate
