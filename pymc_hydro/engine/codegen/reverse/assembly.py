"""The tape and the sweep of a model with unit hydrographs between its stores: parts put together.

The tape of the whole holds the rows of all parts, one part after another; its last column says
the part of a row. The sweep goes through the parts from the last one to the first. A part finds the
cotangent of the water that arrived in it; this is the cotangent of the flow into the hydrograph
above.
"""

from collections.abc import Sequence

from pymc_hydro.engine.codegen import HELD_BACK, OUTPUT, SWEEP_ARGUMENTS
from pymc_hydro.engine.codegen.routing import places_of
from pymc_hydro.engine.codegen.text import Text
from pymc_hydro.engine.derivation.parts import Part

__all__ = ["TapedAssembly", "emit_sweep_assembly"]


class TapedAssembly:
    """The statements that a tape adds to the kernel of the whole."""

    def emit_result(self, i: int) -> str:
        """Return the names of the results of part i."""
        return f"status, tape_{i}"

    def emit_tape(self, text: Text, n_part: int) -> None:
        """Write the tape of the whole; it is empty if the run failed."""
        text("tape = empty((0, 1))")
        with text.block("if status == 0:"):
            text("n_row = n_wide = 0")
            for i in range(n_part):
                text(f"n_row += tape_{i}.shape[0]")
                text(f"n_wide = max(n_wide, tape_{i}.shape[1] + 1)")
            text("tape = empty((n_row, n_wide))")
            text("r = 0")
            for i in range(n_part):
                with text.block(f"for q in range(tape_{i}.shape[0]):"):
                    with text.block(f"for j in range(tape_{i}.shape[1]):"):
                        text(f"tape[r, j] = tape_{i}[q, j]")
                    text(f"tape[r, n_wide - 1] = {i}")
                    text("r += 1")


def emit_sweep_assembly(
    outputs: Sequence[str], order: Sequence[str], parts: Sequence[Part], name: str
) -> str:
    """Return the text of a sweep that calls the sweeps of parts, ``name_0`` ..., in reverse.

    Parameters
    ----------
    outputs : sequence of str
    order : sequence of str
        Names of the hydrographs, in the order of the model.
    parts : sequence of Part
    name : str
    """
    text, places = Text(), places_of(outputs, order)
    results = [a for a in (*SWEEP_ARGUMENTS, *HELD_BACK) if a.role == OUTPUT]
    with text.block(f"def {name}({', '.join(a.name for a in SWEEP_ARGUMENTS)}):"):
        text("n_time = forcing.shape[0]")
        text(f"by_held = zeros((n_time, {len(order)}))")
        for result in results[:-1]:
            _loop(text, result, "{} = 0.0")
        text("last = tape.shape[0]")
        for i, part in reversed(list(enumerate(parts))):
            text("start = last")
            with text.block(f"while start > 0 and tape[start - 1, tape.shape[1] - 1] == {i}:"):
                text("start -= 1")
            text(f"part_cotangent = empty((n_time, {len(part.outputs)}))")
            with text.block("for k in range(n_time):"):
                for o, output in enumerate(part.outputs):
                    kind, column = places[output.name]
                    whole = "cotangent" if kind == "values" else "by_held"
                    text(f"part_cotangent[k, {o}] = {whole}[k, {column}]")
            for result in results:
                text(f"part_{result.name} = zeros({result.name}.shape)")
            given = {"tape": "tape[start:last]", "cotangent": "part_cotangent"}
            given |= {result.name: f"part_{result.name}" for result in results}
            names = [given.get(a.name, a.name) for a in (*SWEEP_ARGUMENTS, *HELD_BACK)]
            text(f"{name}_{i}({', '.join(names)})")
            for result in results:
                _loop(text, result, "{} += part_{}")
            text("last = start")
        text("return 0")
    return "\n".join(text.lines) + "\n"


def _loop(text, array, statement):
    """Write a statement for each element of an array."""
    indices = ("i", "j")[: len(array.shape)]
    element = f"{array.name}[{', '.join(indices)}]"
    with text.block(f"for i in range({array.name}.shape[0]):"):
        if len(indices) == 1:
            text(statement.format(element, element))
            return
        with text.block(f"for j in range({array.name}.shape[1]):"):
            text(statement.format(element, element))
