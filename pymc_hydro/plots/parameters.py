"""Pairs of parameters, through ArviZ."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pymc_hydro.plots.series import COLORS, math_name

__all__ = ["plot_parameters"]


def plot_parameters(
    idata: Any,
    *,
    var_names: Sequence[str] | None = None,
    units: Mapping[str, str] | None = None,
    **options: Any,
) -> Any:
    """Plot the posterior of each pair of parameters, with divergent transitions marked.

    Parameters
    ----------
    idata : DataTree or InferenceData
        From ``pm.sample``.
    var_names : sequence of str, optional
        Which; all one-number parameters where not given.
    units : mapping of parameter to unit, optional
        For the labels, such as ``{p.name: p.unit for p in model.parameters}``.
    **options
        Passed on to ``arviz.plot_pair``.

    Returns
    -------
    The result of ``arviz.plot_pair``: a PlotCollection, or axes with ArviZ below 1.

    Raises
    ------
    ValueError
        If there are fewer than two parameters.
    """
    import arviz as az

    posterior = idata["posterior"]
    if var_names is None:
        var_names = [n for n in posterior.data_vars if set(posterior[n].dims) == {"chain", "draw"}]
    if len(var_names) < 2:
        raise ValueError(f"plot_parameters: needs at least two parameters, found {list(var_names)}")
    size = 2.2 * len(var_names) + 1
    room = {"plot.max_subplots": len(var_names) ** 2}  # ArviZ draws 40 if it is not asked for more
    if not hasattr(az, "plot_posterior"):  # ArviZ 1
        visuals = {"scatter": {"alpha": 0.3}, "divergence": {"color": COLORS["simulated"]}}
        drawn = {"figure_kwargs": {"figsize": (size, size)}, "visuals": visuals}
        with az.rc_context(room):
            drawn = az.plot_pair(idata, var_names=list(var_names), **(drawn | options))
        figure = drawn.viz["figure"].item()
        if hasattr(figure, "set_layout_engine"):  # matplotlib's
            _finish(figure, units or {})
        return drawn
    drawn = {"figsize": (size, size), "marginals": True, "divergences": True, "textsize": 10}
    with az.rc_context(room):
        axes = az.plot_pair(idata, var_names=list(var_names), **(drawn | options))
    _finish(np.ravel(axes)[0].figure, units or {})
    return axes


def _finish(figure, units):
    """Give the labels their units, and room: else they cover the neighbours."""
    figure.set_layout_engine("constrained")
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            name = axis.get_label_text()
            if name in units:
                axis.set_label_text(f"{math_name(name)} ({units[name]})")
