"""Parameters that observations hardly tell apart, or say nothing about, in words."""

from collections.abc import Sequence

import numpy as np

__all__ = ["pairs_in_words", "unknowns_in_words"]

CORRELATED = 0.95
OF_PRIOR = 0.9  # share of the precision in a direction, above which observations say nothing there
TOGETHER = 0.25  # share of a parameter's variance in such directions
ALIKE = 0.1  # an exponent or a factor so near one is left out


def pairs_in_words(
    names: Sequence[str],
    covariance: np.ndarray,
    x: np.ndarray,
    slope: np.ndarray,
    positive: np.ndarray,
) -> list[str]:
    """Return a sentence for each pair of parameters with a correlation near one or minus one.

    Parameters
    ----------
    names : sequence of str, length n
    covariance : array, shape (n, n)
        Of the unconstrained parameters.
    x : array, shape (n,)
        The parameters in natural units.
    slope : array, shape (n, n)
        Their derivatives by the unconstrained ones. NaN where a derivative is not known.
    positive : array of bool, shape (n,)
        Which parameters cannot be negative: a product or a quotient of theirs is named.
    """
    sd = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(sd, sd)
    rows, columns = np.nonzero(np.triu(np.abs(correlation) > CORRELATED, 1))
    return [
        f"{names[i]} and {names[j]} are hardly told apart (correlation {correlation[i, j]:.2f})"
        + _known(
            names[i], names[j], slope[[i, j]], covariance, x[[i, j]], bool(positive[[i, j]].all())
        )
        for i, j in zip(rows, columns, strict=True)
    ]


def _known(first: str, second: str, slope, covariance, x, positive: bool) -> str:
    """Say which combination of two parameters the observations inform."""
    if not np.isfinite(slope).all():
        return ""
    if positive:  # to logarithms
        slope = slope / x[:, None]
    natural = slope @ covariance @ slope.T
    together = natural[0, 1] > 0
    share = float(np.sqrt(natural[0, 0] / natural[1, 1]))
    factor = "" if abs(share - 1) < ALIKE else f"{share:.2g}"
    if positive:
        known = f"{first} {'/' if together else '*'} {second}" + (f"^{factor}" if factor else "")
    else:
        known = f"{first} {'-' if together else '+'} " + f"{factor} {second}".strip()
    move = f"rises with {second}" if together else f"falls where {second} rises"
    return f": {first} {move}, and only {known} is known"


def unknowns_in_words(
    names: Sequence[str], covariance: np.ndarray, of_prior: np.ndarray
) -> list[str]:
    """Return a sentence for parameters, and for directions, that the prior alone informs.

    Parameters
    ----------
    names, covariance
        As of :func:`pairs_in_words`.
    of_prior : array, shape (n, n)
        The curvature of minus the logarithm of the prior, in unconstrained parameters.
    """
    precision, sd = np.linalg.inv(covariance), np.sqrt(np.diag(covariance))
    alone = np.diag(of_prior) > OF_PRIOR * np.diag(precision)
    found = []
    if alone.any():
        listed = ", ".join(name for name, there in zip(names, alone, strict=True) if there)
        found.append(f"the observations say nothing about {listed}: the prior alone does")
    paired = (np.abs(covariance / np.outer(sd, sd)) > CORRELATED).sum(axis=0) > 1
    rest = np.flatnonzero(~(alone | paired))
    if rest.size < 2:
        return found
    # Directions of the others, given the parameters that were named; squares of their entries add
    # up to one for each parameter.
    known = np.linalg.inv(precision[np.ix_(rest, rest)])
    root = np.linalg.cholesky(known)
    shares, vectors = np.linalg.eigh(root.T @ of_prior[np.ix_(rest, rest)] @ root)
    directions = (root @ vectors / np.sqrt(np.diag(known))[:, None])[:, shares > OF_PRIOR]
    chosen = np.flatnonzero((directions**2).sum(axis=1) > TOGETHER)
    if chosen.size:
        n, among = directions.shape[1], ", ".join(names[rest[i]] for i in chosen)
        found.append(f"the prior alone informs {n} direction{'s'[: n > 1]} among {among}")
    return found
