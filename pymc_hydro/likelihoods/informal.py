"""Terms that are no likelihoods: scores and limits turned into weights of parameters.

They add to the log-probability without being densities of the data. The result is a
distribution of weights, whose width the user has chosen: it has no coverage to be checked, no
pointwise log-likelihood and no predictive draws.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from pymc_hydro.likelihoods.errors.observations import observe
from pymc_hydro.losses.axis import UNCOMPILED

__all__ = ["LimitsOfAcceptability", "PseudoLikelihood"]


def PseudoLikelihood(
    name: str, simulated: Any, *, observed: Any, loss: Callable, temperature: Any
) -> Any:
    """Add ``-loss / temperature`` to the log-probability: a pseudo-likelihood, no density.

    Parameters
    ----------
    name : str
    simulated : TensorVariable, shape (n_time,), in mm/d
    observed : DataArray or Series on time, or array_like, shape (n_time,), in mm/d
        NaN where missing.
    loss : callable
        Of observed and simulated flow at the observations; smaller is better. From a score such as
        ``ph.losses.nse``: ``lambda y, q: -ph.losses.nse(y, q)``.
    temperature : float
        In the unit of the loss: a loss larger by this divides the weight by 2.718. The
        parameters' spread grows with its square root; it is a choice, not an estimate.

    Returns
    -------
    TensorVariable
        The potential.

    Raises
    ------
    ValueError
        If the temperature is not positive, or the observations do not fit.

    Examples
    --------
    >>> import pymc as pm, pymc_hydro as ph
    >>> model, basin = ph.Hymod(snow=False), ph.load_basin("leaf_river")
    >>> with pm.Model():  # doctest: +SKIP
    ...     q = ph.discharge(model, ph.priors(model), basin)
    ...     ph.likelihoods.PseudoLikelihood(
    ...         "fit",
    ...         q,
    ...         observed=basin["discharge"],
    ...         loss=lambda y, q: -ph.losses.kge(y, q),
    ...         temperature=0.01,
    ...     )

    References
    ----------
    Beven, K., Binley, A. (1992). Hydrol. Process. 6, 279-298. doi:10.1002/hyp.3360060305
    Bissiri, P. G., et al. (2016). J. R. Stat. Soc. B 78, 1103-1130. doi:10.1111/rssb.12158
    """
    if not isinstance(temperature, pt.TensorVariable) and not temperature > 0:
        raise ValueError(f"{name}: temperature must be greater than 0, found {temperature}")
    seen = observe(name, simulated, observed)
    return pm.Potential(name, -loss(seen.data, seen.at) / temperature)


def LimitsOfAcceptability(
    name: str, simulated: Any, *, observed: Any, tolerance: Any, width: float
) -> Any:
    """Prefer simulations within limits around each observation: no density.

    Adds the logarithms of two logistic functions for each observation, one for each limit. Within
    the limits they are near zero, beyond them they fall with slope ``1 / width``; the count of
    observations within limits, made differentiable.

    Parameters
    ----------
    name : str
    simulated : TensorVariable, shape (n_time,), in mm/d
    observed : DataArray or Series on time, or array_like, shape (n_time,), in mm/d
        NaN where missing.
    tolerance : float or callable
        Half the distance between the limits, in mm/d, or a function of the observations (an
        array) that returns it, such as ``lambda y: np.maximum(0.1, 0.2 * y)``.
    width : float
        Of the transition at a limit, in units of the tolerance; 0.1 is nearly a box.

    Returns
    -------
    TensorVariable
        The potential.

    Raises
    ------
    ValueError
        If tolerance or width are not positive, or the observations do not fit.

    References
    ----------
    Beven, K. (2006). J. Hydrol. 320, 18-36. doi:10.1016/j.jhydrol.2005.07.007
    Vrugt, J. A., Beven, K. J. (2018). J. Hydrol. 559, 954-971. doi:10.1016/j.jhydrol.2018.02.026
    """
    if not width > 0:
        raise ValueError(f"{name}: width must be greater than 0, found {width}")

    def half(position, y):
        found = tolerance(y) if callable(tolerance) else tolerance
        found = found.eval(mode=UNCOMPILED) if isinstance(found, Variable) else found
        found = np.broadcast_to(np.asarray(found, dtype=float), y.shape)
        if not (found > 0).all():
            raise ValueError(f"{name}: the tolerance must be greater than 0 everywhere")
        return found[:, None]

    seen = observe(name, simulated, observed, previous=half)
    distance = (seen.data - seen.at) / seen.previous[:, 0]
    beyond = pt.softplus((-1 - distance) / width) + pt.softplus((distance - 1) / width)
    return pm.Potential(name, -beyond.sum())
