import numpy as np
import pytest

import pymc_hydro as ph
from pymc_hydro.testing.weather import weathers
from tests.tiny import Tiny

FORCINGS = weathers()


@pytest.fixture(scope="session", params=list(FORCINGS))
def weather(request):
    return FORCINGS[request.param]


@pytest.fixture(scope="session")
def leaf_river():
    return ph.load_basin("leaf_river")


@pytest.fixture
def rng():
    return np.random.default_rng(20261122)


@pytest.fixture(scope="session")
def tiny():
    return Tiny()
