"""The order in which a kernel solves for its states, and where the rows of its arrays lie."""

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pymc_hydro.engine.codegen.text import Emitter, clean
from pymc_hydro.engine.derivation.structure import components, reachable
from pymc_hydro.engine.derivation.system import STAGE, System
from pymc_hydro.integrators import RungeKutta

__all__ = ["VECTOR", "Layout", "width_for"]

VECTOR = 4  # the number of columns is padded to a multiple of this: four fit into a register


def width_for(n_column: int) -> int:
    """Return the number of columns of a kernel that must have room for `n_column`."""
    return -(-n_column // VECTOR) * VECTOR


@dataclass(frozen=True)
class Segment:
    """What the text has of a section; states have the names that they have in the text.

    Attributes
    ----------
    number : int
    suffix : str
        Of the names of arrays: nothing for the last section, the number for the others.
    head, linear, read, driven : list of str
    parameters : tuple of str
        On which the matrix of the linear part depends, then others on which shares depend.
    blocks : dict of int to tuple of str
        The blocks of the head by their number in the whole. A later section begins with an empty
        block, for the nodes that depend on nothing of it but on what it reads.
    shared : bool
        Whether several linear states receive shares of one flux.
    """

    number: int
    suffix: str
    head: list[str]
    linear: list[str]
    read: list[str]
    driven: list[str]
    parameters: tuple[str, ...]
    blocks: dict[int, tuple[str, ...]]
    shared: bool

    @property
    def rows(self) -> list[str]:
        """Head states, then driven states."""
        return [*self.head, *self.driven]


class Layout(Emitter):
    """The plan that all parts of one kernel share; :mod:`pymc_hydro.engine.codegen` has the words.

    A kernel solves for the head states block after block. A node of the program belongs to the last
    block that it depends on.

    Attributes
    ----------
    blocks : tuple of tuple of str
        The head states, in the order in which J is block lower triangular.
    rows : list of str
        Head states, then driven states.
    inner : dict of (row, state) to int
        Entries of J: the derivative of each rate by each head state, as nodes of the program.
    outer : dict of (row, parameter) to int
        Entries of B: the derivative of each rate by each parameter.
    slopes : list of (row, state)
        The keys of `inner` whose entries change from stage to stage.
    effects : list of (row, parameter)
        The keys of `outer` whose entries change from stage to stage.
    effect_rows : list of str
        The rows that occur in `effects`.
    reach : set of (state, state)
        Non-zero entries of the matrix exponential of the linear part.
    shares : dict of (state, row) to int
        The share of the inflow `row` that a linear state receives, where several share it.
    fed : set of (state, row)
        Non-zero entries of the weights of inflows.
    tape : Tape or None
        Writes down the steps, in a kernel that keeps a tape for the sweep back.
    """

    tape: Any = None

    def __init__(self, system: System, width: int, methods: tuple[RungeKutta, ...]):
        super().__init__(system)
        self.width, self.methods = width, methods
        self.head = [clean(n) for n in system.head]
        self.linear = [clean(n) for n in system.linear]
        self.read = [clean(n) for n in system.read]
        self.driven = [clean(n) for n in system.driven]
        self.rows = [*self.head, *self.driven]
        self.rates = {clean(k): v for k, v in system.rates.items()}
        self.matrix = {(clean(i), clean(k)): n for (i, k), n in system.matrix.items()}
        self.inner: dict[tuple[str, str], int] = {}
        self.outer: dict[tuple[str, str], int] = {}
        for (row, by), number in system.jacobian.items():
            (self.outer if by in self.parameters else self.inner)[clean(row), clean(by)] = number
        self.slopes = [k for k, n in self.inner.items() if system.levels[n] == STAGE]
        self.effects = [k for k, n in self.outer.items() if system.levels[n] == STAGE]
        self.effect_rows = list(dict.fromkeys(row for row, _ in self.effects))
        self.reach = reachable(self.linear, self.matrix)
        self.shares = {(clean(i), clean(k)): n for (i, k), n in system.shares.items()}
        fed = [*self.shares, *((k, k) for k in self.driven if (k, k) not in self.shares)]
        self.fed = {(i, g) for i, k in self.reach for n, g in fed if n == k}
        used = {row: self.needed([self.rates[row]]) for row in self.head}
        symbols = {self.program.symbol(n): clean(n) for n in system.head}
        pairs = {(row, k) for row, nodes in used.items() for n, k in symbols.items() if n in nodes}
        pairs |= {key for key in self.inner if set(key) <= set(self.head)}
        self.blocks: list[tuple[str, ...]] = []
        self.segments = [self._segment(n, pairs) for n in range(len(system.sections))]
        self._places: dict[str, int] = {}
        for stage in range(max(method.n_stages for method in methods)):
            for row in self.effect_rows:
                self.effect_at(row, stage)

    def _segment(self, number, pairs):
        section, first = self.system.sections[number], len(self.blocks)
        head, linear = [clean(n) for n in section.head], [clean(n) for n in section.linear]
        found = components(head, {(i, k) for i, k in pairs if i in head and k in head})
        self.blocks += [(), *found] if number else found
        return Segment(
            number,
            "" if number == len(self.system.sections) - 1 else f"{number}",
            head,
            linear,
            [clean(n) for n in section.read],
            [n for n in linear if n in self.driven],
            self.system.linear_parameters(section),
            dict(enumerate(self.blocks[first:], first)),
            any(k in section.linear for k, _ in self.system.shares),
        )

    @property
    def reuse(self) -> bool:
        """Whether the last stage of a step is the first one of the next, by any of the methods."""
        return all(method.ends_at_solution for method in self.methods)

    # ---- nodes ------------------------------------------------------------------------------

    @cached_property
    def block_of(self) -> dict[int, int]:
        """For each node the number of the last block that it depends on; -1 for no block."""
        number = {state: b for b, block in enumerate(self.blocks) for state in block}
        for segment, later in itertools.pairwise(self.segments):
            number |= dict.fromkeys(segment.read, min(later.blocks))
        found: dict[int, int] = {}
        for n, (op, *args) in enumerate(self.program.nodes):
            if op == "symbol":
                found[n] = number.get(clean(args[0]), -1)
            elif op == "constant":
                found[n] = -1
            else:
                found[n] = max(found[a] for a in args)
        return found

    @cached_property
    def segment_of(self) -> dict[int, int]:
        """For each node the number of the last section that it depends on; -1 for none."""
        numbers = {b: segment.number for segment in self.segments for b in segment.blocks}
        return {n: numbers.get(b, -1) for n, b in self.block_of.items()}

    @cached_property
    def carried(self) -> dict[int, int]:
        """The nodes that a section takes over from an earlier one, and their places."""
        found = set()
        for segment in self.segments[1:]:
            for phase in self.phases:
                found |= self.taken_over(segment, phase)
        return {n: i for i, n in enumerate(sorted(found))}

    @property
    def phases(self) -> tuple[set[int], ...]:
        """The nodes of a stage in the order in which they are evaluated."""
        return self.values, self.slope_nodes, self.effect_nodes

    def taken_over(self, segment: Segment, phase: set[int]) -> set[int]:
        """Return the nodes of earlier sections to which this one's text of a phase refers."""
        here = [n for n in phase if self.segment_of[n] == segment.number]
        referred = {a for n in here for a in self.operands(n)}
        if phase is self.values:
            referred |= {self.rates[row] for row in segment.rows}
            referred |= {n for block in segment.blocks.values() for n in self.within(block)}
        else:
            entries = self.inner if phase is self.slope_nodes else self.outer
            referred |= {n for (row, _), n in entries.items() if row in segment.rows}
        return {
            n
            for n in referred
            if self.system.levels[n] == STAGE and self.segment_of[n] < segment.number
        }

    def operands(self, number: int) -> list[int]:
        """Return the nodes that an operation refers to."""
        op, *args = self.program.nodes[number]
        return [] if op in ("constant", "symbol") else args

    def within(self, block) -> list[int]:
        """Return the nodes of J's entries whose row and column are both in a block."""
        return [self.inner[i, k] for i in block for k in block if (i, k) in self.inner]

    def affine(self, state: str) -> bool:
        """Return whether the rate of a store is linear in its content, all else being equal.

        The coefficient does not change within an interval; it may be zero.
        """
        number = self.inner.get((state, state))
        if number is None:
            needed = self.needed([self.rates[state]])
            return ("symbol", state) not in (self.program.nodes[n] for n in needed)
        return self.system.levels[number] < STAGE

    @cached_property
    def slopes_within(self) -> set[tuple[str, str]]:
        """The slopes whose row and state are in one block: solving for a stage needs them."""
        return {(i, k) for block in self.blocks for i in block for k in block} & set(self.slopes)

    @cached_property
    def solved(self) -> list[set[int]]:
        """For each block, the nodes that each iteration of Newton's method evaluates again."""
        sets = []
        for b, block in enumerate(self.blocks):
            nodes = self.needed([*(self.rates[i] for i in block), *self.within(block)])
            sets.append({n for n in nodes if self.block_of[n] == b})
        return sets

    @cached_property
    def values(self) -> set[int]:
        """The nodes of the rates, and of the entries of J that solving for the stages needs."""
        within = [n for block in self.blocks for n in self.within(block)]
        return self.needed([*(self.rates[r] for r in self.rows), *within])

    @cached_property
    def slope_nodes(self) -> set[int]:
        """The nodes of J that are not among `values`."""
        return self.needed(self.inner.values()) - self.values

    @cached_property
    def effect_nodes(self) -> set[int]:
        """The nodes of B that are neither among `values` nor among the nodes of J."""
        return self.needed(self.outer.values()) - self.values - self.slope_nodes

    # ---- places in arrays -------------------------------------------------------------------

    def at(self, row: str) -> int:
        """Return the offset of a row in the work array; a row that is new gets the next place."""
        return self._places.setdefault(row, len(self._places)) * self.width

    @property
    def effect_size(self) -> int:
        """Size of all effects at one stage; the stages lie one behind the other."""
        return len(self.effect_rows) * self.width

    def effect_at(self, row: str, stage: int = 0) -> int:
        """Return the offset of the effects on a row at a stage."""
        return self.at(f"effect of stage {stage} on {row}")

    def rows_at(self, kind: str, names) -> int:
        """Return the offset of the first of several rows that must follow each other."""
        offsets = [self.at(f"{kind}_{n}") for n in names]
        assert all(b - a == self.width for a, b in itertools.pairwise(offsets)), (kind, names)
        return offsets[0] if offsets else 0

    def span(self, names) -> str:
        """Return the length of several rows as an expression whose value the compiler cannot know.

        The compiler makes vector instructions of a loop of unknown length. It unrolls a loop whose
        length is known and small, into one instruction for each element.
        """
        return f"{len(names)} * width"

    @property
    def work_size(self) -> int:
        """Size of the work array. It is known only after all of the kernel was written."""
        return len(self._places) * self.width

    def named(self, state: str) -> str:
        """Return the variable that holds a state; the row of its columns has the same name."""
        return f"{'x' if state in self.head else 'l'}_{state}"

    def scale(self, row: str) -> str:
        """Return the factor of a row's error: its largest share, where linear states share it."""
        return f"share_{row} * " if any(g == row for _, g in self.shares) else ""

    def sensitivity(self, stage: int) -> str:
        """Return how the names begin of one column's sensitivities at a stage.

        With several sections a name has the number of its stage: a section reads those of another.
        """
        return "z" if len(self.segments) == 1 else f"z{stage}"

    def slope(self, row: str, by: str, stage: str = "") -> str:
        """Return the text that stands for an entry of J at a stage."""
        return f"j{stage}_{row}_{by}" if (row, by) in self.slopes else self.ref(self.inner[row, by])
