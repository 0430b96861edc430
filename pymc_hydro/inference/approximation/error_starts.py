"""The parameters of error models at the values from which searches find the highest mode."""

import numpy as np
import pymc as pm

from pymc_hydro.inference.approximation.coordinates import start_vector
from pymc_hydro.likelihoods.errors.families import LEAST_NU, START_NU
from pymc_hydro.likelihoods.errors.memory import START_K0, START_KD, START_KU, START_R1
from pymc_hydro.likelihoods.errors.residuals import START_S0, START_S1, all_residuals
from pymc_hydro.losses.axis import UNCOMPILED
from pymc_hydro.losses.transforms import variables_of

__all__ = ["error_start"]


def error_start(model: pm.Model, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a vector with the free parameters of the errors at their starts.

    They are known by their names, ``<likelihood>_s0`` and so on; values outside the support of a
    prior of yours are left as they are.

    Parameters
    ----------
    model : pm.Model
    z : array, shape (n,)
        The unconstrained vector for all else.

    Returns
    -------
    tuple of array, shape (n,), and of array of bool, shape (n,)
        The vector, and the mask of the entries that are parameters of errors.
    """
    first = model.initial_point()
    starts: dict[str, float] = {}
    for name, placed in all_residuals(model).items():
        starts |= {f"{name}_{what}": value for what, value in _of_likelihood(model, name, placed)}
    free = {rv.name: model.rvs_to_values[rv].name for rv in model.free_RVs}
    starts = {name: value for name, value in starts.items() if name in free}
    if not starts:
        return z, np.zeros(z.size, dtype=bool)
    of_errors = np.hstack([np.full(np.size(first[v]), name in starts) for name, v in free.items()])
    with np.errstate(invalid="ignore", divide="ignore"):
        moved = start_vector(model, starts)
    return np.where(of_errors & np.isfinite(moved), moved, z), of_errors


def _of_likelihood(model: pm.Model, name: str, placed) -> list[tuple[str, float]]:
    starts = {"s1": START_S1, "r1": START_R1, "r2": 0.0}
    starts |= {"k0": START_K0, "ku": START_KU, "kd": START_KD}
    starts |= {f"{what}_minus_{LEAST_NU}": START_NU - LEAST_NU for what in ("nu", "q")}
    if not variables_of(placed.transform):
        scale = "linear" if f"{name}_s1" in model.named_vars else "constant"
        starts["s0"] = START_S0[scale] * float(np.std(placed.flow.eval(mode=UNCOMPILED)) or 1.0)
    return list(starts.items())
