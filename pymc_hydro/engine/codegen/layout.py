"""What a kernel computes when: the order of the stores, the nodes, and the rows of its arrays."""

import itertools
from functools import cached_property

from pymc_hydro.engine.codegen.text import Emitter, clean
from pymc_hydro.engine.derivation.structure import components, reachable
from pymc_hydro.engine.derivation.system import STAGE, System
from pymc_hydro.integrators import RungeKutta

__all__ = ["VECTOR", "Layout", "width_for"]

VECTOR = 4  # columns of sensitivities are padded to a multiple of this


def width_for(n_column: int) -> int:
    """Return the number of columns of a kernel that has room for `n_column`."""
    return -(-n_column // VECTOR) * VECTOR


class Layout(Emitter):
    """The pieces of a kernel that its parts share.

    Head states are solved for in blocks: J is block lower triangular in their order, and most
    blocks are one store. A node of the program belongs to the last block that it depends on.

    Attributes
    ----------
    blocks : tuple of tuple of str
        Head states.
    rows : tuple of str
        States whose rates are evaluated at a stage: head, then driven linear ones.
    slopes : list of (row, state)
        Entries of J that change from stage to stage; others are in `inner` alone.
    effects : list of (row, parameter)
        The same for B, and `outer`.
    effect_rows : list of str
        Their rows.
    """

    def __init__(self, system: System, width: int, methods: tuple[RungeKutta, ...]):
        super().__init__(system)
        self.width, self.methods = width, methods
        self.head = [clean(n) for n in system.head]
        self.linear = [clean(n) for n in system.linear]
        self.driven = [clean(n) for n in system.driven]
        self.rows = [*self.head, *self.driven]
        self.rates = {clean(k): v for k, v in system.rates.items()}
        self.matrix = {(clean(i), clean(k)): n for (i, k), n in system.matrix.items()}
        self.inner: dict[tuple[str, str], int] = {}  # derivatives by head states
        self.outer: dict[tuple[str, str], int] = {}  # by parameters
        for (row, by), number in system.jacobian.items():
            (self.inner if by in system.head else self.outer)[clean(row), clean(by)] = number
        self.slopes = [k for k, n in self.inner.items() if system.levels[n] == STAGE]
        self.effects = [k for k, n in self.outer.items() if system.levels[n] == STAGE]
        self.effect_rows = list(dict.fromkeys(row for row, _ in self.effects))
        self.reach = reachable(self.linear, self.matrix)
        used = {row: self.needed([self.rates[row]]) for row in self.head}
        symbols = {self.program.symbol(n): clean(n) for n in system.head}
        pairs = {(row, k) for row, nodes in used.items() for n, k in symbols.items() if n in nodes}
        self.blocks = components(self.head, pairs | {k for k in self.inner if k[0] in self.head})
        self._places: dict[str, int] = {}
        for stage in range(max(method.n_stages for method in methods)):
            for row in self.effect_rows:
                self.effect_at(row, stage)

    # ---- nodes ------------------------------------------------------------------------------

    @cached_property
    def block_of(self) -> dict[int, int]:
        """The last block that each node depends on; -1 for none."""
        number = {state: b for b, block in enumerate(self.blocks) for state in block}
        found: dict[int, int] = {}
        for n, (op, *args) in enumerate(self.program.nodes):
            if op == "symbol":
                found[n] = number.get(clean(args[0]), -1)
            elif op == "constant":
                found[n] = -1
            else:
                found[n] = max(found[a] for a in args)
        return found

    def within(self, block) -> list[int]:
        """Return the nodes of the entries of J within a block."""
        return [self.inner[i, k] for i in block for k in block if (i, k) in self.inner]

    def affine(self, state: str) -> bool:
        """Return whether a store's rate is linear in it, with a coefficient of the interval."""
        number = self.inner.get((state, state))
        return number is not None and self.system.levels[number] < STAGE

    @cached_property
    def slopes_within(self) -> set[tuple[str, str]]:
        """Those of `slopes` that solving for a stage needs: of a block by its own states."""
        return {(i, k) for block in self.blocks for i in block for k in block} & set(self.slopes)

    @cached_property
    def solved(self) -> list[set[int]]:
        """For each block, the nodes that its iteration repeats."""
        sets = []
        for b, block in enumerate(self.blocks):
            nodes = self.needed([*(self.rates[i] for i in block), *self.within(block)])
            sets.append({n for n in nodes if self.block_of[n] == b})
        return sets

    @cached_property
    def values(self) -> set[int]:
        """Nodes of the rates, and of what solving for the stages needs."""
        within = [n for block in self.blocks for n in self.within(block)]
        return self.needed([*(self.rates[r] for r in self.rows), *within])

    @cached_property
    def slope_nodes(self) -> set[int]:
        """Nodes of J that `values` has not."""
        return self.needed(self.inner.values()) - self.values

    @cached_property
    def effect_nodes(self) -> set[int]:
        """Nodes of B that neither `values` nor J has."""
        return self.needed(self.outer.values()) - self.values - self.slope_nodes

    # ---- places in arrays -------------------------------------------------------------------

    def at(self, row: str) -> int:
        """Return the offset of a row of the work array, one column a parameter."""
        return self._places.setdefault(row, len(self._places)) * self.width

    @property
    def effect_size(self) -> int:
        """Size of the rows of B at a stage, which lie one stage behind the other."""
        return len(self.effect_rows) * self.width

    def effect_at(self, row: str, stage: int = 0) -> int:
        """Return the offset of a row of B at a stage."""
        return self.at(f"effect of stage {stage} on {row}")

    def rows_at(self, kind: str, names) -> int:
        """Return the offset of rows that follow each other, to be treated as one."""
        offsets = [self.at(f"{kind}_{n}") for n in names]
        assert all(b - a == self.width for a, b in itertools.pairwise(offsets)), (kind, names)
        return offsets[0] if offsets else 0

    def span(self, names) -> str:
        """Return the length of rows that follow each other, as one that the compiler does not know.

        It makes vectors of such loops; those of a known, small length it writes out one by one.
        """
        return f"{len(names)} * width"

    @property
    def work_size(self) -> int:
        """Size of the work array, known once all of the kernel is written."""
        return len(self._places) * self.width

    def named(self, state: str) -> str:
        """Return the variable that holds a state, which is also the name of its row."""
        return f"{'x' if state in self.head else 'l'}_{state}"

    def slope(self, row: str, by: str, stage: str = "") -> str:
        """Return the text of an entry of J at a stage."""
        return f"j{stage}_{row}_{by}" if (row, by) in self.slopes else self.ref(self.inner[row, by])
