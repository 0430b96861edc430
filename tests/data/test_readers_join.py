"""Discharge from a source of its own, beside a record of forcing."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import pymc_hydro as ph
from tests.data.test_readers_twins import DAYS, EVAPORATION, FLOW, GAPPY, RAIN

AREA = 120.0
FORCING = pd.DataFrame({"precipitation": RAIN, "potential_evaporation": EVAPORATION}, index=DAYS)
SERIES = pd.Series(GAPPY, DAYS)
KINDS = {
    "Series": SERIES,
    "DataArray": xr.DataArray(GAPPY, {"time": DAYS}, ("time",), attrs={"units": "mm/d"}),
    "DataFrame": pd.DataFrame({"time": DAYS, "discharge": GAPPY}),
    "Dataset": xr.Dataset({"discharge": ("time", GAPPY)}, {"time": DAYS}),
}


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("forcing", [FORCING, ph.data.as_basin(FORCING)])
def test_each_kind_of_series(kind, forcing):
    basin = ph.join(forcing, KINDS[kind])
    np.testing.assert_array_equal(basin["discharge"], GAPPY)
    np.testing.assert_array_equal(basin["precipitation"], RAIN)
    assert ph.data.as_basin(basin, ("precipitation", "discharge")).equals(basin)


def test_dates_are_matched():
    longer = pd.Series(np.arange(60.0) / 40, pd.date_range("2000-02-10", periods=60))
    np.testing.assert_array_equal(ph.join(FORCING, longer)["discharge"], np.arange(10.0, 50) / 40)
    shorter = ph.join(FORCING, SERIES.iloc[10:20][::-1])["discharge"]
    np.testing.assert_array_equal(shorter[10:20], GAPPY[10:20])
    assert int(shorter.count()) == 10


def test_units_and_area():
    volume = SERIES * AREA / 86.4
    for flow, options in (
        (volume, {"units": "m3/s", "area": AREA}),
        (volume.to_xarray().rename(index="time").assign_attrs(units="m3/s"), {"area": AREA}),
        (volume / 0.028316846592, {"units": "cfs", "area": AREA}),
        (SERIES / 24, {"units": "mm/h"}),
    ):
        np.testing.assert_allclose(ph.join(FORCING, flow, **options)["discharge"], GAPPY)
    forcing = ph.data.as_basin(FORCING).assign_attrs(area_km2=AREA, source="rain")
    basin = ph.join(forcing, volume, units="m3/s")
    np.testing.assert_allclose(basin["discharge"], GAPPY)
    assert basin.attrs == {"area_km2": AREA, "source": "rain"}


def test_attributes_and_other_series_are_kept():
    forcing = ph.data.as_basin(FORCING).assign(wind_speed=("time", np.ones(40), {"units": "m/s"}))
    flow = KINDS["Dataset"].assign_attrs(gauge="7", source="archive", area_km2=3.0)
    basin = ph.join(forcing.assign_attrs(gauge="8", source="grid"), flow)
    assert basin.attrs == {"gauge": "8", "source": "grid; archive", "area_km2": 3.0}
    assert basin["wind_speed"].attrs["units"] == "m/s"


@pytest.mark.parametrize(
    ("flow", "options", "kind", "message"),
    [
        (FLOW, {}, TypeError, "found ndarray; a pandas.Series.values, dates. has them"),
        (SERIES, {"units": "m3/s"}, ValueError, "needs the basin's area; give area="),
        (SERIES, {"units": "furlong"}, ValueError, "unknown unit 'furlong'"),
        (KINDS["DataArray"], {"units": "m3/s"}, ValueError, "by its attribute"),
        (SERIES.fillna(-999), {}, ValueError, "code of missing ones"),
        (-SERIES, {}, ValueError, "negative"),
        (SERIES.set_axis(DAYS + pd.Timedelta(days=4000)), {}, ValueError, "do not overlap"),
        (SERIES.set_axis(np.arange(40)), {}, TypeError, "datetime64"),
        (
            pd.Series(1.0, pd.date_range(DAYS[0], periods=960, freq="h")),
            {},
            ValueError,
            "observations are 1 ?h apart",
        ),
        (pd.DataFrame({"Q": SERIES}), {}, KeyError, "no 'discharge' in the second record; found Q"),
    ],
)
def test_what_does_not_fit(flow, options, kind, message):
    with pytest.raises(kind, match=message):
        ph.join(FORCING, flow, **options)


def test_what_is_doubtful_or_there_already():
    with pytest.warns(UserWarning, match="times precipitation on average; look at units and area"):
        ph.join(FORCING, SERIES * 40)
    with pytest.raises(ValueError, match="has discharge already"):
        ph.join(FORCING.assign(discharge=FLOW), SERIES)
