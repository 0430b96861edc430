"""The declaration of an integrator: the coefficients of an embedded Runge-Kutta pair."""

import functools
import math
from dataclasses import dataclass

import numpy as np

from pymc_hydro.integrators.order import broken_condition, conditions

__all__ = ["RungeKutta", "stack_coefficients"]

# Of sums of coefficients: published ones have 12 digits and more.
TOLERANCE = 1e-12
HIGHEST_ORDER = 8
STABLE_TO = 1e-9  # by which an amplification may exceed one
FAR = -1e9  # step times rate; an L-stable method leaves nothing of a store there
SMALL = 1e-6
LEAST_WEIGHT = 0.1  # of the stages that correct a mean


@dataclass(frozen=True)
class RungeKutta:
    """An embedded Runge-Kutta pair, explicit or diagonally implicit: a value of ``solver=``.

    A method is its tableau. The stepping loop, the error control and the sensitivities are written
    once for all methods; the declaration is checked when the method is made.

    The first stage is explicit and the last one lies at the end of the step. The other stages are
    all explicit, or all implicit with one diagonal coefficient. An implicit method is L-stable.

    Parameters
    ----------
    name : str
        The method's name in messages and results.
    c : sequence of float, shape (n_stage,)
        Nodes: where in the step a stage lies. The first one is 0, the last one is 1.
    a : sequence of sequences of float
        Stage coefficients. Row s (from 0) has s + 1 entries; the last one is the diagonal one,
        zero in an explicit stage.
    b, b_embedded : sequence of float, shape (n_stage,)
        Weights of the solution, and of the embedded solution. Their difference estimates the error.
    order : int
        Order of the solution.
    error_order : int
        The estimated error of a step of length h is proportional to ``h**error_order``. It is by
        one more than the order of the less accurate one of the two solutions.
    reference : str
        Where the method comes from.
    stability_limit : float
        Length of the interval on the negative real axis in which an explicit method is stable;
        infinite (as it is if not given) for an L-stable one.

    Raises
    ------
    ValueError
        If the coefficients contradict each other or the declared properties: shapes, nodes other
        than the row sums of `a`, stages that are neither explicit nor diagonally implicit, an order
        condition that is not met, an estimate of another order, a longer interval of stability than
        the method has. The message names the method and the condition.

    Examples
    --------
    The midpoint rule, with Euler's rule for the estimated error:

    >>> import pymc_hydro as ph
    >>> midpoint = ph.RungeKutta(
    ...     name="midpoint",
    ...     c=(0, 1 / 2, 1),
    ...     a=((0,), (1 / 2, 0), (0, 1, 0)),
    ...     b=(0, 1, 0),
    ...     b_embedded=(1, 0, 0),
    ...     order=2,
    ...     error_order=2,
    ...     stability_limit=2,
    ...     reference="Runge (1895)",
    ... )
    >>> midpoint.n_stages
    3
    """

    name: str
    c: tuple[float, ...]
    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    b_embedded: tuple[float, ...]
    order: int
    error_order: int
    reference: str
    stability_limit: float = math.inf

    def __post_init__(self):
        # Tuples of Python's floats: they are hashed, and printed into the text of kernels.
        for field in ("c", "b", "b_embedded"):
            object.__setattr__(self, field, self._floats(field, getattr(self, field)))
        rows = tuple(self._floats(f"a, row {s}", row) for s, row in enumerate(self.a))
        object.__setattr__(self, "a", rows)
        self._check_shapes()
        self._check_stages()
        self._check_order()
        self._check_stability()

    def _floats(self, field, values) -> tuple[float, ...]:
        array = np.asarray(values, dtype=float)
        if array.ndim != 1 or not np.isfinite(array).all():
            raise self._error(f"{field}: expected finite numbers, found {values!r}")
        return tuple(array.tolist())

    def _error(self, what: str) -> ValueError:
        return ValueError(f"RungeKutta {self.name!r}: {what}")

    def _check_shapes(self):
        n = len(self.a)
        if n < 2:
            raise self._error(f"a: expected two stages or more, found {n}")
        for s, row in enumerate(self.a):
            if len(row) != s + 1:
                raise self._error(
                    f"a: row {s} must have {s + 1} entries, the diagonal one included, found "
                    f"{len(row)}"
                )
        for field in ("c", "b", "b_embedded"):
            found = len(getattr(self, field))
            if found != n:
                raise self._error(f"{field}: expected {n} entries, one a stage, found {found}")
        for field in ("order", "error_order"):
            value = getattr(self, field)
            if not (isinstance(value, int) and 1 <= value <= HIGHEST_ORDER):
                raise self._error(
                    f"{field}: expected a whole number from 1 to {HIGHEST_ORDER}, found {value!r}"
                )

    def _check_stages(self):
        for s, (node, row) in enumerate(zip(self.c, self.a, strict=True)):
            if not abs(node - sum(row)) <= TOLERANCE:
                raise self._error(
                    f"c: node {s} must be the sum of row {s} of a, {sum(row):.12g}, found "
                    f"{node:.12g}"
                )
        if self.a[0] != (0.0,):
            raise self._error(f"a: the first stage must be explicit, found {self.a[0]}")
        if not abs(self.c[-1] - 1) <= TOLERANCE:
            raise self._error(
                f"c: the last stage must lie at the end of the step, at 1, found {self.c[-1]:.12g}"
            )
        diagonal = {row[-1] for row in self.a[1:]}
        if len(diagonal) > 1 or min(diagonal) < 0:
            raise self._error(
                "a: the diagonal must be zero (explicit) or, after the first stage, one positive "
                f"number (diagonally implicit), found {[row[-1] for row in self.a]}"
            )

    def _check_order(self):
        a = self._matrix()
        promised = {
            "b": (self.b, self.order),
            "b_embedded": (self.b_embedded, self.error_order - 1),
        }
        if self.order < self.error_order - 1:
            raise self._error(
                f"error_order: expected at most order + 1 = {self.order + 1}, found "
                f"{self.error_order}"
            )
        for field, (weights, order) in promised.items():
            broken = broken_condition(np.array(weights), a, max(order, 1), TOLERANCE)
            if broken:
                raise self._error(f"{field}: expected {broken}")
        # The conditions of one solution minus the conditions of the other: the leading term of the
        # estimate.
        error = np.array(self.error_weights)
        terms = [found for _, found, _ in conditions(error, a, self.error_order)]
        if max(map(abs, terms)) <= TOLERANCE:
            raise self._error(
                f"error_order: the difference of b and b_embedded is of a higher order than "
                f"{self.error_order}; declare that order, or another b_embedded"
            )

    def _check_stability(self):
        limit = self.stability_limit
        if not limit > 0:
            raise self._error(f"stability_limit: expected a positive number, found {limit!r}")
        if math.isinf(limit) and not self.a[-1][-1]:
            raise self._error(
                "stability_limit: an explicit method has a finite one; give the length of its "
                "stability interval on the negative real axis"
            )
        if math.isfinite(limit) and self.a[-1][-1]:
            raise self._error(
                f"stability_limit: expected inf for an implicit method, found {limit}"
            )
        if math.isinf(limit) and not abs(self._amplification(FAR)[0]) <= SMALL:
            raise self._error("a and b: an implicit method must be L-stable, and this one is not")
        points = np.geomspace(1e-3, 1e6, 90) if math.isinf(limit) else np.linspace(0, limit, 65)
        found = np.abs(self._amplification(*-points))
        worst = int(np.argmax(found))
        if not found[worst] <= 1 + STABLE_TO:
            raise self._error(
                f"stability_limit: expected an amplification of at most 1 from -{limit:g} to 0, "
                f"found {found[worst]:.4g} at {-points[worst]:.4g}"
            )

    def _matrix(self) -> np.ndarray:
        """Return `a` as a matrix, shape (n_stage, n_stage)."""
        matrix = np.zeros((len(self.a), len(self.a)))
        for s, row in enumerate(self.a):
            matrix[s, : s + 1] = row
        return matrix

    def _amplification(self, *z: float) -> np.ndarray:
        """Return the factors by which steps multiply a store; z is minus its rate times h."""
        n, products = self.n_stages, np.array(z)
        systems = np.eye(n) - products[:, None, None] * self._matrix()
        stages = np.linalg.solve(systems, np.ones((len(products), n, 1)))[..., 0]
        return 1 + products * (stages @ np.array(self.b))

    @property
    def implicit(self) -> bool:
        """Whether stages are implicit: L-stable, error control on the states alone."""
        return math.isinf(self.stability_limit)

    @property
    def ends_at_solution(self) -> bool:
        """Whether the last stage is the solution, and its slope the next step's first."""
        return self.a[-1] == self.b

    @property
    def takes_sections(self) -> bool:
        """Whether a step can advance one section of a model after another.

        The last stage is the solution, and the stages between the first and the last one have
        weight in it: they correct the mean of what passes from section to section.
        """
        return self.ends_at_solution and abs(sum(self.b[1:-1])) > LEAST_WEIGHT

    @property
    def error_weights(self) -> tuple[float, ...]:
        """Weights of the estimated error."""
        return tuple(b - other for b, other in zip(self.b, self.b_embedded, strict=True))

    @property
    def n_stages(self) -> int:
        """Number of stages."""
        return len(self.a)

    def coefficients(self, n: int) -> np.ndarray:
        """Return the coefficients as a kernel takes them, shape (n + 3, n), padded to `n` stages.

        Rows of `a`, then ``b``, the error weights ``b - b_embedded``, and a row that starts with
        error order, stability limit and number of stages.
        """
        table = np.zeros((n + 3, n))
        for s, row in enumerate(self.a):
            table[s, : s + 1] = row
        table[n, : self.n_stages] = self.b
        table[n + 1, : self.n_stages] = self.error_weights
        table[n + 2, :3] = self.error_order, self.stability_limit, self.n_stages
        return table


@functools.lru_cache(maxsize=64)
def stack_coefficients(methods: tuple[RungeKutta, ...]) -> np.ndarray:
    """Return the coefficients of several methods, shape (n_method, n + 3, n).

    A step takes one of the methods. The array is kept, since every run needs it: read it only.
    """
    n = max(3, *(method.n_stages for method in methods))
    return np.stack([method.coefficients(n) for method in methods])
