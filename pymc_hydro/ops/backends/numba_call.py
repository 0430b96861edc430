"""Calls of a kernel from other compiled functions, by its address.

Numba copies the code of a function into each function that calls it, and optimises it there again;
PyTensor has three layers of wrappers around an Op. A call by address leaves a kernel where it is,
and a graph compiles sooner. The address has a name that depends on the kernel's text alone: graphs
in PyTensor's cache find it in another process.
"""

import functools
import inspect
from typing import Any

import numba
from llvmlite import binding
from numba.core import cgutils
from numba.extending import intrinsic

from pymc_hydro.engine.compile import Kernel
from pymc_hydro.ops.fit import inputs_fit, record_fits

__all__ = ["ascends", "fits", "kernel_call"]

fits, ascends = numba.njit(inputs_fit), numba.njit(record_fits)


@functools.lru_cache(maxsize=256)
def kernel_call(kernel: Kernel):
    """Return a function for compiled code, with the arguments and the result of the kernel."""
    dispatcher: Any = kernel.function  # of Numba, which has no types
    dispatcher.compile(kernel.signature)
    (compiled,) = dispatcher.overloads.values()
    descriptor = compiled.fndesc
    symbol = f"pymc_hydro_{kernel.content}"
    address = compiled.library.get_pointer_to_function(descriptor.llvm_func_name)
    binding.add_symbol(symbol, address)
    signature = compiled.signature

    def generate(context, builder, _, arguments):
        convention, kinds = context.call_conv, (signature.return_type, signature.args)
        function = cgutils.get_or_insert_function(
            builder.module, convention.get_function_type(*kinds), symbol
        )
        status, result = convention.call_function(builder, function, *kinds, arguments)
        with cgutils.if_unlikely(builder, status.is_error):
            convention.return_status_propagate(builder, status)
        return result

    def returned(context, *arguments):
        return signature, generate

    call: Any = returned

    # Numba asks for the names of the arguments: the names of the kernel's arguments.
    names = ("context", *(argument.name for argument in kernel.arguments))
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    call.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])
    found: Any = intrinsic(call)
    found.kernel = kernel  # keeps the code at the address alive
    return found
