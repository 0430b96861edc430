"""The tape of a run: one row for each step that the run takes."""

from pymc_hydro.engine.codegen.layout import Layout, Segment
from pymc_hydro.engine.codegen.linear import moved_by

__all__ = ["INFLOWS", "Tape"]

INFLOWS = ("g0", "g1", "gm")


class Tape:
    """The columns of a tape, and the text that fills them.

    Attributes
    ----------
    columns : dict of str to int
        ``interval``, ``level`` and ``method`` of the step; ``unrouted`` and a number, an output
        before it is routed, in the last row of an interval; contents ``l_`` and inflows
        ``g0_``, ``g1_``, ``gm_`` that the derivatives of the propagator multiply; and ``y``, the
        first of the head states, and of the linear states that another section reads, at all
        stages.
    width : int
    """

    def __init__(self, e: Layout):
        parameters = {p for segment in e.segments for p in segment.parameters}
        moved = {k for p in parameters for _, k in moved_by(e, p)}
        inflows = {k for p in parameters for _, k in moved_by(e, p, weights=True)}
        names = ["interval", "level", "method"]
        self.routed = [f"unrouted {route.output}" for route in e.system.routes]
        names += self.routed
        names += [f"l_{k}" for k in e.linear if k in moved]
        names += [f"{g}_{k}" for k in e.driven if k in inflows for g in INFLOWS]
        self.columns = {name: i for i, name in enumerate([*names, "y"])}
        self.states = [*e.head, *e.read]
        self.width = len(names) + len(self.states) * max(m.n_stages for m in e.methods)

    def emit_start(self, e: Layout) -> None:
        """Write an empty tape; it becomes longer where there are more steps."""
        e.text(f"stage = zeros((n_most, {len(self.states)}))")
        e.text(f"tape = empty((n_time * max(n_fixed, 2) + 1, {self.width}))")
        e.text("n_tape = 0")

    def emit_stage(self, e: Layout, segment: Segment) -> None:
        """Keep the states of a section at a stage, and the linear ones that it is first to read."""
        read = e.segments[segment.number - 1].read if segment.number else []
        for i, state in enumerate(self.states):
            if state in segment.head or state in read:
                e.text(f"stage[s, {i}] = y_{state}")

    def emit_row(self, e: Layout) -> None:
        """Write down a step that is taken, before its end becomes the start of the next one."""
        text, n = e.text, len(self.states)
        with text.block("if n_tape == tape.shape[0]:"):
            text(f"longer = empty((2 * n_tape, {self.width}))")
            with text.block("for q in range(n_tape):"):
                with text.block(f"for j in range({self.width}):"):
                    text("longer[q, j] = tape[q, j]")
            text("tape = longer")
        values = {"interval": "k", "method": "m"}
        for name, column in self.columns.items():
            if name not in ("y", *self.routed):
                text(f"tape[n_tape, {column}] = {values.get(name, name)}")
        with text.block("for s in range(n_stage):"):
            for i in range(n):
                text(f"tape[n_tape, {self.columns['y'] + i} + s * {n}] = stage[s, {i}]")
        if e.reuse:
            for i in range(n):
                text(f"stage[0, {i}] = stage[n_stage - 1, {i}]")
        text("n_tape += 1")

    def emit_unrouted(self, e: Layout, o: int) -> None:
        """Write down an output, if it is one that will be routed."""
        column = self.columns.get(f"unrouted {o}")
        if column is not None:
            e.text(f"tape[n_tape - 1, {column}] = values[k, {o}]")
