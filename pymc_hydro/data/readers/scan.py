"""What a folder of data holds."""

import re
from pathlib import Path

import pandas as pd

from pymc_hydro.data.readers.files import open_netcdf

__all__ = ["scan"]

# Reader, and what the paths of its files look like, below the folder.
PATTERNS = (
    ("read_camels_us", r"(?P<detail>[^/]+)/(?:[^/]+/)?(?P<gauge>\d{8})_lump_\w+_forcing_leap\.txt"),
    ("read_camels_us_hourly", r"(?P<gauge>\d{8})_hourly_(?P<detail>nldas)\.csv"),
    ("read_camels_gb", r"CAMELS_GB_hydromet_timeseries_(?P<gauge>\d+)(?:_[\d-]+)?\.csv"),
    ("read_camels_ch", r"CAMELS_CH_obs_based_(?P<gauge>\d+)\.csv"),
    ("read_camels_de", r"CAMELS_DE_hydromet_timeseries_(?P<gauge>\w+)\.csv"),
    ("read_camels_fr", r"(?:CAMELS_FR_tsd_)?(?P<gauge>[A-Z]\d{9})\.csv"),
    ("read_camels_br", r"(?P<gauge>\d{8})_streamflow_mm\.txt"),
    ("read_mopex", r"(?P<gauge>\d{8})\.dly"),
    (
        "read_caravan",
        r"timeseries/(?P<detail>netcdf|csv)/[^/]+/(?P<gauge>[a-z]+_\w+)\.(?:nc|csv)",
    ),
)
# Reader, files with one column a gauge, their separator and columns that are no gauge.
WIDE = (
    ("read_camels_cl", r"q_mm_day\.csv", ",", {"date"}),
    ("read_camels_cl", r"\d*_?CAMELScl_streamflow_mm\.txt", "\t", {"gauge_id"}),
    ("read_camels_aus", r"streamflow_mmd\.csv", ",", {"year", "month", "day"}),
)
HOURLY = "usgs-streamflow-nldas_hourly.nc"


def scan(root) -> pd.DataFrame:
    """List the basins that a folder holds, and which reader reads each.

    Parameters
    ----------
    root : str or Path

    Returns
    -------
    DataFrame
        Columns ``reader``, ``gauge``, ``detail`` (forcing product, kind of file) and ``path``
        (below `root`); one row for each file that a basin begins with. Other tables are listed
        with ``read_csv`` and no gauge. Files are not opened, but for those that hold many gauges.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f"{root}: no such folder")
    rows = []
    for path in sorted(root.rglob("*")):
        if path.is_file():
            rows += _rows(path, path.relative_to(root).as_posix())
    table = pd.DataFrame(rows, columns=["reader", "gauge", "detail", "path"])
    covered = set(table.loc[table["reader"] != "read_csv", "path"].map(lambda p: Path(p).parent))
    # Tables beside or below the files of a data set belong to it.
    mine = table["path"].map(lambda p: any(f in Path(p).parents for f in covered))
    return table[(table["reader"] != "read_csv") | ~mine].reset_index(drop=True)


def _rows(path, name):
    for reader, pattern in PATTERNS:
        match = re.search(rf"(?:^|/){pattern}$", name)
        if match:
            found = match.groupdict()
            return [(reader, found["gauge"], found.get("detail", ""), name)]
    for reader, pattern, separator, others in WIDE:
        if re.search(rf"(?:^|/){pattern}$", name):
            with path.open(encoding="utf-8-sig") as stream:
                columns = [c.strip().strip('"') for c in stream.readline().split(separator)]
            return [(reader, c, "", name) for c in columns if c not in others]
    if path.name == HOURLY:
        with open_netcdf(path) as data:
            gauges = data["basin"].values.astype(str)
        return [("read_camels_us_hourly", gauge, "netcdf", name) for gauge in gauges]
    known = path.suffix == ".csv" and not re.search(r"attributes|CAMELS_|/attributes/", name)
    return [("read_csv", "", "", name)] if known else []
