"""Checks for authors of models, who want to know whether it works and its gradients are right."""

import numpy as np

from pymc_hydro.core.base.warning import renamed_arguments
from pymc_hydro.core.maps import AbstractMap
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.schema import interval_length
from pymc_hydro.engine.errors import IntegrationError
from pymc_hydro.integrators import BOGACKI_SHAMPINE, TR_BDF2
from pymc_hydro.models.listing import as_model
from pymc_hydro.testing import backwards, checks, maps
from pymc_hydro.testing.checks import Finding
from pymc_hydro.testing.weather import weathers

__all__ = ["Finding", "check_model"]

SHORT = 8  # intervals, of the checks in plain Python


@renamed_arguments(seed="random_seed")
def check_model(
    model: AbstractModel | type[AbstractModel] | str, draws: int = 10, random_seed: int = 0
) -> list[Finding]:
    """Run the gradient ladder on a model and name the failures in words.

    Random parameters within the bounds, corners included, in five kinds of weather (rain-fed,
    snow-fed, hourly, dry, storms of 300 mm/d): J and B against complex step; piecewise expressions
    against their declared continuity; fixed-step sensitivities against complex step of an
    independent integrator; the adaptive run's against differences with its own steps; the sweep
    back in time against the columns, its gradients by the forcing, and by parameters that change in
    time, against complex step; discharge
    against SciPy's ``solve_ivp``; the water balance; and the Jacobian at the default tolerance.
    Takes about a minute, most of it for compiling. Of a model in discrete time, in weather of its
    interval: values, sensitivities, and the sweep against complex step of the law; continuity; and
    the water balance.

    Parameters
    ----------
    model : AbstractModel, its class or its name
    draws : int
        Parameter vectors for the cheap checks; checks that run plain Python take fewer.
    random_seed : int

    Returns
    -------
    list of Finding
        The largest error of each check, in units of its limit.

    Raises
    ------
    AssertionError
        If a check fails or an integration does; lists all findings.

    Examples
    --------
    >>> import pymc_hydro as ph
    >>> findings = ph.testing.check_model(ph.Hymod, draws=2)
    >>> all(finding.error <= 1 for finding in findings)
    True
    """
    model = model() if isinstance(model, type) else as_model(model)
    rng = np.random.default_rng(random_seed)
    found: dict[str, Finding] = {}
    failures = []

    def note(finding: Finding | None, weather: str = "") -> None:
        if finding is None:
            return
        kind = finding.check.translate({ord(c): None for c in "0123456789"})
        if kind not in found or finding.error > found[kind].error:
            where = ", ".join(part for part in (finding.where, weather) if part)
            found[kind] = Finding(finding.check, finding.error, where)

    thetas = [*checks.draw_parameters(model, rng, draws), *checks.corners(model, rng, draws // 3)]
    rungs = _map_rungs if isinstance(model, AbstractMap) else _rungs
    if not isinstance(model, AbstractMap):
        for theta in (*thetas, *checks.draw_parameters(model, rng, 10 * draws)):
            note(checks.rates_and_jacobians(model, theta, rng))
    note(checks.continuity(model, rng))
    for name, weather in weathers().items():
        if isinstance(model, AbstractMap) and not model.fits(interval_length(weather)):
            continue
        for i, theta in enumerate(thetas):
            try:
                for finding in rungs(model, theta, weather, i < max(draws // 5, 1), i == 0):
                    note(finding, name)
            except IntegrationError as error:
                failures.append(f"FAILS: {error} (weather: {name})")
    report = [*failures, *map(str, found.values())]
    if any("FAILS" in line for line in report):
        raise AssertionError("\n".join([f"{type(model).__name__}: the checks found", *report]))
    return list(found.values())


def _rungs(model, theta, weather, few, first):
    """Yield the findings on an integrated model; those that take long for few, or for the first."""
    short = weather.isel(time=slice(0, SHORT))
    yield checks.water_balance(model, theta, weather)
    yield checks.jacobian_at_default_tolerance(model, theta, weather)
    if few:
        for method in (BOGACKI_SHAMPINE, TR_BDF2):
            yield checks.fixed_step_sensitivities(model, theta, short, method)
        yield checks.discharge_against_scipy(model, theta, short)
    if first:
        yield checks.adaptive_sensitivities(model, theta, short)
        yield backwards.sweep_against_columns(model, theta, short)
        for method in (BOGACKI_SHAMPINE, TR_BDF2):
            yield backwards.forcing_at_fixed_steps(model, theta, short, method)
            yield backwards.parameters_in_time(model, theta, short, method)


def _map_rungs(model, theta, weather, few, first):
    """Yield the findings on a model in discrete time."""
    yield checks.water_balance(model, theta, weather)
    if few:
        yield maps.map_sensitivities(model, theta, weather)
    if first:
        yield from maps.map_sweep(model, theta, weather)
        yield from maps.map_sweep(*backwards.in_time(model, theta, weather))
