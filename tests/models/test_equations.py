"""Each model's fluxes against an independent transcription, and what physics says of them."""

from types import SimpleNamespace

import pytest

import pymc_hydro as ph
from pymc_hydro.testing.checks import corners, draw_parameters
from tests.models.transcribed import EQUATIONS


class Names(SimpleNamespace):
    """What a flux function takes: attributes, also by their name."""

    __getitem__ = SimpleNamespace.__getattribute__


FORMULATIONS = ("default", "reference")
CASES = [
    pytest.param(cls(formulation=formulation), id=f"{cls.__name__}-{formulation}")
    for cls in ph.MODELS
    for formulation in FORMULATIONS
]
MODELS = [case for case in CASES if case.values[0].formulation == "default"]


def points(model, rng, n=40):
    """Yield contents, forcing and parameters: stores from empty to above full, all weather."""
    for theta in (*draw_parameters(model, rng, n), *corners(model, rng, n // 4), model.default):
        p = dict(zip(model.parameter_names, map(float, theta), strict=True))
        s = {}
        for store in model.stores:
            full = capacity(store, p) or 50.0
            s[store.name] = full * rng.choice([0, 1e-3, rng.uniform(0, 1), rng.uniform(0.9, 1.02)])
        u = {
            "precipitation": rng.choice([0, rng.uniform(0, 5), rng.uniform(5, 80)]),
            "potential_evaporation": rng.choice([0, rng.uniform(0, 8)]),
            "temperature": rng.choice([rng.uniform(-15, 25), p.get("T_tr", 0) + rng.normal()]),
        }
        yield s, u, p


def capacity(store, p):
    if callable(store.capacity):
        return store.capacity(Names(**p))
    return p.get(store.capacity)


def fluxes_of(model, s, u, p):
    return model.fluxes(*(Names(**part) for part in (s, u, p)))


@pytest.mark.parametrize("model", CASES)
def test_fluxes_are_those_of_the_specification(model, rng):
    name, reference = type(model).__name__, model.formulation == "reference"
    for s, u, p in points(model, rng):
        expected = EQUATIONS[name](s, u, p, reference)
        found = dict(fluxes_of(model, s, u, p))
        assert set(found) == set(expected)
        for flux, value in expected.items():
            size = max(abs(value), 1.0)
            assert abs(found[flux] - value) <= 1e-10 * size, (flux, found[flux], value, s, u, p)


@pytest.mark.parametrize("model", MODELS)
def test_fluxes_keep_to_physics(model, rng):
    """Evaporation is below its potential, and no flux of the default has the wrong sign."""
    exchanges = {*model.exchanges, "x_sf"}
    (evaporation,) = (o.terms for o in model.outputs if o.name == "evaporation")
    for s, u, p in points(model, rng):
        q = fluxes_of(model, s, u, p)
        water = u["precipitation"] + s["SWE"] + 1
        potential = p.get("f_p", 1) * u["potential_evaporation"]
        assert sum(q[name] for name in evaporation) <= potential * (1 + 1e-6) + 1e-5
        for flux in (f.flux for f in model.flows):
            if flux not in exchanges:
                assert q[flux] >= -2e-6 * water, (flux, q[flux], s, u, p)


SCALES_OF_FLOW = {"R", "G"}  # of GR4J and CFE: a capacity that scales an outflow, and sheds nothing


@pytest.mark.parametrize("model", MODELS)
def test_what_enters_a_full_store_is_shed(model, rng):
    """Within a hundredth, by which kinks are smoothed."""
    for s, u, p in points(model, rng):
        for store in model.stores:
            full = capacity(store, p)
            if not full or store.name in SCALES_OF_FLOW:
                continue
            q = fluxes_of(model, s | {store.name: full}, u, p)
            enters = sum(q[f.flux] for f in model.flows if f.target == store.name)
            leaves = sum(q[f.flux] for f in model.flows if f.source == store.name)
            assert enters - leaves <= 0.01 * (1 + enters), (store.name, enters, leaves, s, u, p)


@pytest.mark.parametrize("model", MODELS)
def test_every_parameter_has_an_effect(model, rng):
    """Each parameter changes a flux somewhere; those of a unit hydrograph act on the ordinates."""
    routed = {parameter.name for parameter in getattr(model.routing, "parameters", ())}
    idle = set(model.parameter_names) - routed
    for s, u, p in points(model, rng):
        q = fluxes_of(model, s, u, p)
        for name in sorted(idle):
            other = fluxes_of(model, s, u, p | {name: p[name] * 1.01 + 1e-3})
            if any(abs(other[flux] - q[flux]) > 1e-7 for flux in q):
                idle.discard(name)
    assert not idle
