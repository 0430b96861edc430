"""A record of forcing, and discharge from another source beside it."""

import pandas as pd
import xarray as xr

from pymc_hydro.data.checks.dates import as_dates
from pymc_hydro.data.observations import observed_on
from pymc_hydro.data.readers.machinery.assemble import warn_of_doubts
from pymc_hydro.data.schema import VARIABLES, as_basin
from pymc_hydro.data.units import to_schema

__all__ = ["join"]

NAME = "discharge"


def join(
    forcing: xr.Dataset | pd.DataFrame,
    discharge: xr.Dataset | pd.DataFrame | pd.Series | xr.DataArray,
    *,
    units: str | None = None,
    area: float | None = None,
) -> xr.Dataset:
    """Return a record of forcing with a series of discharge beside it.

    Parameters
    ----------
    forcing : Dataset or DataFrame
        A record of the schema without discharge, see :func:`pymc_hydro.data.as_basin`.
    discharge : Dataset or DataFrame with ``discharge``, Series or DataArray
        With dates, the start of each interval; the intervals must equal the intervals of the
        forcing.
    units : str, optional
        Of the discharge, as in :func:`pymc_hydro.read_csv`, such as "m3/s". Not needed where the
        attribute ``units`` says it; mm/d where nothing does.
    area : float, in km2, optional
        For discharge that is a volume; the attribute ``area_km2`` of the forcing, or else of the
        discharge, where not given.

    Returns
    -------
    Dataset
        On the time of the forcing; discharge is NaN where the series has no date or no value.

    Raises
    ------
    TypeError, KeyError, ValueError
        If the discharge has no dates, none in common with the forcing, other intervals or another
        unit, or holds codes of missing values; or the forcing has discharge already.

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> basin = ph.load_basin("leaf_river")
    >>> flow = basin["discharge"].to_series() * 1944 / 86.4
    >>> forcing = basin.drop_vars("discharge")
    >>> joined = ph.join(forcing, flow, units="m3/s")
    >>> round(float(joined["discharge"].mean()), 3)
    1.257
    """
    record = as_basin(forcing)
    if NAME in record:
        raise ValueError("join: the forcing has discharge already; leave it out first (drop_vars)")
    if isinstance(forcing, xr.Dataset):  # with the inputs of potential evaporation
        others = [n for n in forcing if n not in VARIABLES and forcing[n].dims == ("time",)]
        record = record.merge(forcing[others])
    attrs = dict(discharge.attrs) if isinstance(discharge, xr.Dataset) else {}
    flow = _series(discharge)
    unit = _unit(flow, units)
    area = next((a for a in (area, record.attrs.get("area_km2"), attrs.get("area_km2")) if a), None)
    index = as_dates("join: the index of the discharge", flow.get_index(str(flow.dims[0])))
    values = to_schema("join", NAME, flow.values, unit, index, area)
    flow = flow.copy(data=values).assign_attrs(units=VARIABLES[NAME][0])
    observed = observed_on("join", flow, record["time"].values, "forcing")
    units_and_name = {"long_name": VARIABLES[NAME][1], "units": VARIABLES[NAME][0]}
    result = record.assign({NAME: ("time", observed, units_and_name)})
    sources = [a["source"] for a in (record.attrs, attrs) if a.get("source")]
    if area is not None:
        result.attrs["area_km2"] = area
    result.attrs = {**attrs, **result.attrs, **({"source": "; ".join(sources)} if sources else {})}
    warn_of_doubts("join", result)
    return result


def _series(discharge) -> xr.DataArray:
    """Return the discharge as a DataArray with dates."""
    if isinstance(discharge, pd.DataFrame):
        discharge = discharge.set_index("time") if "time" in discharge else discharge
    if isinstance(discharge, xr.Dataset | pd.DataFrame):
        if NAME not in discharge:
            raise KeyError(
                f"join: no {NAME!r} in the second record; found "
                f"{', '.join(map(str, discharge)) or 'none'}; rename it, or give that column alone"
            )
        discharge = discharge[NAME]
    if isinstance(discharge, pd.Series):
        index = as_dates("join: the index of the discharge", discharge.index)
        return xr.DataArray(discharge.to_numpy(), {"time": index}, ("time",))
    if not isinstance(discharge, xr.DataArray):
        raise TypeError(
            f"join: expected discharge as a Dataset, DataFrame, Series or DataArray with dates, "
            f"found {type(discharge).__name__}; a pandas.Series(values, dates) has them"
        )
    return discharge


def _unit(flow, units):
    found = flow.attrs.get("units")
    if units is not None and found is not None and units != found:
        raise ValueError(
            f"join: discharge is in {found!r} by its attribute, and in {units!r} by units=; give "
            "one of them"
        )
    return units or found or VARIABLES[NAME][0]
