"""Warnings point at the line of the user, and a doubt about a record is shown once."""

import warnings

import pytest

import pymc_hydro as ph


@pytest.mark.kernels
@pytest.mark.parametrize(("filters", "count"), [("default", 1), ("always", 2)])
def test_a_doubt_is_shown_once_at_the_line_of_the_user(filters, count):
    record = ph.load_basin("fulda").isel(time=slice(0, 600)).copy(deep=True)
    record["temperature"][100:160] = 3.0 + (filters == "always")
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter(filters)
        for _ in range(2):
            ph.data.as_basin(record)
    assert [w.filename for w in found] == count * [__file__]
    with pytest.warns(FutureWarning, match="ph.losses.residuals_of is now called") as found:
        ph.losses.residuals_of  # noqa: B018
    assert found[0].filename == __file__
