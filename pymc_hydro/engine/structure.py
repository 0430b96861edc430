"""Structural non-zeros of matrices, from those of the equations."""

__all__ = ["changed_by", "reachable", "spectral_rows"]


def reachable(names, pairs) -> set[tuple[str, str]]:
    """Return the structural non-zeros of ``exp(A)`` where `pairs` are those of A."""
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


def spectral_rows(names, entries) -> list[list]:
    """Return, for each state, the entries of J whose moduli bound an eigenvalue.

    Those of its row within its own strongly connected component (Gershgorin's circle); where J is
    triangular the diagonal entry alone, which is the eigenvalue.

    Parameters
    ----------
    names : sequence of str
        States.
    entries : dict of (row, column) to entry
        Structural non-zeros of J, and perhaps of further rows.
    """
    reach = reachable(names, {k for k in entries if k[0] in names})
    rows = []
    for i in names:
        cycle = [k for k in names if (i, k) in reach and (k, i) in reach]
        row = [entries[i, k] for k in cycle if (i, k) in entries]
        if row:
            rows.append(row)
    return rows
