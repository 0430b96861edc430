"""Whittle's likelihood: flow compared by frequency."""

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from pymc_hydro.likelihoods.errors.memory import as_scalar
from pymc_hydro.likelihoods.errors.observations import observe
from pymc_hydro.losses.axis import axis_of

__all__ = ["Whittle", "periodogram"]

RADIX = 32
SPECTRA = ("total", "error")


def Whittle(
    name: str,
    simulated: Any,
    *,
    observed: Any,
    spectrum: str = "total",
    s0: Any = None,
    r1: Any = None,
) -> Any:
    r"""Add Whittle's approximation of a Gaussian likelihood to a model, as a potential.

    With the periodogram :math:`I` at the frequencies :math:`\omega_j = 2 \pi j / n` and the
    spectrum of an AR(1) error of innovation variance :math:`s_0^2`,

    .. math::

        \ell = -\sum_j \Bigl[\ln h_j + \frac{I_j}{h_j}\Bigr], \quad
        f_j = \frac{s_0^2}{2 \pi |1 - \phi e^{-i \omega_j}|^2},

    where :math:`h = I_q + f` and :math:`I = I_y` for ``spectrum="total"``, which does not see the
    phase, so that a shifted hydrograph is no worse, and needs no good timing of the rain;
    :math:`h = f` and :math:`I = I_{y-q}` for ``"error"``, the usual approximation for
    autoregressive errors. Neither sees the mean.

    Parameters
    ----------
    name : str
    simulated : TensorVariable, shape (n_time,), in mm/d
    observed : DataArray or Series on time, or array_like, shape (n_time,), in mm/d
        Without gaps. The first ``n_time % 32`` values are left out, so that the transform has
        factors.
    spectrum : {"total", "error"}
    s0, r1 : random variable or float, optional
        Standard deviation in mm/d and coefficient of the innovations, in place of
        ``<name>_s0 ~ HalfNormal(std(observed))`` and ``<name>_r1 ~ Uniform(-1, 1)``.

    Returns
    -------
    TensorVariable
        The potential. It has no pointwise log-likelihood and no predictive draws: LOO and
        ``ph.predict`` do not apply.

    Raises
    ------
    ValueError
        If observations are missing, the spectrum is unknown, or there are several basins.

    References
    ----------
    Whittle, P. (1957). J. R. Stat. Soc. B 19, 38-63.
    Montanari, A., Toth, E. (2007). Water Resour. Res. 43, W05434. doi:10.1029/2006WR005184
    """
    if spectrum not in SPECTRA:
        raise ValueError(
            f"{name}: spectrum must be one of {', '.join(SPECTRA)}, found {spectrum!r}"
        )

    if axis_of(pm.modelcontext(None), simulated).basins:
        raise ValueError(f"{name}: Whittle's likelihood is of one basin, the model has several")

    def complete(series):
        if not np.isfinite(series).all():
            missing = int((~np.isfinite(series)).sum())
            raise ValueError(
                f"{name}: {missing} of {series.size} observations are missing, but Whittle's "
                "likelihood needs all; choose a period without gaps or another likelihood"
            )
        if series.size < 2 * RADIX:
            raise ValueError(f"{name}: {series.size} observations, expected at least {2 * RADIX}")

    seen = observe(name, simulated, observed, check=complete)
    spread = float(np.std(seen.data.get_value())) or 1.0
    s0 = pm.HalfNormal(f"{name}_s0", sigma=spread) if s0 is None else s0
    phi = pm.Uniform(f"{name}_r1", -1, 1) if r1 is None else as_scalar(name, "r1", r1)
    error, frequency = periodogram(seen.data - seen.at)
    of_noise = s0**2 / (2 * np.pi * (1 + phi**2 - 2 * phi * pt.cos(frequency)))
    if spectrum == "error":
        expected, found = of_noise, error
    else:
        expected, found = of_noise + periodogram(seen.at)[0], periodogram(seen.data)[0]
    return pm.Potential(name, -(pt.log(expected) + found / expected).sum())


def periodogram(x):
    """Return the periodogram of a series and its angular frequencies, without the mean's.

    A discrete Fourier transform in two steps (Cooley and Tukey), as plain products of small
    matrices: it differentiates and runs on every backend.

    Parameters
    ----------
    x : TensorVariable, shape (n_time,)
        The first ``n_time % 32`` values are left out.

    Returns
    -------
    tuple of TensorVariable, each of shape ((n - 1) // 2,)
        :math:`|sum_t x_t exp(-i w t)|^2 / (2 pi n)`, and w in 1 per interval.
    """
    columns = x.shape[0] // RADIX
    n = RADIX * columns
    block = x[x.shape[0] - n :].reshape((RADIX, columns))
    row, column = pt.arange(RADIX), pt.arange(columns)
    cos, sin = _waves(row[:, None] * row, RADIX)
    real, imaginary = _product(cos, block), -_product(sin, block)
    cos, sin = _waves(row[:, None] * column, n)
    real, imaginary = real * cos + imaginary * sin, imaginary * cos - real * sin
    cos, sin = _waves(column[:, None] * column, columns)
    real, imaginary = (
        _product(real, cos) + _product(imaginary, sin),
        _product(imaginary, cos) - _product(real, sin),
    )
    power = (real**2 + imaginary**2).T.ravel() / (2 * np.pi * n)
    j = pt.arange(1, (n - 1) // 2 + 1)
    return power[j], 2 * np.pi * j / n


def _waves(step, n):
    """Return cosine and sine of whole steps, taken modulo the period to stay precise."""
    angle = 2 * np.pi * (step % n) / n
    return pt.cos(angle), pt.sin(angle)


def _product(a, b):
    # As a sum: installations by pip have no BLAS, and PyTensor warns of it.
    return (a[:, :, None] * b[None, :, :]).sum(axis=1)
