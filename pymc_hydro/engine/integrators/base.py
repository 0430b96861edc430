"""What an integrator is: the coefficients of an explicit embedded Runge-Kutta pair."""

from dataclasses import dataclass

__all__ = ["ExplicitPair"]


@dataclass(frozen=True)
class ExplicitPair:
    """An explicit embedded pair whose last stage lies at the end of the step.

    The stepping loop, the error control and the update of the sensitivities are written once, in
    :mod:`pymc_hydro.engine.kernel_text`.

    Parameters
    ----------
    name : str
        The value of ``solver=``.
    a : tuple of tuple of float
        Stage coefficients, row s has s entries.
    b, b_embedded : tuple of float
        Weights of the solution and of the embedded one.
    error_order : int
        The estimated error of a step of length h is proportional to ``h**error_order``.
    first_same_as_last : bool
        Whether the last stage is the first of the next step.
    stability_limit : float
        Length of the stability interval on the negative real axis.
    reference : str
        Where the method comes from.
    """

    name: str
    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    b_embedded: tuple[float, ...]
    error_order: int
    first_same_as_last: bool
    stability_limit: float
    reference: str

    @property
    def error_weights(self) -> tuple[float, ...]:
        """Weights of the error estimate, ``b - b_embedded``."""
        return tuple(p - q for p, q in zip(self.b, self.b_embedded, strict=True))

    @property
    def n_stages(self) -> int:
        """Number of stages."""
        return len(self.a)
