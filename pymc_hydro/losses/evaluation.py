"""All scores of a simulation at once."""

from numpy.typing import ArrayLike

from pymc_hydro.data.means import Means
from pymc_hydro.losses.functions.flow_duration import SEGMENTS, segment_bias
from pymc_hydro.losses.functions.sums import mae, rmse
from pymc_hydro.losses.pairs import Pairs
from pymc_hydro.losses.table import SCORES

__all__ = ["evaluate", "percent_bias"]


def percent_bias(observed: ArrayLike, simulated: ArrayLike) -> float:
    """Return the bias of the volume in percent; positive if the simulation has more discharge.

    Parameters
    ----------
    observed : array_like, shape (n_time,)
        NaN where missing; missing observations are left out.
    simulated : array_like, shape (n_time,)

    Raises
    ------
    ValueError
        If the shapes differ, or the observations are all missing or all zero.
    """
    pairs = Pairs.of("percent_bias", observed, simulated)
    total = float(pairs.observed.sum())
    if total == 0:
        raise ValueError("percent_bias: all observed flows are zero")
    return 100 * (float(pairs.simulated.sum()) / total - 1)


def evaluate(observed: ArrayLike | Means, simulated: ArrayLike) -> dict[str, float]:
    """Return every score, the errors in mm/d and the biases in percent.

    Parameters
    ----------
    observed : array_like, shape (n_time,), in mm/d, or Means
        NaN where missing; missing observations are left out.
    simulated : array_like, shape (n_time,), in mm/d

    Returns
    -------
    dict of str to float
        The names of ``SCORES`` (one is perfect), ``rmse``, ``mae``, ``percent_bias`` and
        ``bias_<segment>`` of the flow-duration curve (zero is perfect). A score that is not defined
        is NaN, such as the bias of low flow in a river that is dry for a third of the time.

    Raises
    ------
    ValueError
        If the shapes differ or all observations are missing.
    """
    Pairs.of("evaluate", observed, simulated)
    functions = SCORES | {"rmse": rmse, "mae": mae, "percent_bias": percent_bias}
    result = {name: _defined(function, observed, simulated) for name, function in functions.items()}
    for segment in SEGMENTS:
        result[f"bias_{segment}"] = _defined(segment_bias, observed, simulated, segment=segment)
    return result


def _defined(function, *series, **options):
    try:
        return function(*series, **options)
    except ValueError:
        return float("nan")
