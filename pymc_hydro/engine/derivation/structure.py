"""Structural non-zeros of matrices, from the structure of the equations."""

__all__ = ["changed_by", "components", "fill_in", "reachable"]


def reachable(names, pairs) -> set[tuple[str, str]]:
    """Return the structural non-zeros of ``exp(A)``; `pairs` are the non-zeros of A."""
    found = {(n, n) for n in names} | set(pairs)
    while True:
        more = {(i, m) for i, k in found for n, m in found if k == n} - found
        if not more:
            return found
        found |= more


def changed_by(changed, names, reach) -> set[tuple[str, str]]:
    """Return the structural non-zeros of the derivative of ``exp(A)``.

    Parameters
    ----------
    changed : set of pairs
        Entries of A that depend on the parameter.
    names : sequence of str
    reach : set of pairs
        Structural non-zeros of ``exp(A)``.
    """
    return {
        (i, m)
        for i in names
        for m in names
        if any((i, a) in reach and (b, m) in reach for a, b in changed)
    }


def components(names, pairs) -> tuple[tuple[str, ...], ...]:
    """Return the blocks of a block lower triangular order: a block follows all that it depends on.

    Parameters
    ----------
    names : sequence of str
        States.
    pairs : set of pairs
        (i, k) where the rate of state i depends on state k.
    """
    reach = reachable(names, pairs)
    found: dict[tuple[str, ...], int] = {}
    for i in names:
        block = tuple(k for k in names if (i, k) in reach and (k, i) in reach)
        found[block] = sum((i, k) in reach for k in names)
    return tuple(sorted(found, key=found.__getitem__))


def fill_in(block, pairs) -> list[tuple[str, str]]:
    """Return the non-zeros of the factors of a matrix, by rows, when eliminated in this order.

    Parameters
    ----------
    block : sequence of str
    pairs : collection of pairs
        Non-zeros of the matrix; the diagonal is always one.
    """
    found = {(i, k) for i in block for k in block if i == k or (i, k) in pairs}
    for n, pivot in enumerate(block):
        later = block[n + 1 :]
        found |= {
            (i, k) for i in later for k in later if (i, pivot) in found and (pivot, k) in found
        }
    return [(i, k) for i in block for k in block if (i, k) in found]
