"""What an integrator is: the coefficients of an embedded Runge-Kutta pair."""

import functools
import math
from dataclasses import dataclass

import numpy as np

__all__ = ["RungeKutta", "stack_coefficients"]


@dataclass(frozen=True)
class RungeKutta:
    """An embedded Runge-Kutta pair, explicit or diagonally implicit.

    Its first stage is explicit and its last one lies at the end of the step. The stepping loop, the
    error control and the sensitivities are written once, in :mod:`pymc_hydro.engine.codegen.step`.

    Parameters
    ----------
    name : str
        The value of ``solver=``.
    a : tuple of tuple of float
        Stage coefficients; row s has s + 1 entries (from s = 0), the last is the diagonal one, zero
        in an explicit stage.
    b, b_embedded : tuple of float
        Weights of the solution and of the embedded one.
    error_order : int
        The estimated error of a step of length h is proportional to ``h**error_order``.
    reference : str
        Where the method comes from.
    stability_limit : float
        Length of the stability interval on the negative real axis; infinite for L-stable methods.
    """

    name: str
    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    b_embedded: tuple[float, ...]
    error_order: int
    reference: str
    stability_limit: float = math.inf

    @property
    def implicit(self) -> bool:
        """Whether stages are implicit: L-stable, error control on the states alone."""
        return math.isinf(self.stability_limit)

    @property
    def ends_at_solution(self) -> bool:
        """Whether the last stage is the solution, and its slope the next step's first."""
        return self.a[-1][: len(self.b)] == self.b

    @property
    def error_weights(self) -> tuple[float, ...]:
        """Weights of the estimated error."""
        return tuple(b - other for b, other in zip(self.b, self.b_embedded, strict=True))

    @property
    def n_stages(self) -> int:
        """Number of stages."""
        return len(self.a)

    def coefficients(self, n: int) -> np.ndarray:
        """Return what a kernel takes, shape (n + 3, n), padded to `n` stages.

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
    """Return those of several methods, shape (n_method, n + 3, n); a step takes one of them.

    Kept, since every run needs them: only to be read.
    """
    n = max(3, *(method.n_stages for method in methods))
    return np.stack([method.coefficients(n) for method in methods])
