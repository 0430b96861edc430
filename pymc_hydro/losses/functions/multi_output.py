"""A weighted sum of the losses of several observed variables, such as discharge and snow."""

from collections.abc import Mapping

import numpy as np
from pytensor.graph.basic import Variable

from pymc_hydro.data.observations import as_floats
from pymc_hydro.losses.mathematics import Value, number
from pymc_hydro.losses.table import find_loss

__all__ = ["NORMALISATIONS", "multi_output"]

NORMALISATIONS = ("auto", "none", "benchmark", "initial")


def multi_output(
    observed: Mapping,
    simulated: Mapping,
    *,
    losses: Mapping,
    weights: Mapping | None = None,
    normalisation: str | Mapping = "auto",
    initial: Mapping | None = None,
) -> Value:
    """Return the weighted sum of losses of several variables, a loss: zero is perfect.

    ``sum(w_k L_k / c_k)``, the weights adding up to one. A score enters as one minus itself. From
    zero to infinity, lower is better, without unit (unless the normalisation is "none"). Each loss
    treats zero flow in its own way.

    Parameters
    ----------
    observed : mapping of variable to array_like, shape (n_time,)
        NaN where missing; each variable has its own gaps.
    simulated : mapping of variable to array_like or TensorVariable, shape (n_time,)
    losses : mapping of variable to loss
        Names of ``LOSSES`` or ``SCORES``, or functions, as in :func:`find_loss`.
    weights : mapping of variable to float, optional
        Not negative, divided by their sum; equal where not given.
    normalisation : {"auto", "none", "benchmark", "initial"} or mapping of variable to float
        The scales c. "benchmark" is the loss of a constant series at the observed mean, "initial"
        the loss of the series `initial`. "auto" is the benchmark for losses, and one for scores,
        which are relative already. A mapping gives the scales themselves.
    initial : mapping of variable to array_like, shape (n_time,), optional
        The simulation at the start of a search, needed by "initial".

    Returns
    -------
    float or TensorVariable

    Raises
    ------
    KeyError
        If a variable is missing or unknown, or there is no such normalisation.
    ValueError
        If weights or scales make no sense (constant observations have no benchmark), or a loss
        raises it.

    Examples
    --------
    >>> import numpy as np
    >>> y = {"discharge": [1.0, 2.0, 4.0], "swe": [0.0, 10.0, np.nan]}
    >>> q = {"discharge": [1.0, 2.0, 3.0], "swe": [0.0, 8.0, 3.0]}
    >>> losses = {"discharge": "nse", "swe": "ssr"}
    >>> value = multi_output(y, q, losses=losses, weights={"discharge": 3, "swe": 1})
    >>> round(value, 4)
    0.1807
    """
    weights = dict.fromkeys(losses, 1.0) if weights is None else weights
    for what, mapping in (("observed", observed), ("simulated", simulated), ("weights", weights)):
        _check_names(what, mapping, losses)
    total = float(sum(weights.values()))
    if any(not w >= 0 for w in weights.values()) or not total > 0:
        raise ValueError(f"multi_output: weights must be >= 0 and not all 0, found {weights}")
    if isinstance(normalisation, Mapping):
        _check_names("normalisation", normalisation, losses)
    elif normalisation not in NORMALISATIONS:
        raise KeyError(
            f"multi_output: unknown normalisation {normalisation!r}; known are "
            f"{', '.join(NORMALISATIONS)}, or give a number for each variable"
        )
    value = 0.0
    for name, loss in losses.items():
        function, sign = find_loss(loss)
        scale = _scale(name, function, sign, observed[name], normalisation, initial)
        value = value + weights[name] / total / scale * _as_loss(
            function(observed[name], simulated[name]), sign
        )
    return number(value)


def _as_loss(value, sign):
    return value if sign > 0 else 1 - value


def _scale(name, function, sign, observed, normalisation, initial):
    if isinstance(normalisation, Mapping):
        scale = float(normalisation[name])
        if not scale > 0:
            raise ValueError(f"multi_output: the scale of {name!r} must be positive, found {scale}")
        return scale
    if normalisation == "none" or (normalisation == "auto" and sign < 0):
        return 1.0
    if normalisation == "initial":
        if initial is None or name not in initial:
            raise KeyError(f"multi_output: normalisation 'initial' needs initial[{name!r}]")
        reference = initial[name]
    else:
        observed = as_floats(observed)
        reference = np.full(observed.size, np.nanmean(observed))
    scale = _as_loss(_number(function, observed, reference), sign)
    if not np.isfinite(scale) or scale <= 0:
        what = "simulation at the start" if normalisation == "initial" else "observed mean"
        raise ValueError(
            f"multi_output: the loss of {name!r} is {scale} for the {what}, by which it is to be "
            "divided (are the observations constant?); use normalisation='none' or numbers"
        )
    return scale


def _number(function, observed, series) -> float:
    """Return the loss as a number, also if it is written in operations of graphs."""
    found = function(observed, series)
    return float(found.eval(mode="FAST_COMPILE") if isinstance(found, Variable) else found)


def _check_names(what, mapping, losses):
    wrong = [name for name in losses if name not in mapping]
    if wrong:
        raise KeyError(f"multi_output: {what} lacks {', '.join(map(repr, wrong))}")
    if what in ("weights", "normalisation"):
        unknown = [name for name in mapping if name not in losses]
        if unknown:
            raise KeyError(f"multi_output: {what} names {unknown}, which have no loss")
