"""Parameters from attributes: a mapping is fitted to all basins, and tried on other ones."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pymc_hydro.calibration.basins.losses import BasinLosses, define_losses
from pymc_hydro.calibration.periods import Period
from pymc_hydro.calibration.search.parallel import counting_bar
from pymc_hydro.calibration.space import SearchSpace, define_space
from pymc_hydro.core.base.dims import PARAMETER
from pymc_hydro.core.base.names import check_arguments
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.records import BASIN
from pymc_hydro.data.schema import Warmup
from pymc_hydro.engine.problem import SOLVER_SETTINGS
from pymc_hydro.models.listing import as_model
from pymc_hydro.regionalization.attributes import Scale, attribute_table
from pymc_hydro.regionalization.factors import ErrorFactors
from pymc_hydro.regionalization.fit import COMBINATIONS, Fit, search_weights
from pymc_hydro.regionalization.mapping import define_mapping
from pymc_hydro.regionalization.result import Regionalization

__all__ = ["regionalize"]

PENALTIES = (3e-3, 1e-3, 3e-4)


def regionalize(
    model: AbstractModel | str,
    basins: Mapping[Hashable, Any] | xr.Dataset,
    attributes: pd.DataFrame | xr.Dataset | None = None,
    loss: str | Callable = "nse",
    mapping: str | Callable = "linear",
    penalty: float | Sequence[float] = PENALTIES,
    folds: int | Sequence | pd.Series | None = 5,
    *,
    period: Period | None = None,
    validation: Period | None = None,
    warmup: Warmup = 365,
    bounds: Mapping | None = None,
    fixed: Mapping | None = None,
    loss_options: Mapping | None = None,
    combine: str = "bounded",
    random_seed: int | None = None,
    executor: Executor | None = None,
    threads: int | None = None,
    progressbar: bool = True,
    **solver_settings: Any,
) -> Regionalization:
    """Fit one mapping from attributes to parameters to the discharge of all basins together.

    The mapping then gives parameters to basins without a gauge. What it is worth there is
    measured: each fold of the basins is predicted by a fit to the others, which also chooses
    the penalty.

    Parameters
    ----------
    model : AbstractModel or str
    basins : mapping of name to record, or to a function that returns it, or Dataset on ``basin``
        With discharge. One record that does not fit is an error that names its basin.
    attributes : DataFrame or Dataset, optional
        Numbers, with a row for each basin or on ``basin``; not given, the variables of the Dataset
        `basins` that are on ``basin`` alone. Skewed ones fit better as logarithms.
    loss : str or callable
        As in ``ph.calibrate``: a score or a loss of (observed, simulated) discharge.
    mapping : {"linear", "mlp", "gp"} or callable
        From scaled attributes to the logits of the parameters' positions between their bounds
        (logarithmic axes where bounds differ by a factor of 100): linear; the same and one layer
        of eight nodes beside it; the same and a Gaussian process beside it, with a squared
        exponential kernel; or linear in the features (n_basin, n_feature) that a function of yours
        makes of scaled attributes.
    penalty : float or sequence of float
        Of the sum of squares of all weights but the intercept, beside a mean loss of about one
        half. The best of several by the median of held-out basins is taken.
    folds : int, or sequence or Series of labels, optional
        Number of random folds; or the label of the fold of each basin, such as its region; None for
        no cross-validation, and one penalty.
    period, validation : pair of dates, optional
        Scored periods: basins are fitted in the first, and basins that were held out are scored in
        both. Both need a warm-up before them.
    warmup, bounds, fixed, loss_options
        As in ``ph.calibrate``. Bounds not given are those of searches; the bounds of a prior that a
        parameter declares have no part in a fit, in which the penalty is the only prior.
    combine : {"bounded", "mean"}
        What is minimised is the mean over basins of ``2 x / (1 + x)``, where x is the loss, or one
        minus the score: with "bounded" a basin that no parameters can fit does not spoil the fit
        of the others; or of x itself with "mean".
    random_seed : int, optional
        Of the folds, and of the first weights of a network.
    executor : concurrent.futures.Executor, optional
        Where the fits of the folds are done; not given, one after another in this process.
    threads : int, optional
        Over which basins are spread within a fit; as many as the machine has cores if not given.
        One with an executor.
    progressbar : bool
    **solver_settings
        As in ``ph.simulate``.

    Returns
    -------
    Regionalization
        ``.parameters(attributes)``, ``.predict(basins, attributes)``, ``.save(path)``.

    Raises
    ------
    KeyError, TypeError, ValueError
        If an argument, a record or an attribute does not fit.

    Notes
    -----
    A fit takes some fifteen evaluations of all basins: steps of Gauss and Newton, with the
    curvature of each basin's loss by its own parameters. Memory grows with the square of the number
    of weights, which is large for "gp" with more than some 300 basins.

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> fit = ph.regionalize(  # doctest: +SKIP
    ...     ph.Hymod(),
    ...     basins,
    ...     attributes,
    ...     period=("1981-10-01", "1990-09-30"),
    ...     validation=("1990-10-01", "2000-09-30"),
    ... )
    >>> fit.table["held_out_validation_score"].median()  # doctest: +SKIP
    >>> fit.parameters(attributes_elsewhere)  # doctest: +SKIP
    """
    check_arguments("regionalize", solver_settings, SOLVER_SETTINGS)
    model = as_model(model)
    penalties = _check_penalties(penalty, folds)
    if isinstance(loss, Mapping):
        raise TypeError("regionalize: expected one loss of discharge, found several outputs")
    if combine not in COMBINATIONS:
        raise KeyError(
            f"regionalize: unknown combine {combine!r}; known are {', '.join(COMBINATIONS)}"
        )
    if attributes is None:
        attributes = basins
    space = define_space(model, bounds or {}, fixed or {}, "unconstrained", "regionalize")
    settings = {
        "warmup": warmup,
        "loss_options": loss_options,
        "threads": threads if executor is None else 1,
        "free": [space.names[i] for i in space.free],
        **solver_settings,
    }
    losses = define_losses(model, basins, loss, period=period, **settings)
    # Folds are found before the fits: a label that does not fit costs no time.
    table = attribute_table(attributes, losses.names)
    labels = None if folds is None else _labels(folds, losses.names, random_seed)
    later = None
    if validation is not None:
        later = define_losses(model, basins, loss, period=validation, **settings)
    start = space.coordinates(space.positions(np.clip(model.default, space.lower, space.upper)))
    work = _Work(space, mapping, penalties, combine, start, random_seed)
    cross = None
    if labels is not None:
        cross = _validate(work, losses, later, table, labels, executor, progressbar)
        work = _Work(space, mapping, cross.until_best(), combine, start, random_seed)
    fit = work(losses, table)[-1]
    theta = fit.parameters(table)
    found = {
        "parameters": ((BASIN, PARAMETER), theta),
        "score": (BASIN, losses.sign * losses(theta)[0]),
    }
    coords = {BASIN: losses.names, PARAMETER: list(model.parameter_names)}
    by_penalty = xr.Dataset(coords={"penalty": list(penalties)})
    if cross is not None:
        found |= cross.columns()
        by_penalty = cross.by_penalty()
    described = {
        "loss": losses.records[0].goal.name,
        "mapping": mapping if isinstance(mapping, str) else getattr(mapping, "__name__", "own"),
        "penalty": work.penalties[-1],
        "combine": combine,
        "evaluations": fit.evaluations,
        "period": _text(period),
        "validation": _text(validation),
    }
    factors = None if cross is None else cross.factors
    return Regionalization(model, fit, xr.Dataset(found, coords), by_penalty, factors, described)


@dataclass(frozen=True)
class _Work:
    """Fits with penalties that fall, each from the weights of the one before."""

    space: SearchSpace
    mapping: str | Callable
    penalties: tuple[float, ...]
    combine: str
    start: np.ndarray
    random_seed: int | None

    def __call__(self, losses: BasinLosses, table: pd.DataFrame) -> list[Fit]:
        scale = Scale.of(table)
        mapping = define_mapping(self.mapping, scale(table), len(self.space.free))
        first = mapping.start(np.random.default_rng(self.random_seed))
        weights = np.concatenate([self.start, *(np.ravel(w) for w in first.values())])
        fits: list[Fit] = []
        for penalty in self.penalties:
            found = search_weights(
                losses, table, mapping, scale, self.space, weights,
                penalty=penalty, combine=self.combine,
            )  # fmt: skip
            weights = found.weights
            fits.append(found)
        return fits


@dataclass
class _CrossValidation:
    """Parameters and scores of basins that were held out, by penalty, in both periods."""

    penalties: tuple[float, ...]
    sign: float
    labels: np.ndarray
    theta: np.ndarray  # (n_penalty, n_basin, n_parameter)
    scores: np.ndarray  # (n_penalty, n_basin)
    evaluations: np.ndarray  # (n_penalty,)
    later: np.ndarray | None = None  # (n_basin,), of the best penalty
    factors: ErrorFactors | None = None

    @property
    def best(self) -> int:
        """Position of the best penalty: by the median, which no single basin spoils."""
        return int(np.argmin(self.sign * np.nanmedian(self.scores, axis=1)))

    def until_best(self) -> tuple[float, ...]:
        """Return the penalties on the way to the best one."""
        return self.penalties[: self.best + 1]

    def columns(self) -> dict:
        """Return what the table of basins holds of it."""
        found = {
            "fold": (BASIN, self.labels),
            "held_out_parameters": ((BASIN, PARAMETER), self.theta[self.best]),
            "held_out_score": (BASIN, self.scores[self.best]),
        }
        if self.later is not None:
            found["held_out_validation_score"] = (BASIN, self.later)
        return found

    def by_penalty(self) -> xr.Dataset:
        """Return the table of penalties."""
        return xr.Dataset(
            {
                "median_score": ("penalty", np.nanmedian(self.scores, axis=1)),
                "mean_score": ("penalty", np.nanmean(self.scores, axis=1)),
                "evaluations": ("penalty", self.evaluations),
            },
            {"penalty": list(self.penalties)},
        )


def _validate(work, losses, later, table, labels, executor, progressbar) -> _CrossValidation:
    """Return the cross-validation over basins."""
    n, kinds = len(table), pd.unique(labels)
    shape = len(work.penalties), n
    cross = _CrossValidation(
        work.penalties,
        losses.sign,
        labels,
        np.full((*shape, len(work.space.names)), np.nan),
        np.full(shape, np.nan),
        np.zeros(shape[0], dtype=int),
    )
    others = {label: np.flatnonzero(labels != label) for label in kinds}
    parts = {label: (losses.select(o), table.iloc[o]) for label, o in others.items()}
    futures = {}
    if executor is not None:
        futures = {label: executor.submit(work, *part) for label, part in parts.items()}
    with counting_bar("folds", progressbar) as show:
        for done, label in enumerate(kinds):
            show(done, len(kinds), "")
            fits = futures[label].result() if futures else work(*parts[label])
            held = np.flatnonzero(labels == label)
            some = losses.select(held)
            for k, fit in enumerate(fits):
                theta = fit.parameters(table.iloc[held])
                cross.theta[k, held] = theta
                cross.scores[k, held] = losses.sign * some(theta)[0]
                cross.evaluations[k] += fit.evaluations
    theta = cross.theta[cross.best]
    if later is not None:
        cross.later = later.sign * later(theta)[0]
    cross.factors = _error_factors(losses, theta)
    return cross


def _error_factors(losses, theta) -> ErrorFactors:
    """Return the factors between observed and simulated flow in the scored period."""
    observed, simulated = [], []
    for record, row in zip(losses.records, theta, strict=True):
        run = losses.problem.run(row, record.forcing, losses.initial_state)
        if run.status == 0:
            observed.append(record.scored["discharge"].values)
            simulated.append(run.values[record.warmup :, 0])
    return ErrorFactors.of(observed, simulated)


def _text(period: Period | None) -> list[str] | None:
    if isinstance(period, slice):
        period = [period.start, period.stop]
    return None if period is None else [str(date) for date in period]


def _check_penalties(penalty, folds) -> tuple[float, ...]:
    """Return penalties, the largest first."""
    found = sorted({float(p) for p in np.atleast_1d(penalty)}, reverse=True)
    if not found or not np.isfinite(found).all() or found[-1] < 0:
        raise ValueError(f"regionalize: penalty must be positive numbers, found {penalty!r}")
    if folds is None and len(found) > 1:
        raise ValueError(
            f"regionalize: without folds one penalty is needed, found {len(found)}: {penalty!r}"
        )
    return tuple(found)


def _labels(folds, names, random_seed) -> np.ndarray:
    """Return the label of the fold of each basin."""
    if isinstance(folds, (int, np.integer)):
        if not 2 <= folds <= len(names):
            raise ValueError(
                f"regionalize: folds must be from 2 to the number of basins, {len(names)}; found "
                f"{folds}"
            )
        return np.random.default_rng(random_seed).permutation(len(names)) % folds
    if isinstance(folds, pd.Series):
        missing = [name for name in names if name not in folds.index]
        if missing:
            raise KeyError(f"regionalize: folds lack {len(missing)} basins, {missing[0]!r} first")
        folds = folds.loc[names]
    labels = np.asarray(folds)
    if labels.shape != (len(names),):
        raise ValueError(
            f"regionalize: folds must have a label for each of {len(names)} basins, found shape "
            f"{labels.shape}"
        )
    if len(pd.unique(labels)) < 2:
        raise ValueError("regionalize: folds have one label, so that no basins are left to fit")
    return labels
