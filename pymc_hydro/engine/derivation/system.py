"""From a declaration to the system that is integrated.

The states (stores, and one accumulated amount for each flux output) are divided into

* the *linear part*: states whose equations are linear with coefficients that depend on the
  parameters alone, and on which nothing else depends, such as routing reservoirs and accumulated
  outflow: ``dl/dt = A(theta) l + g``. It is advanced exactly for an input ``g`` that is a parabola
  over the step, so that a routing rate of 100 per day costs nothing;
* the *head*: all others, advanced by a Runge-Kutta pair.

Where a state that is not linear depends on linear ones, such as a routing store below a cascade,
there are several *sections* one after another, each with a head and a linear part. A step advances
the first section, then the next one, which reads the linear states of the first at its stages.

All of this follows from the structure of the derived Jacobian; no model says which is which.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pymc_hydro.core.base.expression import Expression, symbol
from pymc_hydro.core.base.names import Names
from pymc_hydro.core.blocks import UnitHydrograph
from pymc_hydro.core.declaration import Output, Store
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.engine.derivation.program import Program
from pymc_hydro.engine.derivation.sections import Section, find_sections, find_shares

__all__ = [
    "CONSTANT",
    "COTANGENT",
    "INTERVAL",
    "ORDINATE_END",
    "ORDINATE_START",
    "RUN",
    "STAGE",
    "Route",
    "System",
    "derive",
    "derive_full",
    "inflow_name",
    "initial_contents",
    "levels_of",
    "route_of",
    "trace",
]

# When an operation is evaluated: never (it is a number), once a run, once an interval, each stage.
CONSTANT, RUN, INTERVAL, STAGE = range(4)

# Symbols: where an ordinate of a unit hydrograph begins and ends, in days. A loop of their own
# evaluates ordinates, and these symbols have the level of a stage.
ORDINATE_START, ORDINATE_END = "ordinate_start", "ordinate_end"

# Symbol of the cotangent of a rate: this prefix, then the name of the state.
COTANGENT = "cotangent of "


@dataclass(frozen=True)
class Route:
    """A unit hydrograph, and the output that it distributes.

    Attributes
    ----------
    output : int
        Position of the output.
    hydrograph : UnitHydrograph
    ordinate, base : int
        Nodes: the ordinate, in terms of the symbols :data:`ORDINATE_START` and
        :data:`ORDINATE_END`, and the base.
    slopes : dict of str to int
        Derivatives of the ordinate, by parameter.
    """

    output: int
    hydrograph: UnitHydrograph
    ordinate: int
    base: int
    slopes: dict[str, int]


@dataclass(frozen=True)
class System:
    """The equations of a model as one program, for the outputs that are asked for.

    Attributes
    ----------
    sections : tuple of Section
        In their order. An accumulated output is called ``amount of <output>``.
    rates : dict of str to int
        Nodes of the rate of change of each head state, and of the input ``g`` of each linear
        state (zero where it has none). Where several linear states of a section receive shares of
        one flux, the rate of the first of them is the flux, and those of the others are zero.
    shares : dict of (state, state) to int
        The share of each of these states, with the state whose rate is the flux; and in
        `share_jacobian` the derivatives, (state, state, parameter).
    jacobian : dict of (state, symbol) to int
        Non-zero derivatives of `rates` with respect to head states, to linear states that another
        section reads, and to parameters.
    matrix : dict of (state, state) to int
        Non-zero entries of A, and in `matrix_jacobian` their derivatives,
        (state, state, parameter).
    start : dict of str to int
        Initial contents of the stores for which the parameters give them; in `start_jacobian` their
        derivatives, (store, parameter).
    capacity : dict of str to int
        Capacities, for stores that declare one.
    routes : tuple of Route
        Unit hydrographs that distribute outputs over later intervals.
    levels : list of int
        How often each node must be evaluated.
    held : tuple of str
        Unit hydrographs from which water arrives, mm/d: head states that are constant within an
        interval.
    stores : tuple of str
        The stores of the system; a part of a model has some of the model's.
    """

    model: AbstractModel
    outputs: tuple[Output, ...]
    program: Program
    sections: tuple[Section, ...]
    rates: dict[str, int]
    shares: dict[tuple[str, str], int]
    share_jacobian: dict[tuple[str, str, str], int]
    jacobian: dict[tuple[str, str], int]
    matrix: dict[tuple[str, str], int]
    matrix_jacobian: dict[tuple[str, str, str], int]
    start: dict[str, int]
    start_jacobian: dict[tuple[str, str], int]
    capacity: dict[str, int]
    routes: tuple[Route, ...]
    levels: list[int]
    held: tuple[str, ...]
    stores: tuple[str, ...]

    @property
    def head(self) -> tuple[str, ...]:
        """Head states of all sections."""
        return tuple(n for section in self.sections for n in section.head)

    @property
    def linear(self) -> tuple[str, ...]:
        """Linear states of all sections."""
        return tuple(n for section in self.sections for n in section.linear)

    @property
    def read(self) -> tuple[str, ...]:
        """Linear states that another section reads."""
        return tuple(n for section in self.sections for n in section.read)

    @property
    def signed(self) -> tuple[str, ...]:
        """Stores that may be negative."""
        return tuple(s.name for s in self.model.stores if s.signed)

    @property
    def driven(self) -> tuple[str, ...]:
        """Linear states with a rate: each state with an input, or the first that shares it."""
        return tuple(n for n in self.linear if not self.program.is_zero(self.rates[n]))

    def linear_parameters(self, section: Section) -> tuple[str, ...]:
        """Parameters on which the matrix of a section depends; then others, of its shares."""
        kinds = self.matrix_jacobian, self.share_jacobian
        by_matrix, by_shares = ({p for i, _, p in kind if i in section.linear} for kind in kinds)
        names = self.model.parameter_names
        of_shares = tuple(p for p in names if p in by_shares - by_matrix)
        return tuple(p for p in names if p in by_matrix) + of_shares

    @property
    def matrix_parameters(self) -> tuple[str, ...]:
        """Parameters on which A depends."""
        used = {p for _, _, p in self.matrix_jacobian}
        return tuple(p for p in self.model.parameter_names if p in used)


def amount(output: Output) -> str:
    """Return the name of the state that accumulates a flux output over an interval."""
    return f"amount of {output.name}"


def is_flux(model: AbstractModel, output: Output) -> bool:
    """Return whether an output is an interval mean of fluxes (or else of stores at its end)."""
    return output.terms[0] not in model.store_names


def state_rates(model: AbstractModel, outputs, stores: Mapping[str, object]) -> dict[str, Any]:
    """Return the rates of all states as expressions of `stores`, forcing and parameters."""
    arriving = [hydrograph.output for hydrograph in model.hydrographs]
    forcing = {name: symbol(name) for name in (*model.forcing_names, *arriving)}
    parameters = {name: symbol(name) for name in model.parameter_names}
    fluxes = model.evaluate(stores, forcing, parameters)
    rates = dict(model.right_hand_side(fluxes))
    for output in outputs:
        if is_flux(model, output):
            terms = [fluxes[t] for t in output.terms]
            rates[amount(output)] = sum(terms[1:], start=terms[0])
    return rates


def derive(
    model: AbstractModel,
    outputs: tuple[Output, ...],
    held: tuple[str, ...] = (),
    kept: tuple[str, ...] | None = None,
    several: bool = True,
) -> System:
    """Return the system that integrates a model for these outputs.

    Parameters
    ----------
    model : AbstractModel
    outputs : tuple of Output
    held : tuple of str
        Unit hydrographs from which water arrives.
    kept : tuple of str, optional
        The stores that `outputs` depend on; all if not given.
    several : bool
        Whether there may be several sections. With one, linear states that others depend on are in
        the head.
    """
    kept = model.store_names if kept is None else kept

    def rates_of(program, contents):
        rates = state_rates(model, outputs, contents)
        known = {k: v for k, v in rates.items() if k in kept or k not in model.store_names}
        return {k: trace(program, v) for k, v in {**dict.fromkeys(held, 0.0), **known}.items()}

    full = Program()
    stores = {name: symbol(name) for name in model.store_names}
    traced = rates_of(full, stores)
    jacobian = full.jacobian(traced, (*held, *kept))
    levels = levels_of(full, model)
    constant = {n for n in range(len(levels)) if levels[n] <= RUN}
    sections = find_sections(full, traced, jacobian, constant, held, several)
    parts = [set(section.linear) for section in sections]
    matrix = {key: n for key, n in jacobian.items() if any(part.issuperset(key) for part in parts)}

    program, rates = Program(), dict.fromkeys(traced, 0)
    for section in sections:
        emptied = {k: (0.0 if k in section.linear else v) for k, v in stores.items()}
        found = rates_of(program, emptied)
        rates |= {k: found[k] for k in (*section.head, *section.linear)}
    shares: dict[tuple[str, str], int] = {}
    levels = levels_of(program, model)
    constant = {n for n in range(len(levels)) if levels[n] <= RUN}
    for section in sections:
        shares |= find_shares(program, rates, section.linear, constant)
    entries = {key: _copy(full, program, n) for key, n in matrix.items()}
    by_state = [n for section in sections for n in (*section.head, *section.read)]
    derivatives = program.jacobian(rates, (*by_state, *model.parameter_names))
    return System(
        model=model,
        outputs=outputs,
        program=program,
        sections=sections,
        rates=rates,
        shares=shares,
        share_jacobian=_entry_slopes(program, shares, model.parameter_names),
        jacobian=derivatives,
        matrix=entries,
        matrix_jacobian=_entry_slopes(program, entries, model.parameter_names),
        **_starts(program, model, kept),
        routes=_routes(program, model, outputs),
        levels=levels_of(program, model),
        held=held,
        stores=kept,
    )


def _entry_slopes(program, entries, parameters):
    """Return the derivatives of entries (state, state), by parameter."""
    names = {f"{i}|{k}": (i, k) for i, k in entries}
    by_name = {name: entries[key] for name, key in names.items()}
    slopes = program.jacobian(by_name, parameters)
    return {(*names[name], p): n for (name, p), n in slopes.items()}


def derive_full(model: AbstractModel, outputs: tuple[Output, ...]) -> System:
    """Return the system with every state in the head, for checks and reference solutions."""
    program = Program()
    stores = {name: symbol(name) for name in model.store_names}
    rates = {k: trace(program, v) for k, v in state_rates(model, outputs, stores).items()}
    jacobian = program.jacobian(rates, (*model.store_names, *model.parameter_names))
    return System(
        model=model,
        outputs=outputs,
        program=program,
        sections=(Section(tuple(rates), ()),),
        rates=rates,
        shares={},
        share_jacobian={},
        jacobian=jacobian,
        matrix={},
        matrix_jacobian={},
        start={},
        start_jacobian={},
        capacity={},
        routes=(),
        levels=levels_of(program, model),
        held=(),
        stores=model.store_names,
    )


def _starts(program, model, kept):
    """Return initial contents that depend on parameters, their derivatives, and capacities."""
    stores = [s for s in model.stores if s.name in kept]
    start, slopes = initial_contents(program, model, stores)
    p = _parameters(model, type(model).__name__)
    limited = [s for s in stores if s.capacity is not None]
    return {
        "start": start,
        "start_jacobian": slopes,
        "capacity": {s.name: trace(program, s.full(p)) for s in limited},
    }


def initial_contents(program: Program, model: AbstractModel, stores: Iterable[Store]):
    """Return the nodes of initial contents that depend on parameters, and their derivatives."""
    contents = model.start({name: symbol(name) for name in model.parameter_names})
    start = {s.name: trace(program, contents[s.name]) for s in stores if callable(s.initial)}
    return start, program.jacobian(start, model.parameter_names)


def _parameters(model, owner):
    """Return the parameters as symbols, by name."""
    return Names(owner, "parameter", {name: symbol(name) for name in model.parameter_names})


def inflow_name(hydrograph: str) -> str:
    """Return the name of the output that is the inflow of a unit hydrograph."""
    return f"_into_{hydrograph}"


def _routes(program, model, outputs):
    """Return the unit hydrographs that distribute one of the outputs."""
    known = {inflow_name(h.output): h for h in model.hydrographs}
    if model.routing is not None:
        known[model.routing.output] = model.routing
    found = []
    for position, output in enumerate(outputs):
        if output.name not in known:
            continue
        found.append(route_of(program, model, position, known[output.name]))
    return tuple(found)


def route_of(
    program: Program, model: AbstractModel, position: int, routing: UnitHydrograph
) -> Route:
    """Return the ordinate of a unit hydrograph as nodes, for the output at a position."""
    p = _parameters(model, f"{type(model).__name__}.routing")
    between = symbol(ORDINATE_START), symbol(ORDINATE_END)
    ordinate = trace(program, routing.ordinate(*between, p))
    slopes = program.jacobian({"ordinate": ordinate}, model.parameter_names)
    by_name = {name: n for (_, name), n in slopes.items()}
    return Route(position, routing, ordinate, trace(program, routing.base(p)), by_name)


def levels_of(program: Program, model: AbstractModel) -> list[int]:
    """Return how often each node of a program must be evaluated."""
    levels: list[int] = []
    for op, *args in program.nodes:
        if op == "constant":
            levels.append(CONSTANT)
        elif op == "symbol":
            name = args[0]
            known = RUN if name in model.parameter_names else INTERVAL
            arriving = [hydrograph.output for hydrograph in model.hydrographs]
            each = (*model.store_names, *arriving, ORDINATE_START, ORDINATE_END)
            levels.append(STAGE if name in each or name.startswith(COTANGENT) else known)
        else:
            levels.append(max(levels[a] for a in args))
    return levels


def trace(program: Program, value) -> int:
    """Return the node of an expression or of a number."""
    return program.trace(value) if isinstance(value, Expression) else program.constant(value)


def _copy(source: Program, target: Program, number: int) -> int:
    op, *args = source.nodes[number]
    if op in ("constant", "symbol"):
        return target.node(op, *args)
    return target.node(op, *(_copy(source, target, a) for a in args))
