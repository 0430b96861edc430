"""What plots share: colours that colour-blind readers can tell apart, labels, bands."""

import numpy as np
import xarray as xr

__all__ = ["COLORS", "axis_label", "central_and_band"]

# Okabe & Ito (2008), Color Universal Design.
COLORS = {"observed": "#000000", "simulated": "#D55E00", "band": "#56B4E9", "rain": "#0072B2"}


def axis_label(variable: xr.DataArray, name: str) -> str:
    """Return a label with the unit of `variable`."""
    return f"{name} ({variable.attrs.get('units', 'mm/d')})"


def central_and_band(variable: xr.DataArray, prob: float):
    """Return the series and None, or the median over draws and its (lower, upper) quantiles."""
    if "draw" not in variable.dims:
        return variable.values, None
    values = variable.transpose("draw", "time").values
    low, middle, high = np.quantile(values, [(1 - prob) / 2, 0.5, (1 + prob) / 2], axis=0)
    return middle, (low, high)
