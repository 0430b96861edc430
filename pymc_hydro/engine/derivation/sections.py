"""Which states are advanced together, which of them exactly, and which receive one flux.

A node of a program is *constant* here if it depends on parameters alone.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pymc_hydro.engine.derivation.program import Program
from pymc_hydro.engine.derivation.structure import components

__all__ = ["Section", "find_sections", "find_shares"]


@dataclass(frozen=True)
class Section:
    """States that a step advances together.

    Attributes
    ----------
    head, linear : tuple of str
    read : tuple of str
        The linear states that later sections depend on; they are the first ones of `linear`.
    """

    head: tuple[str, ...]
    linear: tuple[str, ...]
    read: tuple[str, ...] = ()


def find_sections(
    program: Program,
    rates: Mapping[str, int],
    jacobian: Mapping[tuple[str, str], int],
    constant: Collection[int],
    held: tuple[str, ...],
    several: bool,
) -> tuple[Section, ...]:
    """Return the sections: the last linear part is as large as it can be, then those before it.

    Parameters
    ----------
    program : Program
    rates, jacobian : mapping to node
        Of all states, and the derivatives of rates by states.
    constant : collection of int
    held : tuple of str
        States that are never linear.
    several : bool
        Whether there may be more than one.
    """
    head, tail = _split(rates, jacobian, constant, held)
    if not several:
        return (Section(head, tail),)
    symbols = {program.symbol(n): n for n in rates}
    reads = {i: {symbols[n] for n in program.needed([rates[i]]) if n in symbols} for i in rates}
    parts = _place(head, tail, reads, jacobian, constant, held)
    found = []
    for nonlinear, linear in parts:
        read = {k for i in rates if i not in linear for k in reads[i] if k in linear}
        order = sorted((n for n in rates if n in linear), key=lambda n: n not in read)
        section_head = tuple(n for n in rates if n in nonlinear)
        found.append(Section(section_head, tuple(order), tuple(order[: len(read)])))
    return tuple(found)


def _split(rates, jacobian, constant, held):
    """Return (head, linear): the largest linear part that nothing outside it depends on."""
    linear = [n for n in rates if n not in held]
    while True:
        leave = {
            k
            for (i, k), n in jacobian.items()
            if k in linear and (i not in linear or n not in constant)
        }
        if not leave:
            return tuple(n for n in rates if n not in linear), tuple(linear)
        linear = [n for n in linear if n not in leave]


def _place(head, tail, reads, jacobian, constant, held):
    """Return head states and linear states of each section."""

    def linear_in(rows, states):
        pairs = [(i, k) for i in rows for k in states if k in reads[i]]
        return all(jacobian.get(key) in constant for key in pairs)

    place: dict[tuple[str, ...], tuple[int, bool]] = {}  # section, and whether a block is linear
    for block in components(head, {(i, k) for i in head for k in reads[i]}):
        linear, number = linear_in(block, block) and not set(held) & set(block), 0
        for above, (section, above_linear) in place.items():
            if any(k in reads[i] for i in block for k in above):
                later = above_linear and not (linear and linear_in(block, above))
                number = max(number, section + later)
        place[block] = number, linear
    n_section = 1 + max((number + linear for number, linear in place.values()), default=0)
    parts: list[tuple[list, list]] = [([], []) for _ in range(n_section)]
    for block, (number, linear) in place.items():
        parts[number][linear].extend(block)
    parts[-1][1].extend(tail)
    return parts


def find_shares(
    program: Program, rates: dict[str, int], linear: tuple[str, ...], constant: Collection[int]
) -> dict[tuple[str, str], int]:
    """Put one flux in the place of inflows that are shares of it, and return the shares.

    Parameters
    ----------
    program : Program
    rates : dict of str to int
        The rate of the first state becomes the flux, those of the others become zero.
    linear : tuple of str
        The linear states of a section.
    constant : collection of int
    """
    members: dict[int, dict[str, int]] = {}
    for state in linear:
        if rates[state] not in constant:
            share, flux = _factors(program, rates[state], constant)
            members.setdefault(flux, {})[state] = share
    found: dict[tuple[str, str], int] = {}
    for flux, shares in members.items():
        if len(shares) > 1:
            first = next(iter(shares))
            rates |= {**dict.fromkeys(shares, program.constant(0.0)), first: flux}
            found |= {(state, first): share for state, share in shares.items()}
    return found


def _factors(program, number, constant):
    """Return the constant factor of a node, and what it multiplies."""
    factor = program.constant(1.0)
    while True:
        op, *args = program.nodes[number]
        known = [a for a in args if a in constant] if op in ("mul", "div") else []
        if op == "neg":
            factor, number = program.node("neg", factor), args[0]
        elif op == "mul" and known:
            factor = program.node("mul", factor, known[0])
            number = args[0] if args[1] == known[0] else args[1]
        elif op == "div" and args[1] in known:
            factor, number = program.node("div", factor, args[1]), args[0]
        else:
            return factor, number
