"""Common to all plots: colours that colour-blind readers can tell apart, labels, bands, dates."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from pymc_hydro.data.observations import observed_on
from pymc_hydro.verification.matching import flat_draws

__all__ = [
    "COLORS",
    "axis_label",
    "central_and_band",
    "central_and_bands",
    "check_run",
    "date_axis",
    "draw_bands",
    "math_name",
    "series_at",
]

# Okabe & Ito (2008), Color Universal Design.
COLORS = {
    "observed": "#000000",
    "simulated": "#D55E00",
    "band": "#56B4E9",
    "rain": "#0072B2",
    "evaporation": "#009E73",
    "storage": "#CC79A7",
}
GREEK = ("alpha", "beta", "gamma", "kappa", "mu", "nu", "phi")


def check_run(
    what: str,
    data: Any,
    *names: str,
    source: str = "ph.simulate or ph.predict",
    basin: xr.Dataset | None = None,
) -> None:
    """Raise TypeError if `data` or `basin` is no Dataset, KeyError if a variable is missing."""
    if not isinstance(data, xr.Dataset):
        raise TypeError(f"{what}: expected the Dataset of {source}, found {type(data).__name__}")
    if missing := [name for name in names if name not in data]:
        known = ", ".join(map(str, data.data_vars))
        raise KeyError(
            f"{what}: no {', '.join(missing)}; the run has {known}; expected the Dataset "
            f"of {source}"
        )
    if basin is not None and not isinstance(basin, xr.Dataset):
        raise TypeError(
            f"{what}: basin must be a Dataset of a record, found {type(basin).__name__}; a series "
            "of observations is basin=record.assign(discharge=series)"
        )


def axis_label(variable: xr.DataArray, name: str) -> str:
    """Return a label with the unit of `variable`."""
    return f"{name} ({variable.attrs.get('units', 'mm/d')})"


def central_and_band(variable: xr.DataArray, prob: float):
    """Return the series and None, or the median over draws and its (lower, upper) quantiles."""
    central, bands = central_and_bands(variable, [prob])
    return central, bands[0] if bands else None


def central_and_bands(variable: xr.DataArray, probs: Sequence[float]) -> tuple[Any, list]:
    """Return the series and no band, or the median over draws and a band for each probability."""
    variable = flat_draws(variable)
    if "draw" not in variable.dims:
        return variable.values, []
    values = variable.transpose("draw", "time").values
    ends = [((1 - prob) / 2, (1 + prob) / 2) for prob in probs]
    middle, *quantiles = np.quantile(values, [0.5, *np.ravel(ends)], axis=0)
    return middle, list(zip(quantiles[::2], quantiles[1::2], strict=True))


def draw_bands(ax: Any, time: Any, bands: list, probs: Sequence[float]) -> None:
    """Shade predictive bands, the widest first; the narrower a band, the darker."""
    from matplotlib.colors import to_rgb

    color = np.array(to_rgb(COLORS["band"]))
    order = sorted(zip(probs, bands, strict=True), key=lambda pair: -pair[0])
    for i, (prob, band) in enumerate(order):
        share = (i + 1.2) / (len(order) + 1)  # of the colour, the rest is white
        label = f"{100 * prob:.3g} %" + ("" if i else " predictive band")
        ax.fill_between(time, *band, color=1 - share * (1 - color), lw=0, label=label)


def date_axis(ax, time) -> None:
    """Label the horizontal axis with dates, as short as can be."""
    import matplotlib.dates as mdates

    locator = mdates.AutoDateLocator()
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
    ax.set_xlim(time[0], time[-1])


def series_at(what: str, basin: xr.Dataset, name: str, time: xr.DataArray) -> xr.DataArray:
    """Return a checked series of a record at the times of a simulation, NaN where it has none."""
    values = observed_on(
        f"{what}: {name}", basin[name], time.values, "simulation", quantity=name, all_missing=True
    )
    attributes = {"units": "mm/d", **basin[name].attrs}
    return xr.DataArray(values, {"time": time.values}, ("time",), attrs=attributes)


def math_name(name: str) -> str:
    """Return the name of a parameter, store or flux as mathematics: ``S_umax`` with its index."""
    head, _, index = name.partition("_")
    if head in GREEK:
        return rf"$\{head}_{{\mathrm{{{index}}}}}$" if index else rf"$\{head}$"
    if len(head) > 4 or not head.isascii():
        return name
    return rf"$\mathrm{{{head}}}_{{\mathrm{{{index.replace('_', ',')}}}}}$" if index else head
