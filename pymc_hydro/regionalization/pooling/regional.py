"""Partial pooling over basins, and attributes, inside a PyMC model."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.records import BASIN
from pymc_hydro.inference.priors import priors
from pymc_hydro.models.listing import as_model
from pymc_hydro.regionalization.attributes import Scale, attribute_table
from pymc_hydro.regionalization.mapping import AbstractMapping, FeatureMapping, define_mapping
from pymc_hydro.regionalization.pooling.link import define_link

__all__ = ["mean_coordinates", "regional"]

# Prior standard deviations, of logits of positions between bounds: of the intercept about the
# default, and of each other layer of weights taken together.
ABOUT_DEFAULT, OF_WEIGHTS = 1.5, 1.0


def regional(
    model: AbstractModel | str,
    attributes: pd.DataFrame | xr.Dataset | None = None,
    mapping: str | Callable = "linear",
    residual: bool = True,
    *,
    trained_on: pd.DataFrame | xr.Dataset | None = None,
    centered: bool | Sequence[str] = True,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    prefix: str = "regional",
    **overrides: Any,
) -> dict[str, Any]:
    """Create parameters of many basins that learn from each other, inside ``with pm.Model():``.

    The logit z of a parameter's position between its bounds (on a logarithmic axis where they
    differ by a factor of 100) has a normal distribution over basins, whose mean may follow
    attributes: ``z = mapping(attributes) + tau * residual``. Bounds are those of the prior, where
    a parameter declares them. No other part of ``ph.priors`` enters: the presets are distributions
    of one basin, and here the basins themselves tell the distribution.

    Parameters
    ----------
    model : AbstractModel or str
    attributes : DataFrame or Dataset, optional
        Numbers, with a row for each basin or on ``basin``; they become the data variable
        ``regional_attributes``. Not given: plain partial pooling over the basins that the PyMC
        model has as the dimension ``basin``.
    mapping : {"linear", "mlp", "gp"} or callable
        As in :func:`pymc_hydro.regionalize`; a function must compute with NumPy and PyTensor.
    residual : bool
        Whether basins differ from what their attributes say. Without, the parameters are a function
        of the attributes.
    trained_on : DataFrame or Dataset, optional
        In a model for predictions at other basins: the attributes of the basins that its posterior
        is from, which scale those of the other ones.
    centered : bool or sequence of str
        Whether z itself is sampled, or its residual; or the parameters whose z is. Centred mixes
        well where each basin's data determine its parameters, which years of discharge do.
    bounds : mapping of str to (float, float), optional
        Of some parameters, in place of their own.
    prefix : str
        Begins the names of the variables, all on ``parameter`` (``regional_parameter``): intercept,
        weights, tau, and z on ``basin`` too.
    **overrides
        By parameter: a variable, a callable that makes one or a number, as in ``ph.priors``; a
        scalar is what all basins share, and a variable on ``basin`` has a law of yours. It has no
        coordinate z.

    Returns
    -------
    dict of str to TensorVariable, shape (n_basin,)
        For ``ph.discharge``; each is a deterministic variable of the parameter's name, but for
        overrides, which are as they were given. Where a model declares an order of two parameters,
        the larger one bounds the smaller; an override of the smaller one is not bounded.

    Raises
    ------
    KeyError, TypeError, ValueError
        If an argument or an attribute does not fit, there is no dimension ``basin``, or bounds
        are given of an override.

    Notes
    -----
    Priors of the hyper-parameters, in logits: intercepts are normal about the default with standard
    deviation 1.5, tau half-normal with 1, and what all weights of a layer add has about 1.

    There is no joint mode of the centred form: its density grows without bound as tau goes to zero.
    Sample it, and look at R-hat; do not use ``pm.find_MAP`` or ``ph.fit_laplace``.

    References
    ----------
    Betancourt, M., Girolami, M. (2015). Hamiltonian Monte Carlo for hierarchical models. In:
    Current Trends in Bayesian Methodology with Applications, 79-101.

    Examples
    --------
    >>> import pymc as pm, pymc_hydro as ph
    >>> model = ph.Hymod(snow=False)
    >>> with pm.Model(coords={"basin": ["upper", "lower"]}) as pymc_model:
    ...     theta = ph.regional(model)
    ...     # q = ph.discharge(model, theta, basins)
    >>> theta["K_s"].type.shape
    (2,)
    """
    model, pymc_model = as_model(model), pm.modelcontext(None)
    overrides = {name: given for name, given in overrides.items() if given is not None}
    free = _free(model, overrides, centered, bounds or {})
    link = define_link(model, bounds)
    reference = None if trained_on is None else attribute_table(trained_on)
    names, table = _basins(pymc_model, attributes, reference)
    parameter = f"{prefix}_parameter"
    pymc_model.add_coord(parameter, list(free))
    if table is None and not residual:
        raise ValueError("regional: without attributes basins need a residual to differ")
    z, _ = mean_coordinates(names, table, mapping, link.start(model, free), prefix, reference)
    if residual:
        tau = pm.HalfNormal(f"{prefix}_tau", 1.0, dims=parameter)
        inner = free if centered is True else () if centered is False else centered
        c = np.array([name in inner for name in free], dtype=float)
        # Centred, or not, parameter by parameter: each of the two is one of these factors.
        own = pm.Normal(f"{prefix}_z", c * z, tau**c, dims=(BASIN, parameter))
        z = (1 - c) * z + tau ** (1 - c) * own
    numbers = {p.name: p.default for p in model.parameters if p.name in free}
    checked = priors(model, **numbers | overrides)  # makes none: each has a number or a variable
    shared = {name: checked[name] for name in overrides}
    by_name = {name: z[:, j] for j, name in enumerate(free)}
    theta = link.parameters(by_name, shared, pt, partial(pm.Deterministic, dims=BASIN))
    return {name: theta[name] for name in model.parameter_names}


def _free(model, overrides, centered, bounds) -> tuple[str, ...]:
    """Return the parameters that get a distribution over basins, after checking names."""
    wanted = () if isinstance(centered, bool) else tuple(centered)
    for what, names in (("an override", overrides), ("centered", wanted), ("bounds", bounds)):
        unknown = [name for name in names if name not in model.parameter_names]
        if unknown:
            raise KeyError(
                f"regional: {what} names {unknown}, which {type(model).__name__} does not have; "
                f"known are {', '.join(model.parameter_names)}"
            )
    for what, names in (("centered", wanted), ("bounds", bounds)):
        idle = [name for name in names if name in overrides]
        if idle:
            raise ValueError(
                f"regional: {what} names {idle}, which are overridden and have no coordinate z; "
                "leave them out of one of the two"
            )
    free = tuple(name for name in model.parameter_names if name not in overrides)
    if not free:
        raise ValueError("regional: all parameters are overridden, none is left to be regional")
    return free


def _basins(pymc_model, attributes, reference):
    """Return names of basins, and their attributes (None if there are none)."""
    held = pymc_model.coords.get(BASIN)
    if attributes is None:
        if held is None:
            raise ValueError(
                "regional: the PyMC model has no dimension 'basin'; give attributes, or "
                "pm.Model(coords={'basin': names})"
            )
        return list(held), None
    table = attribute_table(attributes, held, None if reference is None else reference.columns)
    if held is None:
        pymc_model.add_coord(BASIN, table.index.tolist())
    return table.index.tolist(), table


def mean_coordinates(
    names: Sequence[Hashable],
    table: pd.DataFrame | None,
    kind: str | Callable,
    start: np.ndarray,
    prefix: str,
    reference: pd.DataFrame | None = None,
) -> tuple[Any, AbstractMapping | None]:
    """Return the mean of z by basin and parameter, shape (n_basin, n_free), and its mapping.

    Parameters
    ----------
    names : sequence of hashable
        Of the basins.
    table : DataFrame or None
        Attributes of the basins.
    kind : str or callable
        The mapping.
    start : array, shape (n_free,)
        Coordinates of the defaults.
    prefix : str
    reference : DataFrame, optional
        Attributes that give scale and features; `table` if not given.

    Returns
    -------
    TensorVariable, AbstractMapping
        None in place of the mapping where there are no attributes.
    """
    parameter = f"{prefix}_parameter"
    if table is None:
        intercept = pm.Normal(f"{prefix}_intercept", start, ABOUT_DEFAULT, dims=parameter)
        return pt.alloc(intercept, len(names), len(start)), None
    reference = table if reference is None else reference
    scale = Scale.of(reference)
    x = scale(reference)
    mapping = define_mapping(kind, x, len(start))
    attribute = f"{prefix}_attribute"
    coords = {BASIN: names, attribute: list(scale.names)}
    data = pm.Data(f"{prefix}_attributes", scale(table), dims=(BASIN, attribute), coords=coords)
    return mapping(data, _weights(mapping, x, start, prefix), pt), mapping


def _weights(mapping: AbstractMapping, x, start, prefix) -> dict[str, Any]:
    """Return random weights: what each layer adds has a prior of one size, whatever its width."""
    pymc_model, weights = pm.modelcontext(None), {}
    features = mapping.of_attributes(x) if isinstance(mapping, FeatureMapping) else x
    size = np.sqrt((features**2).sum(axis=1).mean())
    for name, shape in mapping.shapes.items():
        mean, spread = 0.0, OF_WEIGHTS
        if name == "intercept":
            mean, spread = start, ABOUT_DEFAULT
        elif len(shape) == 2:
            spread = OF_WEIGHTS / (np.sqrt(shape[0]) if name == "outer_weights" else size or 1.0)
        dims = [f"{prefix}_{name}_{axis}" for axis in range(len(shape))]
        if not name.startswith("inner"):
            dims[-1] = f"{prefix}_parameter"
        for dim, n in zip(dims, shape, strict=True):
            if dim not in pymc_model.coords:
                pymc_model.add_coord(dim, range(n))
        weights[name] = pm.Normal(f"{prefix}_{name}", mean, spread, dims=dims)
    return weights
