"""Changes in time in a PyMC model: uncertain forcing, and parameters that vary.

A *basis* says how few numbers make a series on the time axis of a record: the number of the block
(a storm, a month) that an interval belongs to, or the value of each column (a wave of the year, a
spline). :func:`deviations` gives the numbers a prior.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pandas.tseries.frequencies import to_offset
from pytensor.graph.basic import Variable

from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.means import BEGINS
from pymc_hydro.data.schema import as_basin
from pymc_hydro.inference.forcing import full_prefix
from pymc_hydro.likelihoods.errors.nodes import AbstractNote, nodes_of
from pymc_hydro.losses.axis import FORCING_TIME, claim_dim, length_of, value_of

__all__ = [
    "Basis",
    "bases_of",
    "basis_like",
    "blocks",
    "deviations",
    "harmonics",
    "labels_of",
    "replace_columns",
    "separate_varying",
    "splines",
    "storms",
]

WET = 1.0  # mm/d: an interval with less rain is dry
YEAR = 365.25  # days
SEASONS = ("DJF", "MAM", "JJA", "SON")
SCALES = {"independent": 0.3, "walk": 0.1}  # of the priors of standard deviations


def storms(basin: Any, dry_days: float = 1.0, wet: float = WET) -> xr.DataArray:
    """Return the number of the wet spell that each interval belongs to: 0, 1, 2 ...

    A spell ends with the last wet interval before `dry_days` without one. A dry interval belongs to
    the spell before it (at the start of the record, to the first one), so that the numbers are an
    index: ``rain * m[ph.storms(basin).values]`` has one factor a spell.

    Parameters
    ----------
    basin : Dataset or DataFrame
    dry_days : float
        Days without rain that separate two spells, at least one interval.
    wet : float
        Rain in mm/d, from which an interval is wet.

    Returns
    -------
    DataArray of int
        On ``time``.

    Raises
    ------
    ValueError
        If no interval is wet, or an argument makes no sense.

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> spell = ph.storms(ph.load_basin("leaf_river"), dry_days=2)
    >>> int(spell.max()) + 1
    460
    """
    if not (dry_days > 0 and wet > 0):
        raise ValueError(
            f"storms: dry_days and wet must be positive, found {dry_days!r} and {wet!r}"
        )
    rain = as_basin(basin, ("precipitation",))["precipitation"]
    time = rain["time"].values
    position = np.flatnonzero(rain.values >= wet)
    if position.size == 0:
        raise ValueError(f"storms: no interval has {wet:g} mm/d of rain or more; give a lower wet=")
    interval = (time[1] - time[0]) / np.timedelta64(1, "D") if time.size > 1 else 1.0
    needed = max(1, int(np.ceil(dry_days / interval - 1e-9)))
    starts = position[1:][np.diff(position) > needed]
    number = np.searchsorted(starts, np.arange(time.size), side="right")
    attributes: dict[str, Any] = {
        "long_name": f"wet spell, {dry_days:g} d apart",
        "basis": "storms",
    }
    attributes |= {"dry_days": float(dry_days), "wet": float(wet)}
    return xr.DataArray(number, coords={"time": time}, dims="time", name="storm", attrs=attributes)


def blocks(basin: Any, every: str = "YS") -> xr.DataArray:
    """Return the number of the calendar period that each interval belongs to: 0, 1, 2 ...

    Parameters
    ----------
    basin : Dataset or DataFrame
    every : str
        Years, quarters or months by their starts, as pandas writes them: "YS", "YS-OCT" (water
        years), "QS-DEC" (seasons of each year), "MS". Or "season": the four seasons, the same
        every year.

    Returns
    -------
    DataArray of int
        On ``time``.

    Raises
    ------
    ValueError
        If `every` is no such period.

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> year = ph.blocks(ph.load_basin("leaf_river"), "YS-OCT")
    >>> int(year.max()) + 1
    11
    """
    time = pd.DatetimeIndex(as_basin(basin, ())["time"].values)
    if every == "season":
        number = time.month.to_numpy() % 12 // 3
    else:
        starts = _starts("blocks", every, time)
        number = starts.searchsorted(time, side="right") - 1
    attributes = {"long_name": f"period {every}", "basis": "blocks", "every": every}
    return xr.DataArray(number, {"time": time}, ("time",), name="block", attrs=attributes)


def harmonics(basin: Any, order: int = 1) -> xr.DataArray:
    """Return cosines and sines of the year: a basis of what comes back every year.

    Parameters
    ----------
    basin : Dataset or DataFrame
    order : int
        Waves in a year, up to this number: each has a cosine and a sine.

    Returns
    -------
    DataArray
        On (``time``, ``coefficient``); the year begins on January 1st and has 365.25 days.

    Raises
    ------
    ValueError
        If `order` is no positive whole number.
    """
    if not (isinstance(order, (int, np.integer)) and order > 0):
        raise ValueError(f"harmonics: order must be a positive whole number, found {order!r}")
    time = pd.DatetimeIndex(as_basin(basin, ())["time"].values)
    years = (time - pd.Timestamp(2000, 1, 1)) / pd.Timedelta(days=YEAR)
    waves = {
        f"{name} {k}": wave(2 * np.pi * k * years.to_numpy())
        for k in range(1, order + 1)
        for name, wave in (("cos", np.cos), ("sin", np.sin))
    }
    attributes = {"long_name": "season", "basis": "harmonics", "order": int(order)}
    return _basis(time, waves, "harmonic", attributes)


def splines(basin: Any, every: str = "YS") -> xr.DataArray:
    """Return cubic B-splines with a knot at the start of each calendar period: a smooth basis.

    Parameters
    ----------
    basin : Dataset or DataFrame
    every : str
        Years, quarters or months by their starts, as of :func:`blocks`.

    Returns
    -------
    DataArray
        On (``time``, ``coefficient``), with the date of the middle knot as a label. The sum of all
        splines is one.

    Raises
    ------
    ValueError
        If `every` is no such period.

    References
    ----------
    de Boor, C. (1978). A Practical Guide to Splines. Springer. doi:10.1007/978-1-4612-6333-3
    """
    from scipy.interpolate import BSpline  # takes a second to import

    time = pd.DatetimeIndex(as_basin(basin, ())["time"].values)
    offset = _offset("splines", every)
    first = offset.rollback(time[0].normalize()) - 3 * offset
    knots = pd.date_range(first, time[-1] + 4 * offset, freq=offset)
    days, at = ((t - time[0]) / pd.Timedelta(days=1) for t in (knots, time))
    values = BSpline.design_matrix(at.to_numpy(), days.to_numpy(), 3).toarray()
    used = values.any(axis=0)
    labels = knots[2 : 2 + used.size][used]
    attributes = {"long_name": f"splines, a knot {every}", "basis": "splines", "every": every}
    return _basis(time, dict(zip(labels, values.T[used], strict=True)), "spline", attributes)


def _basis(time, columns, name, attributes) -> xr.DataArray:
    coords = {"time": time, "coefficient": list(columns)}
    values = np.column_stack(list(columns.values()))
    return xr.DataArray(values, coords, ("time", "coefficient"), name=name, attrs=attributes)


def _offset(owner: str, every: str):
    try:
        offset = to_offset(every)
    except ValueError:
        offset = None
    if not isinstance(offset, BEGINS) or offset.n != 1:
        raise ValueError(
            f"{owner}: every must be years, quarters or months by their starts (YS, YS-OCT, "
            f"QS-DEC, MS), found {every!r}"
        )
    return offset


def _starts(owner: str, every: str, time: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the starts of the periods of a record."""
    offset = _offset(owner, every)
    return pd.date_range(offset.rollback(time[0].normalize()), time[-1], freq=offset)


