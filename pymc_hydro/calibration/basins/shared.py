"""One calibration of many basins that have parameters in common."""

import time
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from pymc_hydro.calibration.basins.each import calibration_table
from pymc_hydro.calibration.basins.losses import BasinLosses, define_losses
from pymc_hydro.calibration.basins.table import STATUS, fill_row
from pymc_hydro.calibration.space import SearchSpace, define_space
from pymc_hydro.core.base.names import check_keys
from pymc_hydro.core.model import AbstractModel

__all__ = ["calibrate_shared"]

MOST, CLOSE = 200, 1e-7  # iterations, and the relative change at which the search ends
# Arguments of ph.calibrate that a joint calibration takes; of all others the default is asked for.
TAKEN = {"loss", "starts", "warmup", "bounds", "fixed", "random_seed", "period", "validation"}
TAKEN |= {"loss_options", "sampler", "initial_state", "hops"}


class _Joint:
    """The mean loss of all basins, by shared positions on the axes and by those of each basin."""

    def __init__(self, losses: BasinLosses, space: SearchSpace, shared: Sequence[str]) -> None:
        self.losses, self.space, self.n = losses, space, len(losses.names)
        self.common = np.array([space.names[i] in shared for i in space.free])
        self.worst = np.full(self.n, -np.inf)
        self.evaluations = 0

    def positions(self, vector):
        """Return positions of the free parameters, shape (n_basin, n_free)."""
        n_common = self.common.sum()
        units = np.empty((self.n, self.common.size))
        units[:, self.common] = vector[:n_common]
        units[:, ~self.common] = vector[n_common:].reshape(self.n, -1)
        return units

    def vector(self, unit):
        """Return the vector in which all basins are at one point."""
        return np.concatenate([unit[self.common], np.tile(unit[~self.common], self.n)])

    def __call__(self, vector):
        """Return loss and gradient; a basin that fails has the worst loss that it had before."""
        theta, change = self.space.from_unit(self.positions(vector))
        losses, gradients = self.losses(theta)
        self.evaluations += 1
        failed = ~np.isfinite(losses)
        losses = np.where(failed, self.worst, losses)
        self.worst = np.fmax(self.worst, losses)
        slopes = np.where(failed[:, None], 0.0, gradients)[:, self.space.free] * change / self.n
        gradient = [slopes[:, self.common].sum(axis=0), slopes[:, ~self.common].ravel()]
        return losses.mean(), np.concatenate(gradient)


def calibrate_shared(
    model: AbstractModel,
    basins: Mapping[Hashable, Any] | xr.Dataset,
    shared: bool | Sequence[str],
    options: Mapping[str, Any],
    defaults: Mapping[str, Any],
) -> xr.Dataset:
    """Minimise the mean loss of basins that have some or all parameters in common.

    Parameters
    ----------
    model : AbstractModel
    basins : as of ``ph.calibrate``
    shared : True, or sequence of str
        Parameters that all basins share.
    options, defaults : mapping
        Arguments of ``ph.calibrate`` and their defaults.

    Returns
    -------
    Dataset
        As ``ph.calibrate`` describes; without standard errors.

    Raises
    ------
    KeyError, TypeError, ValueError
        If an argument or a record does not fit, or a basin fails at every start.
    """
    from scipy.optimize import minimize  # here: it takes long to import

    refused = [k for k, v in defaults.items() if k not in TAKEN and options[k] is not v]
    refused = [k for k in refused if options[k] != defaults[k]]
    if refused:
        raise ValueError(
            f"calibrate: {', '.join(refused)} have no meaning for parameters in common, which one "
            "search by L-BFGS-B finds"
        )
    names = model.parameter_names if isinstance(shared, bool) else tuple(shared)
    unknown = [name for name in names if name not in model.parameter_names]
    if unknown:
        check_keys("calibrate: shared", dict.fromkeys(names), model.parameter_names)
    begin = time.perf_counter()
    space = define_space(model, options["bounds"] or {}, options["fixed"] or {}, "unit cube")
    settings = {k: options[k] for k in ("warmup", "loss_options", "initial_state")}
    settings |= {k: v for k, v in options.items() if k not in defaults}  # of the solver
    settings["free"] = [space.names[i] for i in space.free]
    loss, period = options["loss"], options["period"]
    losses = define_losses(model, basins, loss, period=period, **settings)
    later = None
    if options["validation"] is not None:
        later = define_losses(model, basins, loss, period=options["validation"], **settings)
    joint = _Joint(losses, space, names)
    points = space.starts(
        options["starts"], model.default, options["sampler"], options["random_seed"]
    )
    tried = [joint(joint.vector(unit))[0] for unit in points]
    if not np.isfinite(tried).any():
        lost = [n for n, w in zip(losses.names, joint.worst, strict=True) if not np.isfinite(w)]
        raise ValueError(
            f"calibrate: the integration or the loss failed at every start in {len(lost)} basins, "
            f"{lost[:1]} among them; leave them out, or narrow the bounds"
        )
    first = joint.vector(points[int(np.nanargmin(np.where(np.isfinite(tried), tried, np.nan)))])
    found = minimize(
        joint, first, jac=True, method="L-BFGS-B", bounds=[(0.0, 1.0)] * first.size,
        options={"maxiter": MOST, "ftol": CLOSE},
    )  # fmt: skip
    theta = space.from_unit(joint.positions(found.x))[0]
    table = calibration_table(model, options, losses.names)
    scores = losses.sign * losses(theta)[0]
    later_scores = np.full(joint.n, np.nan) if later is None else later.sign * later(theta)[0]
    for i in range(joint.n):
        row = {
            "parameters": theta[i],
            "at_bound": space.at_bound(theta[i]),
            "score": scores[i],
            "validation_score": later_scores[i],
            "integrations": float(joint.evaluations + 1),
            "status": STATUS["done" if np.isfinite(scores[i]) else "failed"],
            "message": str(found.message),
            "seconds": (time.perf_counter() - begin) / joint.n,
        }
        fill_row(table, i, row, "")
    return table.assign_attrs(shared=", ".join(names))
