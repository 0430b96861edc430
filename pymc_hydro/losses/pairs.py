"""Pairs of observed and simulated flow, which all losses compare."""

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from pymc_hydro.data.checks.dates import date_text, interval_text
from pymc_hydro.data.means import Means, mean_pairs
from pymc_hydro.data.observations import (
    as_floats,
    check_observations,
    check_one_basin,
    dates_of_series,
    same_unit,
    series_unit,
)
from pymc_hydro.losses.mathematics import Series, Value, mathematics, take
from pymc_hydro.losses.transforms import (
    Transformation,
    refuse_negative,
    select_transform,
    transformed,
    with_offset,
)

__all__ = ["Pairs", "logarithm", "small_flow", "variation"]

FLOW_UNIT = "mm/d"

SMALL_FLOW = 0.01  # of the median of the positive observations


@dataclass(frozen=True)
class Pairs:
    """Observed and simulated values where there is an observation, transformed.

    Attributes
    ----------
    observed, simulated : array or TensorVariable, shape (n_observation,)
    positions : array, shape (n_observation,), or None
        Where on the time axis they are; None if the observations are a PyTensor variable.
    n_time : int or None
        Length of the time axis.
    """

    observed: Value
    simulated: Value
    positions: Any
    n_time: int | None

    @classmethod
    def of(
        cls,
        name: str,
        observed: Series | Means,
        simulated: Series,
        *,
        transform: Transformation = None,
        numbers_only: bool = False,
    ) -> "Pairs":
        """Return the pairs after checking them.

        Parameters
        ----------
        name : str
            Of the loss, for error messages.
        observed : array_like, shape (n_time,), or Means
            NaN where missing. A PyTensor variable is taken to be complete. The simulation, with
            dates, is averaged over the intervals of ``ph.means``.
        simulated : array_like or TensorVariable, shape (n_time,)
        transform : None, str or AbstractTransform
        numbers_only : bool
            Whether the loss needs to know the observations when the graph is built.

        Raises
        ------
        ValueError, TypeError
            If the shapes differ, nothing was observed, or a value is not allowed: a code of missing
            values, or a negative one beside a simulation that is nowhere negative, unless the
            attribute ``units`` says that neither is discharge.
        """
        transform = select_transform(transform)
        if isinstance(observed, Variable):
            if numbers_only:
                raise TypeError(
                    f"{name}: the observations must be numbers, not a PyTensor variable; what it "
                    "compares is found from them when the graph is built"
                )
            transform = with_offset(name, transform, observed)
            y = transformed(name, transform, observed)
            return cls(
                y, transformed(name, transform, pt.as_tensor_variable(simulated)), None, None
            )
        if isinstance(observed, Means):
            observed, simulated = mean_pairs(name, observed, simulated)
        check_one_basin(name, observed, simulated)
        _check_dates(name, observed, simulated)
        units = {series_unit(observed), series_unit(simulated)}
        if isinstance(simulated, Variable):
            observed = as_floats(observed, name)
        else:
            observed, simulated = same_unit(name, observed, simulated)
        _check_shapes(name, observed, simulated)
        # Both may be logarithms; if the simulation is nowhere negative, both are flow, unless their
        # unit is that of something else.
        flow = not isinstance(simulated, Variable) and not (simulated < 0).any()
        flow = flow and units <= {"", FLOW_UNIT}
        check_observations(name, observed, quantity="discharge" if flow else None)
        there = np.flatnonzero(np.isfinite(observed))
        transform = with_offset(name, transform, observed[there])
        y = transformed(name, transform, observed[there])
        q = transformed(name, transform, take(simulated, there))
        return cls(y, q, there, observed.size)

    @property
    def n(self) -> Any:
        """Number of pairs."""
        return self.simulated.shape[0]

    @property
    def math(self) -> ModuleType:
        """NumPy or PyTensor."""
        return mathematics(self.observed, self.simulated)

    @property
    def residual(self) -> Any:
        """Observed minus simulated."""
        return self.observed - self.simulated


