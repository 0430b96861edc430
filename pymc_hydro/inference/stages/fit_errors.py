"""Parameters of errors at given hydrologic parameters."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pymc.pytensorf import join_nonshared_inputs
from pytensor.graph.replace import graph_replace

from pymc_hydro.calibration.result import Calibration
from pymc_hydro.core.base.warning import warn_user
from pymc_hydro.inference.approximation.coordinates import as_dataset
from pymc_hydro.inference.approximation.curvature import by_differences
from pymc_hydro.inference.approximation.modes import Mode, best_of, find_modes
from pymc_hydro.inference.predict import Sample, likelihood_name
from pymc_hydro.inference.stages.second_model import second_model
from pymc_hydro.likelihoods.errors.observations import likelihoods_of
from pymc_hydro.likelihoods.recommended import Recommended
from pymc_hydro.likelihoods.table import find_likelihood

__all__ = ["FittedErrors", "fit_errors"]

# The Newton decrement, twice the gain of a step in log-probability, above which draws are off
# by a third of their standard deviation. Densities with a kink have modes at which it is not zero.
ROUGH = 0.1
SEARCHES = 4  # at the centre of the hydrologic parameters


@dataclass(frozen=True, eq=False)
class FittedErrors:
    """Draws of hydrologic parameters, and for each draw error parameters.

    ``ph.predict`` and ``ph.residuals`` take it, and need no model.

    Attributes
    ----------
    posterior : Dataset
        On (chain, draw): the hydrologic parameters as they were given, and the error parameters.
    model : pm.Model
        The simulation with the error model of this stage.
    center : dict of str to float or array
        The most probable error parameters at the mean of the hydrologic ones.
    log_posterior : float
        Of the observations and the error parameters there.
    """

    posterior: xr.Dataset
    model: pm.Model
    center: dict
    log_posterior: float

    def __repr__(self) -> str:
        draws = self.posterior[list(self.center)]
        columns = {
            "center": self.center,
            "mean": draws.mean(("chain", "draw")),
            "sd": draws.std(("chain", "draw")),
        }
        table = pd.DataFrame(
            {c: {k: float(np.mean(v[k])) for k in self.center} for c, v in columns.items()}
        )
        return f"FittedErrors: {self.posterior.sizes['draw']} draws\n{table.round(4)}"


def fit_errors(
    idata: Any,
    model: pm.Model | None = None,
    *,
    likelihood: str | Callable = "skew_student",
    memory: str | None = "flow",
    name: str | None = None,
    at: str = "draws",
    draws: int = 200,
    random_seed: int | None = None,
    **options: Any,
) -> FittedErrors:
    """Fit the errors of simulations whose hydrologic parameters are known from a first stage.

    Observations inform the error parameters, and the errors do not inform the hydrologic
    parameters (a cut posterior). If both are estimated together, a memory takes over what the
    model should explain: simulated volumes drift, and free-running predictions are poor.

    Parameters
    ----------
    idata : DataTree, InferenceData, Dataset, Calibration, or mapping of str to number
        The hydrologic parameters: a posterior, the result of ``ph.calibrate``, or one value each.
    model : pm.Model, optional
        The model of the first stage, with any likelihood; the model in context if not given. It is
        not changed.
    likelihood : str or callable
        The error model of the second stage, as in ``ph.build_model``; "recommended" is that of
        :func:`pymc_hydro.likelihoods.recommend` for this stage.
    memory : {"flow", "constant"} or None
        As in ``ph.likelihoods.Normal``.
    name : str, optional
        Of the likelihood; not needed where the model has one, or one that is called ``flow``. The
        new one has the same name.
    at : {"draws", "mean"}
        Whether error parameters are fitted to each draw of a posterior, or all to its mean.
    draws : int
        How many: at most this many draws of the posterior, or this many error parameters at its
        mean.
    random_seed : int, optional
    **options
        Of the likelihood: ``scale``, ``transform``, ``censored``, ``s0``, ... Variables of your own
        are given by callables, such as ``nu=lambda: pm.Gamma("flow_nu", 4, 1)``, which are called
        inside the new model.

    Returns
    -------
    FittedErrors
        ``ph.predict(result)`` draws flow.

    Raises
    ------
    KeyError
        If the model has no such likelihood, or a hydrologic parameter is not given.
    ValueError
        If `at` is unknown, or the log-probability is not finite.

    Notes
    -----
    Error parameters are drawn from the normal approximation at their mode, in unconstrained
    parameters: with a year of observations or more it is close. The curvature is that of the exact
    gradient. Each fit takes a few hundred evaluations of the likelihood without a simulation.

    References
    ----------
    Evin, G., et al. (2014). Water Resour. Res. 50, 2350-2375. doi:10.1002/2013WR014185

    Plummer, M. (2015). Stat. Comput. 25, 37-43. doi:10.1007/s11222-014-9503-z

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> model, basin = ph.Hymod(snow=False), ph.load_basin("leaf_river")
    >>> with ph.build_model(model, basin, "recommended"):  # doctest: +SKIP
    ...     first = pm.sample()
    ...     errors = ph.fit_errors(first, likelihood="recommended")
    >>> flow = ph.predict(errors)["discharge"]  # doctest: +SKIP
    """
    if at not in ("draws", "mean"):
        raise ValueError(f"fit_errors: at must be 'draws' or 'mean', found {at!r}")
    model = pm.modelcontext(model)
    name = likelihood_name(model, name)
    root = model.root
    if name not in likelihoods_of(root):
        raise KeyError(
            f"fit_errors: {name!r} has no observations that are known from the graph; place the "
            "likelihood by ph.likelihoods, or take its observations with ph.likelihoods.observe"
        )
    options |= {} if memory is None else {"memory": memory}
    place = find_likelihood(likelihood)
    place = partial(Recommended, second_stage=True) if place is Recommended else place
    second, simulated = second_model(root, name, place, options)
    sample = Sample.of(_posterior(idata), second, [simulated], name, draws)
    free = [rv for rv in second.free_RVs if rv not in sample.inputs]
    center = [np.mean(values, axis=0) for values in zip(*sample.values, strict=True)]
    if at == "mean" or len(sample.values) == 1:
        sample = replace(sample, values=[center] * draws)
        (series,) = replace(sample, values=[center]).evaluate([simulated], None)
    else:
        (series,) = replace(sample, values=[center, *sample.values]).evaluate([simulated], None)
    objective, natural = _compile(second, name, simulated, free)
    rng = np.random.default_rng(random_seed)
    start = _start(second, free)
    best = _mode(objective, series[0], [start, *rng.normal(start, size=(SEARCHES - 1, start.size))])
    modes = [_mode(objective, q, [best.z]) for q in series[1:]] or [best] * draws
    vectors = [rng.multivariate_normal(mode.z, mode.covariance) for mode in modes]
    arrays = {
        v.name: np.array(column)
        for v, column in zip(sample.inputs, zip(*sample.values, strict=True), strict=True)
    }
    drawn = [natural(z) for z in vectors]
    arrays |= {rv.name: np.array([values[rv.name] for values in drawn]) for rv in free}
    arrays = {name: array[None] for name, array in arrays.items()}
    posterior = as_dataset(second, arrays, ("chain", "draw"))
    return FittedErrors(posterior, second, natural(best.z), best.logp)


def _posterior(idata: Any) -> xr.Dataset:
    """Return hydrologic parameters on (chain, draw)."""
    given = idata.theta if isinstance(idata, Calibration) else getattr(idata, "posterior", idata)
    if "chain" in getattr(given, "dims", ()):
        return given
    return xr.Dataset({k: (("chain", "draw"), [[float(v)]]) for k, v in given.items()})


def _start(model: pm.Model, free: list) -> np.ndarray:
    """Return the error parameters at their support points, as one unconstrained vector."""
    point = model.initial_point()
    return np.hstack([np.ravel(point[model.rvs_to_values[rv].name]) for rv in free])


def _compile(model: pm.Model, name: str, simulated: Any, free: list) -> tuple[Callable, Callable]:
    """Return the log-probability with gradient of a vector and a series, and natural values."""
    flow, series = model[name], simulated.type("series")
    logp = pm.logp(flow, model.rvs_to_values[flow]).sum()
    logp = graph_replace(logp, {simulated: series}, strict=False)
    values = [model.rvs_to_values[rv] for rv in free]
    point = {v.name: value for v in values for value in [model.initial_point()[v.name]]}
    outputs = model.replace_rvs_by_values([logp, *free])
    outputs[0] = outputs[0] + model.logp(vars=free)
    (logp, *naturals), vector = join_nonshared_inputs(point, outputs, values)
    evaluate = pm.compile([vector, series], [logp, pt.grad(logp, vector)])
    natural = pm.compile([vector], naturals)
    names = [rv.name for rv in free]
    return evaluate, lambda z: dict(zip(names, natural(z), strict=True))


def _mode(objective: Callable, series: np.ndarray, points: list) -> Mode:
    """Return the highest mode of the error parameters at a simulated series."""

    def at(z: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = objective(z, series)
        return float(value), gradient

    def curvature(z: np.ndarray) -> np.ndarray:
        return by_differences(lambda x: at(x)[1], z, np.zeros((z.size, z.size)))

    modes = find_modes(at, curvature, points)
    if not modes:
        raise ValueError(
            "fit_errors: the log-probability is not finite where the error parameters start; the "
            "simulation may have failed, or an observation be impossible under the likelihood"
        )
    best = best_of(modes)
    if best.flat is not None or not best.decrement < ROUGH:
        warn_user(
            "fit_errors: a search did not end at a mode, so that the draws around it are rough; "
            "fix an error parameter that the observations do not inform, such as kd=0.2",
        )
    return best