BASES: dict[str, Callable] = {
    "storms": storms,
    "blocks": blocks,
    "harmonics": harmonics,
    "splines": splines,
}


def basis_like(attributes: Mapping[str, Any], record: Any) -> xr.DataArray:
    """Return a basis with the settings of another one, for another record."""
    settings = {k: v for k, v in attributes.items() if k not in ("long_name", "basis")}
    return BASES[attributes["basis"]](record, **settings)


def labels_of(basis: xr.DataArray) -> list[Any]:
    """Return the labels of blocks or coefficients: names, or dates on which they begin."""
    if basis.ndim == 2:
        return list(pd.Index(basis["coefficient"].values))
    if basis.attrs.get("every") == "season":
        return list(SEASONS)
    time = pd.DatetimeIndex(basis["time"].values)
    if basis.attrs["basis"] == "blocks":
        return list(_starts("blocks", basis.attrs["every"], time))
    first = np.unique(basis.values, return_index=True)[1]
    return list(time[first])


class Basis(AbstractNote):
    """A basis in a PyMC model: it returns its data as they are, and knows how to make others.

    Parameters
    ----------
    name : str
        Of the deviations.
    settings : tuple of (str, value)
        The attributes of the basis.
    """

    __props__ = ("name", "settings")

    def __init__(self, name, settings):
        self.name, self.settings = name, settings

    def plain(self, inputs):
        """Return the data."""
        return inputs


