import sys

import numpy as np
import pytensor
import pytest

import pymc_hydro as ph
from pymc_hydro.testing.weather import weathers
from tests.tiny import Tiny

FORCINGS = weathers()
NEWER_STACK = sys.version_info >= (3, 12)  # PyMC 6; below that PyMC 5


def pytest_collection_modifyitems(config, items):
    """Leave out on the older stack what is the same with both versions of PyMC and takes long."""
    if NEWER_STACK:
        return
    left_out = [item for item in items if item.get_closest_marker("kernels")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker("kernels")]


@pytest.fixture(scope="session", params=list(FORCINGS))
def weather(request):
    return FORCINGS[request.param]


@pytest.fixture
def interpreted():
    """Graphs run step by step, not compiled: for those that are run a few times only."""
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
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
