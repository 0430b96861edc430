import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from pymc_hydro.losses import LOSSES, kge, nse


@pytest.fixture
def series(rng):
    observed = rng.gamma(1, 2, 200)
    observed[::7] = np.nan
    return observed, np.where(np.isnan(observed), 1.0, observed) * rng.uniform(0.7, 1.4, 200)


def test_worked_values():
    observed = np.array([1.0, 2, 3, 4, np.nan])
    assert nse(observed, observed) == 1
    assert kge(observed, observed) == pytest.approx(1, abs=1e-14)
    assert nse(observed, np.full(5, 2.5)) == 0
    # Doubled flow: r = 1, a = 2, b = 2.
    assert kge(observed, 2 * observed) == pytest.approx(1 - np.sqrt(2))


@pytest.mark.parametrize("name", LOSSES)
def test_graph_and_numbers_agree_and_the_gradient_is_right(name, series):
    score, _ = LOSSES[name]
    observed, simulated = series
    q = pt.dvector("q")
    value = score(observed, q)
    f = pytensor.function([q], [value, pytensor.grad(value, q)], mode="FAST_COMPILE")
    found, gradient = f(simulated)
    assert found == pytest.approx(score(observed, simulated), rel=1e-14)
    for i in (1, 50, 7):

        def at(h, i=i):
            moved = simulated.copy()
            moved[i] += h
            return score(observed, moved)

        def central(h):
            return (at(h) - at(-h)) / (2 * h)

        richardson = (4 * central(5e-4) - central(1e-3)) / 3
        assert gradient[i] == pytest.approx(richardson, rel=1e-6, abs=1e-11)
    assert gradient[7] == 0  # missing there


@pytest.mark.parametrize("score", [nse, kge])
def test_errors(score):
    with pytest.raises(ValueError, match="all observations are missing"):
        score([np.nan, np.nan], [1.0, 2.0])
    with pytest.raises(ValueError, match="constant"):
        score([1.0, 1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="same intervals"):
        score([1.0, 2.0], [1.0])
