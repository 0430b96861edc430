"""All losses and scores by name, and which way is better.

Losses are minimised, scores are maximised (one is perfect). ``SUMS_OF_SQUARES`` has the residuals
of every loss that is a sum of squares, and of every score that is one minus such a sum. The method
of Gauss and Newton minimises them.
"""

import functools
from collections.abc import Callable

from pymc_hydro.losses.functions.efficiency import (
    kge,
    kge_2012,
    kge_nonparametric,
    nse,
    nse_residuals,
    volume_bias,
)
from pymc_hydro.losses.functions.flow_duration import (
    fdc_energy,
    fdc_log_quantile,
    fdc_log_quantile_residuals,
    fdc_quantile,
    fdc_quantile_residuals,
    fdc_segments,
    fdc_skill,
)
from pymc_hydro.losses.functions.jkge import jkge
from pymc_hydro.losses.functions.recession import recession, recession_plot, recession_residuals
from pymc_hydro.losses.functions.robust import cauchy, huber, log_cosh, pseudo_huber, tukey
from pymc_hydro.losses.functions.sums import (
    gls,
    gls_residuals,
    mae,
    rmse,
    sar,
    ssr,
    ssr_residuals,
)

__all__ = ["LOSSES", "SCORES", "SUMS_OF_SQUARES", "find_loss", "find_residuals"]

# Minimised: zero is perfect.
LOSSES: dict[str, Callable] = {
    "ssr": ssr,
    "sar": sar,
    "gls": gls,
    "rmse": rmse,
    "mae": mae,
    "huber": huber,
    "pseudo_huber": pseudo_huber,
    "log_cosh": log_cosh,
    "tukey": tukey,
    "cauchy": cauchy,
    "fdc_energy": fdc_energy,
    "fdc_quantile": fdc_quantile,
    "fdc_log_quantile": fdc_log_quantile,
    "fdc_segments": fdc_segments,
    "recession": recession,
    "recession_plot": recession_plot,
    "volume_bias": volume_bias,
}

# Maximised: one is perfect.
SCORES: dict[str, Callable] = {
    "nse": nse,
    "nse_log": functools.partial(nse, transform="log"),
    "nse_sqrt": functools.partial(nse, transform="sqrt"),
    "nse_box_cox": functools.partial(nse, transform="box_cox"),
    "nse_inverse": functools.partial(nse, transform="inverse"),
    "kge": kge,
    "kge_2012": kge_2012,
    "kge_nonparametric": kge_nonparametric,
    "jkge": jkge,
    "fdc_skill": fdc_skill,
}

SUMS_OF_SQUARES: dict[Callable, Callable] = {
    ssr: ssr_residuals,
    gls: gls_residuals,
    nse: nse_residuals,
    fdc_quantile: fdc_quantile_residuals,
    fdc_log_quantile: fdc_log_quantile_residuals,
    recession: recession_residuals,
}


def find_loss(loss: str | Callable) -> tuple[Callable, float]:
    """Return a function of (observed, simulated), and the sign by which it is minimised.

    Parameters
    ----------
    loss : str or callable
        A name of ``LOSSES`` or ``SCORES``, one of their functions (also with options, as a
        ``functools.partial``), or a function of yours, which is minimised.

    Raises
    ------
    KeyError, TypeError
        If there is no such name, or `loss` is neither.
    """
    if isinstance(loss, str):
        if loss in SCORES:
            return SCORES[loss], -1.0
        if loss in LOSSES:
            return LOSSES[loss], 1.0
        known = ", ".join([*SCORES, *LOSSES])
        raise KeyError(f"unknown loss {loss!r}; known are {known}, or give a function of yours")
    if not callable(loss):
        raise TypeError(
            f"loss: expected a name or a function of (observed, simulated), found "
            f"{type(loss).__name__}"
        )
    scores = {_plain(score)[0] for score in SCORES.values()}
    return loss, -1.0 if _plain(loss)[0] in scores else 1.0


def find_residuals(loss: Callable) -> Callable | None:
    """Return the function of the residuals whose squares `loss` adds, or None."""
    plain, arguments, keywords = _plain(loss)
    if plain not in SUMS_OF_SQUARES:
        return None
    return functools.partial(SUMS_OF_SQUARES[plain], *arguments, **keywords)


def _plain(loss: Callable) -> tuple[Callable, tuple, dict]:
    if isinstance(loss, functools.partial):
        return loss.func, loss.args, loss.keywords
    return loss, (), {}
