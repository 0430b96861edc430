"""FUSE: which decisions are structures, what they are made of, and gradients of some."""

import numpy as np
import pytest

import pymc_hydro as ph
from pymc_hydro.models.fuse import PARENTS, combinations
from pymc_hydro.testing import checks
from tests.conftest import FORCINGS
from tests.models.declared import FURTHER
from tests.models.test_equations import fluxes_of, points
from tests.models.transcribed_fuse import fuse

ALL = combinations()
SHORT = FORCINGS["rain"].isel(time=slice(0, 8))
NUMBERS = {"topmodel": 60, "arno/vic": 230, "prms": 342, "sacramento": 426}


def test_all_structures_are_counted_as_in_the_original():
    assert len(ALL) == 1248
    for name, number in NUMBERS.items():
        assert ALL[number - 1] == PARENTS[name] | {"rainfall_error": "multiplicative"}


def test_every_structure_can_be_made():
    """Each checks its balance and its names; rainfall error and routing are seen in a few."""
    for decisions in ALL[::8]:
        model = ph.FUSE(**decisions)
        without = ph.FUSE(**(decisions | {"rainfall_error": None}))
        assert len(without.parameters) == len(model.parameters) - 1
        assert 6 <= len(without.parameters) <= 15
    for decisions in PARENTS.values():
        assert ph.FUSE(**(decisions | {"lower": "topmdexp", "upper": "tension1"} | F2SAT))


F2SAT = {"percolation": "f2sat"}


def test_parents_and_names_of_the_original_code():
    model = ph.FUSE(
        upper="tension2_1",
        lower="unlimfrc_2",
        surface="prms_varnt",
        percolation="perc_f2sat",
        evaporation="sequential",
        interflow="intflwsome",
        routing="rout_gamma",
    )
    assert model == ph.FUSE.parent("PRMS")
    assert model.parameter_names == (
        *("maxwatr_1", "fracten", "frchzne", "percrte", "percexp", "iflwrte", "qb_prms"),
        *("sareamax", "timedelay"),
    )
    from pymc_hydro.models import as_model

    assert as_model("fuse/prms") == model
    assert as_model("fuse/342") == ph.FUSE.parent("prms", rainfall_error="multiplicative")
    with pytest.raises(KeyError, match="the numbers 1 to 1248"):
        as_model("fuse/1249")


@pytest.mark.parametrize(
    ("decisions", "message"),
    [
        ({"upper": "tension2", "lower": "tens2pll", "percolation": "f2sat"}, "does not go with"),
        ({"upper": "tension1", "percolation": "w2sat"}, "upper='onestate'"),
        ({"surface": "vic"}, "surface must be one of arno, prms, tmdl, found 'vic'"),
    ],
)
def test_what_is_no_structure(decisions, message):
    with pytest.raises(ValueError, match=message):
        ph.FUSE(**decisions)
    with pytest.raises(KeyError, match="known are topmodel"):
        ph.FUSE.parent("hbv")


@pytest.mark.parametrize("chosen", [*PARENTS.values(), *FURTHER])
def test_fluxes_are_those_of_the_specification(chosen, rng):
    """Each choice of each decision is among these structures."""
    model = ph.FUSE(**chosen)
    for s, u, p in points(model, rng, 20):
        found, expected = fluxes_of(model, s, u, p), fuse(model.decisions, s, u, p)
        assert set(found) == set(expected)
        for flux, value in expected.items():
            assert found[flux] == pytest.approx(value, rel=1e-10, abs=1e-12), (flux, s, u, p)


@pytest.mark.kernels
@pytest.mark.parametrize("name", PARENTS)
def test_rates_and_jacobians_of_the_parents(name, rng):
    model = ph.FUSE.parent(name)
    for theta in checks.draw_parameters(model, rng, 20):
        finding = checks.rates_and_jacobians(model, theta, rng)
        assert finding.error <= 1, finding


@pytest.mark.kernels
def test_topmodel_against_independent_solutions():
    model = ph.FUSE.parent("topmodel")
    finding = checks.discharge_against_scipy(model, model.default, SHORT)
    assert finding.error <= 1, finding


def test_mean_of_the_transformed_index_against_quadrature():
    """L of unlimpow: the mean of exp(X/n), X = 3 + Gamma(shape, scale) up to 50."""
    from scipy.integrate import quad
    from scipy.stats import gamma

    model = ph.FUSE.parent("topmodel")
    p = dict(zip(model.parameter_names, model.default, strict=True))
    p = type("P", (), p | {"loglamb": 7.5, "tishape": 3.0, "qb_powr": 4.0})
    scale, log_mean = model._index(p)
    density = gamma(p.tishape, scale=scale).pdf
    expected = quad(lambda x: np.exp((3 + x) / p.qb_powr) * density(x), 0, 47, epsabs=1e-12)[0]
    assert np.exp(log_mean) == pytest.approx(expected, rel=1e-9)