def deviations(
    name: str,
    basis: xr.DataArray,
    kind: str = "independent",
    *,
    sd: Any = None,
    centered: bool = False,
    prefix: str = "",
) -> Any:
    """Return random deviations from zero on the time axis of a record.

    They make uncertain forcing (``rain * pt.exp(deviations)``, ``temperature + deviations``) and
    parameters that change in time (``300 * pt.exp(deviations)``). Call it inside ``with
    pm.Model():``. :func:`pymc_hydro.set_basin` makes the basis of another record;
    :func:`pymc_hydro.predict` draws what the posterior does not know from the prior.

    Parameters
    ----------
    name : str
        Of the deviation of each block, or of the coefficient of each column of the basis: a
        variable on the dimension ``<name>_block``, which is stored in results. Its standard
        deviation is ``<name>_sd``.
    basis : DataArray
        From :func:`storms`, :func:`blocks`, :func:`harmonics` or :func:`splines`, of the record
        that is simulated.
    kind : {"independent", "walk"}
        Independent normal values; or a random walk from block to block that begins at zero.
    sd : float or TensorVariable, optional
        The scale of a half-normal prior of the standard deviation, of a step in a walk: 0.3 if not
        given, and 0.1 for a walk. Or a variable: the standard deviation itself.
    centered : bool
        Whether the sampler moves the deviations themselves; otherwise standard normal variables
        that are scaled, which :func:`pymc_hydro.fit_laplace` and :func:`pymc_hydro.sample` need:
        they integrate over them, to find the standard deviation.
    prefix : str
        That of :func:`pymc_hydro.discharge`.

    Returns
    -------
    TensorVariable, shape (n_time,)
        One value for each interval of the record, with its warm-up.

    Raises
    ------
    TypeError, ValueError
        If the basis comes from no function of this package, or `kind` is unknown.

    Examples
    --------
    >>> import pymc as pm, pymc_hydro as ph
    >>> basin = ph.load_basin("leaf_river")
    >>> with pm.Model():
    ...     error = ph.deviations("storm_error", ph.storms(basin, dry_days=2))
    ...     forcing = {"precipitation": lambda rain: rain * pm.math.exp(error)}
    """
    if not isinstance(basis, xr.DataArray) or basis.attrs.get("basis") not in BASES:
        raise TypeError(
            f"deviations: {name!r} needs a basis, such as ph.blocks(basin, 'MS'), found "
            f"{type(basis).__name__}; give what ph.{', ph.'.join(BASES)} return as it is"
        )
    if kind not in SCALES:
        raise ValueError(f"deviations: kind must be {' or '.join(SCALES)}, found {kind!r}")
    pymc_model = pm.modelcontext(None)
    time, dim = full_prefix(pymc_model, prefix) + FORCING_TIME, f"{name}_block"
    dates = basis["time"].values
    claim_dim(pymc_model, time, dates, "make the basis of the record that is simulated")
    own = pymc_model.name_for(dim)
    if time not in pymc_model.coords:
        pymc_model.add_coord(time, dates)
    pymc_model.add_coord(own, labels_of(basis))
    dims = (time, own)[: basis.ndim]
    data = pm.Data(f"{name}_basis", basis.values, dims=dims)
    settings = tuple((k, v) for k, v in basis.attrs.items())
    data = Basis(pymc_model.name_for(name), settings)(data)
    if not isinstance(sd, Variable):
        sd = pm.HalfNormal(f"{name}_sd", SCALES[kind] if sd is None else sd)
    if centered and kind == "walk":
        start = pm.Normal.dist(0, sd)
        values = pm.GaussianRandomWalk(name, sigma=sd, init_dist=start, dims=own)
    elif centered:
        values = pm.Normal(name, 0, sd, dims=own)
    else:
        z = pm.Normal(f"{name}_z", dims=own)
        values = pm.Deterministic(name, sd * (pt.cumsum(z) if kind == "walk" else z), dims=own)
    return values[data] if basis.ndim == 1 else (data * values).sum(axis=1)


