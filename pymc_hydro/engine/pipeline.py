"""The passes by which Numba compiles a kernel.

A kernel is one long function over floats, integers and arrays. It has no closures, no functions to
inline and no variable of two types. Numba's passes for closures, inlining and types, and its static
single assignment form (LLVM makes its own), take half of the time of a compilation. A kernel
without these passes computes the same values.

Numba looks up the type of a sum or a product at each place where it stands. A kernel has thousands
of them, nearly all of two floats: each is looked up once.
"""

from numba.core import typed_passes, untyped_passes
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.types.functions import BaseFunction

__all__ = ["KernelPipeline"]


@register_pass(mutates_CFG=True, analysis_only=False)
class TypesOnce(typed_passes.NopythonTypeInference):
    """Find types; those of a function are found once for the types of its arguments."""

    _name = "types_once"

    def run_pass(self, state):
        """Run Numba's pass with a context that remembers (part of Numba's interface)."""
        context, known = state.typingctx, {}
        resolve = context.resolve_function_type

        def remembered(function, arguments, keywords):
            if keywords or not isinstance(function, BaseFunction):
                return resolve(function, arguments, keywords)
            call = function, tuple(arguments)
            if call not in known:
                known[call] = resolve(function, arguments, keywords)
            return known[call]

        context.resolve_function_type = remembered  # Numba holds its lock while it compiles
        try:
            return super().run_pass(state)
        finally:
            context.resolve_function_type = resolve


class KernelPipeline(CompilerBase):
    """From bytecode to typed code to machine code, and nothing between."""

    def define_pipelines(self):
        """Return the one pipeline (part of Numba's interface)."""
        passes = PassManager("kernel")
        passes.add_pass(untyped_passes.TranslateByteCode, "read the bytecode")
        passes.add_pass(untyped_passes.FixupArgs, "name the arguments")
        passes.add_pass(untyped_passes.IRProcessing, "find where variables end")
        passes.add_pass(TypesOnce, "find types")
        lowering = DefaultPassBuilder.define_nopython_lowering_pipeline(self.state)
        passes.passes.extend(lowering.passes)
        passes.finalize()
        return [passes]
