"""The passes by which Numba compiles a kernel.

A kernel is one long function over floats, integers and arrays. It has no closures, no functions to
inline and no variable of two types. Numba's passes for closures, inlining and types, and its static
single assignment form (LLVM makes its own), take half of the time of a compilation. A kernel
without these passes computes the same values.
"""

from numba.core import typed_passes, untyped_passes
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import PassManager

__all__ = ["KernelPipeline"]


class KernelPipeline(CompilerBase):
    """From bytecode to typed code to machine code, and nothing between."""

    def define_pipelines(self):
        """Return the one pipeline (part of Numba's interface)."""
        passes = PassManager("kernel")
        passes.add_pass(untyped_passes.TranslateByteCode, "read the bytecode")
        passes.add_pass(untyped_passes.FixupArgs, "name the arguments")
        passes.add_pass(untyped_passes.IRProcessing, "find where variables end")
        passes.add_pass(typed_passes.NopythonTypeInference, "find types")
        lowering = DefaultPassBuilder.define_nopython_lowering_pipeline(self.state)
        passes.passes.extend(lowering.passes)
        passes.finalize()
        return [passes]
