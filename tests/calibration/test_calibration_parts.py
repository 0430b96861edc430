"""The search space, the strategy and the reduction of least squares, on their own."""

import threading
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

import pymc_hydro as ph
from pymc_hydro.calibration.objective import Evaluation
from pymc_hydro.calibration.search.pausing import Pausing
from pymc_hydro.calibration.search.rounds import Search, reduce_rows
from pymc_hydro.calibration.search.strategy import FIRST, _first_round, search_all
from pymc_hydro.calibration.space import SPACES, define_space
from pymc_hydro.calibration.uncertainty import linear_covariance, without_effect
from tests.tiny import Tiny

MODEL = ph.SacSma(snow=False)  # linear and logarithmic axes
FIXED = {"Z": 50.0}


@pytest.mark.parametrize("kind", SPACES)
def test_parameters_and_their_slopes(kind, rng):
    space = define_space(MODEL, {"k_f": (0.5, 5)}, FIXED, kind)
    assert space.logarithmic.any() and not space.logarithmic.all()
    for unit in rng.uniform(0.05, 0.95, (5, 12)):
        z = space.coordinates(unit)
        theta, slope = space.parameters(z)
        assert theta[MODEL.parameter_names.index("Z")] == 50
        np.testing.assert_allclose(space.positions(theta), unit, rtol=1e-9)
        for i, j in enumerate(space.free):
            h = 1e-5 * np.eye(12)[i]
            central = (space.parameters(z + h)[0] - space.parameters(z - h)[0])[j] / 2e-5
            assert slope[i] == pytest.approx(central, rel=1e-6)


def test_ends_of_the_axes_are_the_bounds():
    space = define_space(MODEL, {}, {}, "unit cube")
    for unit, bound in ((0.0, MODEL.lower), (1.0, MODEL.upper)):
        theta = space.from_unit(np.full(13, unit))[0]
        np.testing.assert_allclose(theta, bound, rtol=1e-12)
        assert (theta >= MODEL.lower).all() and (theta <= MODEL.upper).all()
        assert space.at_bound(theta).all()
    assert not space.at_bound(MODEL.default).any()
    unbounded = define_space(MODEL, {}, {}, "unconstrained")
    assert np.isfinite(unbounded.coordinates(np.repeat([0.0, 1.0], [6, 7]))).all()
    far = unbounded.parameters(np.full(13, 1e3))[0]
    np.testing.assert_allclose(far, MODEL.upper, rtol=1e-12)


def test_near_a_bound_is_a_thousandth_of_the_axis():
    space = define_space(MODEL, {}, {}, "unit cube")
    for unit, near in ((0.0009, True), (0.0011, False), (0.9989, False), (0.9991, True)):
        assert (space.at_bound(space.from_unit(np.full(13, unit))[0]) == near).all()


def test_covariance_of_a_direction_that_is_hardly_seen(rng):
    """Singular values are kept down to the round-off of the largest."""
    space = define_space(Tiny(), {}, {}, "unit cube")
    width = space.upper - space.lower
    rows = np.linalg.qr(rng.normal(size=(30, 2)))[0]
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    residuals = rng.normal(size=30)
    for small in (1e-2, 1e-10):
        jacobian = rows * [1.0, small] @ turn.T / width
        found = linear_covariance(space, Tiny().default, residuals, jacobian)
        half = turn / [1.0, small] * width[:, None]
        expected = residuals @ residuals / 28 * half @ half.T
        np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_a_gradient_at_a_bound_counts_if_it_points_inside():
    space = define_space(MODEL, {}, {}, "unit cube")
    theta, gradient = MODEL.lower.copy(), np.zeros(13)
    gradient[0] = 1.0  # the loss rises with the parameter, which is at its lower bound
    assert space.projected_norm(theta, gradient) == 0
    assert space.projected_norm(theta, -gradient) > 0


