"""Attributes of basins: a table that is checked, and its scale."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pymc_hydro.data.records import BASIN

__all__ = ["Scale", "attribute_table"]


def attribute_table(
    attributes: Any, basins: Sequence[Hashable] | None = None, names: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return attributes as a table with a row for each basin.

    Parameters
    ----------
    attributes : DataFrame or Dataset
        Rows, or the dimension ``basin``, are basins. Of a Dataset, the variables that are on
        ``basin`` alone and hold numbers.
    basins : sequence of hashable, optional
        The rows that are wanted, in this order.
    names : sequence of str, optional
        The columns that are wanted, in this order.

    Raises
    ------
    KeyError, TypeError, ValueError
        If a basin or an attribute is not there, or a value is missing or no number.
    """
    if isinstance(attributes, xr.Dataset):
        if BASIN not in attributes.dims:
            raise ValueError(
                f"attributes: the Dataset has the dimensions {', '.join(map(str, attributes.dims))}"
                f", expected {BASIN}"
            )
        there = [n for n, v in attributes.data_vars.items() if v.dims == (BASIN,)]
        there = [n for n in there if attributes[n].dtype.kind in "fiub"]
        index = pd.Index(attributes[BASIN].values.tolist())
        attributes = pd.DataFrame({str(n): attributes[n].values for n in there}, index)
    if not isinstance(attributes, pd.DataFrame):
        raise TypeError(
            "attributes: expected a DataFrame with a row for each basin or a Dataset on basin, "
            f"found {type(attributes).__name__}"
        )
    if not attributes.index.is_unique:
        raise ValueError("attributes: the names of basins must be unique")
    attributes = attributes.rename(columns=str)
    for what, wanted, known in (
        ("basins", basins, attributes.index),
        ("attributes", names, attributes.columns),
    ):
        missing = [name for name in (() if wanted is None else wanted) if name not in known]
        if missing:
            more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
            raise KeyError(f"attributes: the table lacks the {what} {missing[:3]}{more}")
    table = attributes.loc[
        attributes.index if basins is None else list(basins),
        attributes.columns if names is None else list(names),
    ]
    try:
        table = table.astype(float)
    except (TypeError, ValueError) as error:
        raise TypeError(f"attributes: all must be numbers ({error})") from error
    if table.empty:
        raise ValueError("attributes: the table is empty")
    bad = np.argwhere(~np.isfinite(table.to_numpy()))
    if len(bad):
        row, column = bad[0]
        raise ValueError(
            f"attributes: {table.columns[column]!r} of basin {table.index[row]!r} is "
            f"{table.iat[row, column]}, in all {len(bad)} values are not finite; fill them, or "
            "leave the attribute or the basin out"
        )
    return table


@dataclass(frozen=True, eq=False)
class Scale:
    """Mean, spread and range of the attributes of the basins that were trained on.

    Attributes
    ----------
    names : tuple of str
    mean, spread, lowest, highest : array, shape (n_attribute,)
    """

    names: tuple[str, ...]
    mean: np.ndarray
    spread: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray

    @classmethod
    def of(cls, table: pd.DataFrame) -> "Scale":
        """Return the scale of a table; a constant attribute says nothing, and becomes zero."""
        values = table.to_numpy()
        spread = values.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        ends = values.min(axis=0), values.max(axis=0)
        return cls(tuple(map(str, table.columns)), values.mean(axis=0), spread, *ends)

    def __call__(self, table: pd.DataFrame) -> np.ndarray:
        """Return scaled attributes; one beyond the range that was trained on is at its end."""
        values = np.clip(table[list(self.names)].to_numpy(), self.lowest, self.highest)
        return (values - self.mean) / self.spread

    def outside(self, table: pd.DataFrame) -> np.ndarray:
        """Return how many attributes of each basin are beyond the range that was trained on."""
        values = table[list(self.names)].to_numpy()
        return ((values < self.lowest) | (values > self.highest)).sum(axis=1)
