"""Order conditions of Runge-Kutta methods, from rooted trees.

A method has order p if ``sum(b * weights(tree)) = 1 / density(tree)`` for each rooted tree with at
most p nodes (Hairer, Norsett & Wanner, 1993, Solving Ordinary Differential Equations I, section
II.2). A tree is written as the sorted tuple of the trees that hang from its root: ``()`` is one
node, ``((), ())`` a root with two leaves.
"""

import functools
import math

import numpy as np

__all__ = ["broken_condition", "conditions"]

Tree = tuple  # of trees


@functools.cache
def trees(n_node: int) -> tuple[Tree, ...]:
    """Return all rooted trees of that many nodes."""
    if n_node == 1:
        return ((),)
    grown = {_with_leaf(tree) for tree in trees(n_node - 1)}
    return tuple(sorted(set().union(*grown), key=repr))


def _with_leaf(tree: Tree) -> frozenset[Tree]:
    """Return the trees that one more leaf makes of a tree."""
    found = {tuple(sorted((*tree, ()), key=repr))}
    for i, child in enumerate(tree):
        rest = tree[:i] + tree[i + 1 :]
        found |= {tuple(sorted((*rest, more), key=repr)) for more in _with_leaf(child)}
    return frozenset(found)


def _n_node(tree):
    return 1 + sum(map(_n_node, tree))


def density(tree: Tree) -> int:
    """Return the density of a tree: its number of nodes times the densities of its branches."""
    return _n_node(tree) * math.prod(map(density, tree))


def weights(tree: Tree, a: np.ndarray) -> np.ndarray:
    """Return the weight of a tree at each stage of a method with the coefficients `a`."""
    return math.prod((a @ weights(branch, a) for branch in tree), start=np.ones(len(a)))


def _text(tree):
    """Return the weights of a tree in the usual notation: ``c``, ``c c``, ``(A c)``."""
    return " ".join(f"(A {_text(branch)})" if branch else "c" for branch in tree) or "1"


def conditions(weight: np.ndarray, a: np.ndarray, order: int):
    """Yield (text, found, expected) of each condition of one order, for the weights of a solution.

    Parameters
    ----------
    weight : array, shape (n_stage,)
    a : array, shape (n_stage, n_stage)
    order : int
    """
    for tree in trees(order):
        text = "sum b" if order == 1 else f"sum b {_text(tree)}"
        yield text, float(weight @ weights(tree, a)), 1 / density(tree)


def broken_condition(weight: np.ndarray, a: np.ndarray, order: int, tolerance: float) -> str | None:
    """Return a text about the first condition up to an order that does not hold, or None."""
    for n in range(1, order + 1):
        for text, found, expected in conditions(weight, a, n):
            if not abs(found - expected) <= tolerance:
                return f"{text} = {expected:.6g} for order {n}, found {found:.12g}"
    return None
