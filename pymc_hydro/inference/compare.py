"""Several model structures on the same record, compared by cross-validation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pymc as pm
import xarray as xr

from pymc_hydro.core.base.warning import renamed_arguments, warn_user
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.inference.build import build_model
from pymc_hydro.models.listing import as_model

__all__ = ["Comparison", "compare", "compute_log_likelihood"]


@dataclass(frozen=True)
class Comparison:
    """The result of :func:`compare`.

    Attributes
    ----------
    table : DataFrame
        The table of ``az.compare``, best structure first: expected log predictive density by
        leave-one-out, its differences, and the stacking ``weight``.
    idata : dict of str to DataTree or InferenceData
        Posterior and pointwise log-likelihood of each structure.
    pymc_models : dict of str to pm.Model
    """

    table: pd.DataFrame
    idata: dict
    pymc_models: dict


@renamed_arguments(pymc_model="model")
def compute_log_likelihood(idata: Any, model: pm.Model | None = None) -> Any:
    """Call ``pm.compute_log_likelihood``; use that (deprecated).

    Parameters
    ----------
    idata : DataTree or InferenceData
    model : pm.Model, optional
        The model in context if not given.

    Returns
    -------
    DataTree or InferenceData
        `idata`, with the group ``log_likelihood`` on (chain, draw, <likelihood>_time).
    """
    warn_user(
        "ph.compute_log_likelihood is pm.compute_log_likelihood, which now takes models with "
        "ph.priors; call that",
        FutureWarning,
    )
    return pm.compute_log_likelihood(idata, model=model, progressbar=False)


def compare(
    models: Mapping[str, AbstractModel | str] | Sequence[AbstractModel | str],
    basin: xr.Dataset | pd.DataFrame,
    *,
    sample: Mapping | Callable[[], Mapping] | None = None,
    **options: Any,
) -> Comparison:
    """Sample several structures on one record, and weigh them by stacking.

    The weights define the mixture of predictive distributions that predicts left-out observations
    best. With ``ar`` an observation is predicted from the observations before it: predictions one
    step ahead are compared.

    Parameters
    ----------
    models : sequence of AbstractModel or str, or mapping of label to AbstractModel or str
        A name stands for the model with default options. Labels are class names where not given.
    basin : Dataset or DataFrame
    sample : mapping or callable, optional
        Arguments of ``pm.sample``, or a function that returns such arguments for the model in
        context, such as ``lambda: ph.fit_laplace(random_seed=1).nuts()``.
    **options
        Of :func:`pymc_hydro.build_model`, the same for all: likelihood, ar, warmup, ...

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        If there are fewer than two structures, two have the same label, or the likelihood has no
        terms to leave out.

    References
    ----------
    Vehtari, A., et al. (2017). Stat. Comput. 27, 1413-1432. doi:10.1007/s11222-016-9696-4
    Yao, Y., et al. (2018). Bayesian Anal. 13, 917-1003. doi:10.1214/17-BA1091
    """
    import arviz as az  # here: slow to import

    if not isinstance(models, Mapping):
        models = [as_model(m) for m in models]
        labels = [type(m).__name__ for m in models]
        if len(set(labels)) < len(labels):
            raise ValueError(
                f"compare: labels {', '.join(labels)} are not unique; give a mapping of label to "
                "model"
            )
        models = dict(zip(labels, models, strict=True))
    if len(models) < 2:
        raise ValueError(f"compare: expected two structures or more, found {len(models)}")
    if options.get("likelihood") == "whittle":
        raise ValueError(
            "compare: Whittle's likelihood is one term for the whole record; leaving one "
            "observation out needs a likelihood of each"
        )
    idata, pymc_models = {}, {}
    for label, model in models.items():
        with build_model(model, basin, **options) as pymc_models[label]:
            idata[label] = pm.sample(**(sample() if callable(sample) else sample or {}))
            pm.compute_log_likelihood(idata[label], progressbar=False)
    return Comparison(az.compare(idata), idata, pymc_models)
