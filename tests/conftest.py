import os
import sys

import numpy as np
import pytensor
import pytest

import pymc_hydro as ph
from pymc_hydro.testing.weather import weathers
from tests.tiny import Tiny

# PyMC asks JAX for a device a chain, which has no effect once a test has used JAX.
os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=2")

FORCINGS = weathers()
NEWER_STACK = sys.version_info >= (3, 12)  # PyMC 6; below that PyMC 5

# Compiling a graph takes longer than most tests run it: they run it step by step, unless they ask
# for the fixture `compiled`. Without a compiler: graphs within graphs have a mode of their own.
STEP_BY_STEP = {"mode": "FAST_COMPILE", "cxx": ""}
COMPILED = {name: getattr(pytensor.config, name) for name in STEP_BY_STEP}
for name, value in STEP_BY_STEP.items():
    setattr(pytensor.config, name, value)


def step_by_step() -> dict[str, str]:
    """Return the environment of a process that runs its graphs step by step as well."""
    flags = [os.environ.get("PYTENSOR_FLAGS", ""), *(f"{k}={v}" for k, v in STEP_BY_STEP.items())]
    return os.environ | {"PYTENSOR_FLAGS": ",".join(filter(None, flags))}


def pytest_collection_modifyitems(config, items):
    """Begin with the site, and leave out on the older stack what takes long and is the same there.

    With several processes whatever takes minutes has to start first.
    """
    items.sort(key=lambda item: "test_docs" not in item.nodeid)
    if NEWER_STACK:
        return

    def kept(item):
        doctest_of_checks = item.nodeid.startswith("pymc_hydro/testing/")
        return not (doctest_of_checks or item.get_closest_marker("kernels"))

    config.hook.pytest_deselected(items=[item for item in items if not kept(item)])
    items[:] = filter(kept, items)


@pytest.fixture(scope="session", params=list(FORCINGS))
def weather(request):
    return FORCINGS[request.param]


@pytest.fixture
def compiled():
    """Graphs are compiled as they are for users."""
    with pytensor.config.change_flags(**COMPILED):
        yield


@pytest.fixture(scope="session")
def leaf_river():
    return ph.load_basin("leaf_river")


@pytest.fixture
def rng():
    return np.random.default_rng(20261122)


@pytest.fixture(scope="session")
def tiny():
    return Tiny()