def small_flow(name: str, observed: np.ndarray) -> float:
    """Return the offset of a logarithm of flow, in mm/d: 1 % of the median positive observation.

    Raises
    ------
    ValueError
        If no observed flow is positive, or one is negative.
    """
    refuse_negative(name, observed)
    positive = observed[observed > 0]
    if positive.size == 0:
        raise ValueError(f"{name}: no observed flow is positive, so that there are no logarithms")
    return SMALL_FLOW * float(np.median(positive))


def logarithm(name: str, flow: Any, offset: float) -> Any:
    """Return ``ln(flow + offset)`` of simulated flow.

    Raises
    ------
    ValueError
        If there is none in an array; in a graph the result is then NaN.
    """
    if mathematics(flow) is pt:
        return pt.log(flow + offset)
    bad = flow + offset <= 0
    if bad.any():
        raise ValueError(
            f"{name}: simulated flow is negative in {int(bad.sum())} intervals, {flow[bad][0]:g} "
            "among them, and has no logarithm"
        )
    return np.log(flow + offset)


def variation(name: str, observed: Any) -> Any:
    """Return the sum of squared deviations from the mean of the observations.

    Raises
    ------
    ValueError
        If they are constant.
    """
    if not isinstance(observed, Variable) and np.ptp(observed) == 0:
        raise ValueError(
            f"{name}: the observations are constant ({observed[0]:g}), so that a score relative to "
            "their variance is not defined; use ssr or sar"
        )
    deviation = observed - observed.mean()
    return (deviation * deviation).sum()


def _check_dates(name, observed, simulated):
    """Raise ValueError if both series have dates that differ: a loss does not match dates."""
    a = dates_of_series(f"{name}: the index of observed", observed)
    if isinstance(simulated, Variable):
        b = None if a is None else _dates_in_model(simulated)
    else:
        b = dates_of_series(f"{name}: the index of simulated", simulated)
    if a is None or b is None:
        return
    if not (a.size and b.size):
        raise ValueError(f"{name}: {'simulated' if a.size else 'observed'} is empty")
    if a.shape != b.shape:
        steps = [np.median(np.diff(labels)) for labels in (a, b) if labels.size > 1]
        fix = "leave the warm-up out of both: observed.sel(time=...)"
        if len(steps) == 2 and steps[0] != steps[1]:
            apart = " and ".join(map(interval_text, steps))
            fix = f"they are {apart} apart: take means of the shorter ones, .resample(...).mean()"
        raise ValueError(
            f"{name}: observed has {a.size} intervals from {date_text(a[0])} on and simulated "
            f"{b.size} from {date_text(b[0])} on; {fix}"
        )
    if (a != b).any():
        at = int((a != b).argmax())
        raise ValueError(
            f"{name}: observed and simulated have different dates, first {a[at]} and {b[at]}; "
            "align them first"
        )


def _dates_in_model(variable):
    """Return the dates of a simulation in the PyMC model in context; None if it is in none."""
    import pymc as pm  # losses of numbers do without it

    from pymc_hydro.losses.axis import axis_of, length_of

    model = pm.Model.get_context(error_if_none=False)
    if model is None or variable.type.ndim != 1:
        return None
    dates = axis_of(model, variable).dates
    if dates is None or dates.dtype.kind != "M":
        return None
    return dates if length_of(variable) == dates.size else None  # a part has its own dates


def _check_shapes(name, observed, simulated):
    if isinstance(simulated, Variable):
        fits = simulated.type.ndim == 1 and simulated.type.shape[0] in (None, observed.size)
        found = simulated.type.shape
    else:
        fits, found = simulated.shape == observed.shape, simulated.shape
    if observed.ndim != 1 or not fits:
        raise ValueError(
            f"{name}: observed has shape {observed.shape} and simulated {found}; they must be "
            "series of the same intervals, the warm-up left out of both"
        )