@pytest.mark.parametrize("sampler", ["latin hypercube", "sobol"])
def test_starts_fill_the_cube_and_repeat_with_their_seed(sampler):
    space = define_space(MODEL, {}, FIXED, "unit cube")
    points = space.starts(9, MODEL.default, sampler, 3)
    assert points.shape == (9, 12) and (points >= 0).all() and (points <= 1).all()
    np.testing.assert_array_equal(points, space.starts(9, MODEL.default, sampler, 3))
    np.testing.assert_allclose(
        space.from_unit(points[0])[0], np.where(np.isnan(space.held), MODEL.default, 50), rtol=1e-12
    )
    assert (points[1:].min(0) < 0.3).all() and (points[1:].max(0) > 0.7).all()


def test_reduced_rows_have_the_same_products(rng):
    J, r = rng.normal(size=(500, 4)) * [1, 1e-3, 1e3, 1], rng.normal(size=500)
    J[:, 3] = 0  # a parameter without influence
    f, K = reduce_rows(r, J)
    assert f.shape == (5,) and K.shape == (5, 4)
    np.testing.assert_allclose(f @ f, r @ r, rtol=1e-12)
    np.testing.assert_allclose(K.T @ f, J.T @ r, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(K.T @ K, J.T @ J, rtol=1e-10, atol=1e-9)


def test_a_call_pauses_and_goes_on():
    done = []

    def call():
        for i in range(3):
            done.append(i)
            course.pause()
        raise OSError("at its end")

    before = threading.active_count()
    course = Pausing(call)
    assert not course.waiting and not course.ended
    for i in range(3):
        course.resume()
        assert done == list(range(i + 1)) and course.waiting
    with pytest.raises(OSError, match="at its end"):
        course.resume()
    assert course.ended and not course.waiting and threading.active_count() == before
    course.resume()  # nothing is left to do
    assert done == [0, 1, 2]


class TwoWells:
    """A loss with two optima on every axis, at 0.2 and, higher, at 0.8: 8192 in all."""

    goal = SimpleNamespace(name="loss", sign=1)
    space = define_space(MODEL, {}, {}, "unit cube")

    def __call__(self, theta):
        u = self.space.positions(theta)
        near, far = u - 0.2, u - 0.8
        loss = (100 * (near * far) ** 2 + u).sum()
        slope = 200 * near * far * (near + far) + 1
        return Evaluation(loss, slope / self.space.from_unit(u)[1])


def test_hops_find_the_best_of_many_optima():
    objective, space = TwoWells(), TwoWells.space
    starts = space.starts(8, MODEL.default, "latin hypercube", 1)
    options = {"hops": 10, "seed": 1, "cores": 2, "progressbar": False}
    outcome = search_all(objective, space, "L-BFGS-B", {}, starts, **options)
    least, theta, _ = outcome.best.best
    np.testing.assert_allclose(space.positions(theta), 0.2, atol=0.03)
    # From every start at least one axis ends in the other optimum.
    assert least < min(search.best[0] for search in outcome.starts) - 0.5
    given_up = [search for search in outcome.hops if search.message.startswith("left")]
    assert len(given_up) > len(outcome.hops) / 2


def test_rounds_end_early_where_independent_searches_agree():
    """Two of four starts that are enough: two rounds of four, and the random one is the rest."""

    class OneWell(TwoWells):
        def __call__(self, theta):
            away = self.space.positions(theta) - 0.3
            return Evaluation(1 + away @ away, 2 * away / self.space.from_unit(away + 0.3)[1])

    space = TwoWells.space
    starts = space.starts(2, MODEL.default, "latin hypercube", 1)
    options = {"hops": 4, "seed": 1, "cores": 1, "progressbar": False}
    outcome = search_all(OneWell(), space, "L-BFGS-B", {}, starts, **options)
    assert (len(outcome.starts), len(outcome.hops), len(outcome.elsewhere)) == (2, 4, 2)
    assert outcome.hops[2:] == outcome.elsewhere and outcome.agreement == 1


@pytest.mark.parametrize(("agreement", "continued"), [(0.5, 2), (1.0, 1)])
def test_the_first_round_ends_where_enough_searches_agree(agreement, continued):
    """All begin; then the better half continues two at a time, best first, and all are left."""
    left, calls = [], []
    starts = [SimpleNamespace(best=(loss, None, None)) for loss in (5.0, 2, 4, 1, 6, 3, 7, 8)]
    for search in starts:
        search.leave = partial(left.append, search)
    outcome = SimpleNamespace(starts=starts, agreement=agreement)
    _first_round(outcome, lambda *searches: calls.append(searches))
    assert calls[0] == (starts, FIRST)
    assert [[s.best[0] for s in c[0]] for c in calls[1:]] == [[1, 2], [3, 4]][:continued]
    assert len(left) == len(starts)


def test_a_parameter_has_an_effect_if_it_changes_a_residual(rng):
    space = define_space(MODEL, {}, FIXED, "unit cube")
    jacobian = rng.normal(size=(50, 13)) / (space.upper - space.lower)
    assert not without_effect(space, jacobian).any()
    jacobian[:, [2, 9]] *= [0, 1e-8]
    jacobian[:, MODEL.parameter_names.index("Z")] = 0  # is fixed
    assert np.flatnonzero(without_effect(space, jacobian)).tolist() == [2, 9]


def searched(seed, objective=None):
    objective = objective or TwoWells()
    starts = TwoWells.space.starts(4, MODEL.default, "latin hypercube", 1)
    options = {"hops": 1, "seed": seed, "cores": 2, "progressbar": False}
    outcome = search_all(objective, TwoWells.space, "L-BFGS-B", {}, starts, **options)
    return np.array([search.unit for search in outcome.hops])


def test_hops_follow_their_seed():
    first = searched(3)
    np.testing.assert_array_equal(first[:4], searched(3)[:4])
    assert not np.isclose(first[:4], searched(4)[:4]).all()


def test_an_exception_within_a_search_is_raised():
    class Broken(TwoWells):
        calls = 0

        def __call__(self, theta):
            Broken.calls += 1
            if Broken.calls > 20:
                raise ZeroDivisionError("in a loss")
            return super().__call__(theta)

    before = threading.active_count()
    with pytest.raises(ZeroDivisionError, match="in a loss"):
        searched(3, Broken())
    assert threading.active_count() == before


def test_the_penalty_of_a_failure_is_smooth_and_above_what_was_seen():
    """Its gradient leads a line search back to the last success."""

    class Fragile(TwoWells):
        def __call__(self, theta):
            found = super().__call__(theta)
            fails = self.space.positions(theta)[0] > 0.6
            return replace(found, loss=np.nan, integrated=False) if fails else found

    space = TwoWells.space
    start = np.full(space.free.size, 0.5)
    seed = np.random.SeedSequence(1)
    search = Search(Fragile(), space, "L-BFGS-B", {}, start, seed, threading.Event())
    search._allowance = np.inf
    search._anchor = start
    seen, _ = search._number(start)
    beyond = start + 0.2
    value, gradient = search._number(beyond)
    assert value > seen and search.failures == 1
    for j in (0, 5):
        step = 1e-6 * np.eye(start.size)[j]
        ends = [search._number(beyond + d)[0] for d in (step, -step)]
        assert gradient[j] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6)


@pytest.mark.parametrize(("exploring", "expected"), [(True, (60, 1e-5)), (False, (200, 1e-8))])
def test_the_last_search_is_finer_than_those_that_explore(exploring, expected, monkeypatch):
    from scipy import optimize

    asked = []
    for name in ("minimize", "least_squares"):
        monkeypatch.setattr(optimize, name, lambda *_, **options: asked.append(options))
    space, start = TwoWells.space, np.full(13, 0.5)
    search = Search(
        TwoWells(), space, "L-BFGS-B", {}, start, np.random.SeedSequence(1), threading.Event()
    )
    search.exploring = exploring
    search._minimize(start)
    search._least_squares(start)
    of_number, of_rows = asked[0]["options"], asked[1]
    assert (of_number["maxiter"], of_number["ftol"]) == expected
    assert (of_rows["max_nfev"], of_rows["ftol"], of_rows["gtol"]) == (*expected, expected[1])