def bases_of(pymc_model: pm.Model) -> dict[str, tuple[str, dict]]:
    """Return name of the deviations and settings by the data variable of a basis."""
    return {
        str(node.inputs[0].name): (node.op.name, dict(node.op.settings))
        for node in nodes_of(pymc_model, Basis)
    }


def separate_varying(
    model: AbstractModel, theta: Any, n_time: int, n_basin: int | None, on_time: Any
) -> tuple[AbstractModel, Any, dict[str, Any]]:
    """Return the model that reads parameters in time like forcing, the others, and these series.

    Parameters
    ----------
    model : AbstractModel
    theta : mapping or variable
    n_time : int
        Length of the forcing.
    n_basin : int or None
        None for a single basin.
    on_time : callable
        Whether the PyMC model says that a variable is on the dimension of the forcing.
    """
    if not isinstance(theta, Mapping):
        return model, theta, {}
    variables = {k: pt.as_tensor_variable(v) for k, v in theta.items()}

    def varies(variable):
        if variable.ndim != 1:
            return False
        if on_time(variable):
            return True
        length = length_of(variable)
        return length == n_time if n_basin is not None else length in (None, n_time)

    series = {k: v for k, v in variables.items() if k in model.parameter_names and varies(v)}
    if not series:
        return model, theta, {}
    limits = {p.name: p.limits for p in model.parameters}
    inside = {
        k: pt.switch((v >= limits[k][0]) & (v <= limits[k][1]), v, np.nan)
        for k, v in series.items()
    }
    others = {k: v for k, v in theta.items() if k not in series}
    return model.vary(*series), others, inside


def replace_columns(names, forcing, given: Mapping[str, Any] | None, series: Mapping[str, Any]):
    """Return the forcing with variables in place of columns, and series of parameters behind it.

    Raises
    ------
    KeyError, TypeError, ValueError
        If a name is unknown, or a variable is not one value an interval.
    """
    n_time = _length(forcing)
    for name, value in (given or {}).items():
        if name not in names:
            raise KeyError(f"forcing: unknown column {name!r}; the model reads {', '.join(names)}")
        column = list(names).index(name)
        value = value(forcing[:, column]) if callable(value) else value
        variable = pt.as_tensor_variable(value)
        length = variable.type.shape[0] if variable.ndim else None
        if variable.ndim != 1 or not variable.type.dtype.startswith(("float", "int", "uint")):
            raise TypeError(
                f"forcing: {name!r} must be a real variable of shape (n_time,), one value for each "
                f"interval of the record with its warm-up, found {variable.type}"
            )
        if None not in (length, n_time) and length != n_time:
            raise ValueError(
                f"forcing: {name!r} has {length} values, expected {n_time}, one for each interval "
                "of the record with its warm-up"
            )
        forcing = pt.set_subtensor(forcing[:, column], variable)
    if series:
        forcing = pt.concatenate([forcing, pt.stack(list(series.values()), axis=1)], axis=1)
    return forcing


def _length(forcing):
    value = value_of(forcing)
    return forcing.type.shape[0] if value is None else len(value)
