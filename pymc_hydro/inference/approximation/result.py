"""A normal approximation of a posterior: draws of it, and starts and a metric for NUTS."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import xarray as xr
from pymc.step_methods.hmc.quadpotential import QuadPotentialFullAdapt

from pymc_hydro.core.base.warning import renamed_arguments
from pymc_hydro.inference.approximation.coordinates import as_dataset, compile_values, entries
from pymc_hydro.inference.approximation.curvature import curvature_of_priors
from pymc_hydro.inference.approximation.unidentified import pairs_in_words, unknowns_in_words

__all__ = ["LaplaceApproximation"]

# Of the metric's adaptation: draws that the approximation counts for; those of the first window,
# after which only draws count (the next one is twice as long).
FIRST_WEIGHT, FIRST_WINDOW = 10, 50
STEP, FAR = 1e-4, 10.0  # of unconstrained parameters, whose scale is one


@dataclass(frozen=True)
class LaplaceApproximation:
    """A normal distribution of the unconstrained parameters.

    Attributes
    ----------
    mode : dict of str to float or array
        Parameters in natural units at the highest mode of the unconstrained density, which is not
        that of the density in natural units (``pm.find_MAP``). Vectors are arrays.
    mean : array, shape (n,)
        The same, unconstrained.
    covariance : DataArray, shape (n, n)
        Inverse of the curvature (see ``ph.fit_laplace``), unconstrained. Entries of vectors are
        labelled as in ``K_s[wet]``.
    converged : bool
        Whether the search ended at a mode.
    modes : DataFrame
        A row for each mode that was found, the best first: its log-probability in unconstrained
        parameters (`log_posterior`), how much lower that is (`gap`), whether it is a mode
        (`converged`), how many searches ended there (`searches`), and the parameters in natural
        units.
    model : pm.Model
    logp_dlogp : callable
        The log-probability and its gradient, compiled; NUTS takes it over.
    """

    mode: dict
    mean: np.ndarray
    covariance: xr.DataArray
    converged: bool
    modes: pd.DataFrame
    model: pm.Model
    logp_dlogp: Callable = field(repr=False, compare=False)

    @property
    def unidentified(self) -> list[str]:
        """Parameters that the observations hardly tell apart or say nothing about, in words.

        Pairs with a correlation beyond 0.95, and their product, quotient, sum or difference that is
        known in spite of it; parameters, or a direction, in which nine tenths of the precision are
        those of the prior.
        """
        names = self.covariance["parameter"].values.tolist()
        pairs = pairs_in_words(names, self.covariance.values, *self.natural())
        prior = curvature_of_priors(self.model, self.mean)
        return pairs + unknowns_in_words(names, self.covariance.values, prior)

    def natural(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the mode in natural units, derivatives, and which parameters are positive.

        Returns
        -------
        tuple of array, shapes (n,), (n, n) and (n,)
            The derivatives are those by the unconstrained parameters. NaN where a variable has
            another number of unconstrained entries, such as a simplex.
        """
        values, n = compile_values(self.model), self.mean.size

        def at(z: np.ndarray) -> np.ndarray:
            found = np.array(list(entries(self.model, values(z)).values()))
            return found if found.size == n else np.full(n, np.nan)

        steps = np.eye(n)
        slope = [(at(self.mean + STEP * d) - at(self.mean - STEP * d)) / (2 * STEP) for d in steps]
        away = [at(self.mean + far * d) for far in (-FAR, FAR) for d in steps]
        return at(self.mean), np.stack(slope, axis=1), (np.stack(away) > 0).all(axis=0)

    @renamed_arguments(seed="random_seed")
    def sample(self, draws: int = 1000, random_seed: int | None = None) -> xr.Dataset:
        """Draw parameters in natural units.

        Parameters
        ----------
        draws : int
        random_seed : int, optional

        Returns
        -------
        Dataset
            On (chain, draw) and the dims of each variable, for ``ph.predict`` and ArviZ.
        """
        rng = np.random.default_rng(random_seed)
        z = rng.multivariate_normal(self.mean, self.covariance.values, draws)
        values = compile_values(self.model)
        drawn = [values(row) for row in z]
        arrays = {name: np.array([draw[name] for draw in drawn])[None] for name in drawn[0]}
        return as_dataset(self.model, arrays, ("chain", "draw"))

    @renamed_arguments(seed="random_seed")
    def nuts(
        self,
        chains: int = 4,
        random_seed: int | None = None,
        **options: Any,
    ) -> dict:
        """Return arguments for ``pm.sample``: PyMC's NUTS with this covariance as first metric.

        The chains start at draws of the approximation, and tuning adapts the whole matrix, so that
        a few hundred steps of it suffice.

        Parameters
        ----------
        chains : int
        random_seed : int, optional
            For the starts.
        **options
            As of ``pm.NUTS``.

        Returns
        -------
        dict
            ``step``, ``initvals`` and ``chains``.

        Examples
        --------
        >>> import pymc as pm, pymc_hydro as ph
        >>> model, basin = ph.Hymod(snow=False), ph.load_basin("leaf_river")
        >>> with ph.build_model(model, basin) as pymc_model:  # doctest: +SKIP
        ...     idata = pm.sample(tune=200, **ph.fit_laplace().nuts())
        """
        starts = self.sample(chains, random_seed)
        free = [rv.name for rv in self.model.free_RVs]
        with self.model:
            options = {"logp_dlogp_func": self.logp_dlogp, **options}
            step = pm.NUTS(potential=self._metric(), **options)
        initvals = [{n: starts[n].values[0, i] for n in free} for i in range(chains)]
        return {"step": step, "initvals": initvals, "chains": chains}

    def _metric(self) -> QuadPotentialFullAdapt:
        """Return a dense metric that begins with the covariance and is adapted while tuning."""
        with warnings.catch_warnings():  # that it is experimental
            warnings.simplefilter("ignore", UserWarning)
            return QuadPotentialFullAdapt(
                self.mean.size,
                self.mean,
                self.covariance.values,
                FIRST_WEIGHT,
                adaptation_window=FIRST_WINDOW,
            )
