"""Gradients of all losses against Richardson differences, and against formulas written by hand."""

import functools

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest

import pymc_hydro as ph
from pymc_hydro import losses as ls
from pymc_hydro.testing.checks import draw_parameters
from tests.losses.cases import ALL, N, as_graph, covariance, flows
from tests.tiny import Tiny

STEP = 2e-5  # mm/d
TOLERANCE = 1e-6  # of the largest derivative
ROUND_OFF = 3e-13  # of a loss and of discharge
SLOPES = ("rmse", "kge", "kge_2012", "kge_nonparametric", "jkge", "fdc_log_quantile", "huber")


def value_and_gradient(function, observed):
    q = pt.dvector("q")
    value = function(observed, q)
    return pytensor.function([q], [value, pytensor.grad(value, q)])


def richardson(function, x, step=STEP):
    """Return the derivative of `function` by every entry of x, to fourth order."""

    def central(i, h):
        up, down = x.copy(), x.copy()
        up[i] += h
        down[i] -= h
        return (function(up) - function(down)) / (2 * h)

    return np.array([(4 * central(i, step / 2) - central(i, step)) / 3 for i in range(x.size)])


@pytest.mark.parametrize("name", ALL)
def test_graph_and_numbers_agree_and_the_gradient_is_right(name, rng):
    observed, simulated = flows(rng)
    for_arrays = as_graph(ALL[name])
    found, gradient = value_and_gradient(ALL[name], observed)(simulated)
    assert found == pytest.approx(for_arrays(observed, simulated), rel=1e-12)
    expected = richardson(lambda q: for_arrays(observed, q), simulated)
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=TOLERANCE * np.abs(expected).max())
    assert (gradient[np.isnan(observed)] == 0).all()


@pytest.mark.kernels
def test_compiled_losses_are_those_of_numbers(compiled, rng):
    """As users compile them, of plain flow, and where there is no flow, no variation, no run."""
    observed, plain = flows(rng)
    names = [*ls.LOSSES, *ls.SCORES, "segment high", "segment middle", "segment low"]
    q = pt.dvector("q")
    values = [ALL[name](observed, q) for name in names]
    function = pytensor.function([q], values)
    for series in (plain, np.zeros(N), np.full(N, 0.7), np.full(N, np.nan)):
        for name, value in zip(names, function(series), strict=True):
            expected = as_graph(ALL[name])(observed, series)
            np.testing.assert_allclose(value, expected, rtol=1e-9, err_msg=name)
            if np.isnan(series).all():
                assert np.isnan(value), name  # a failed integration is never a good fit
    # Gradients take long to compile: of those with sorting, windows and roots of zero.
    values = [value for name, value in zip(names, values, strict=True) if name in SLOPES]
    names = [name for name in names if name in SLOPES]
    slopes = [pytensor.grad(value, q) for value in values]
    users, ours = (pytensor.function([q], slopes, mode=m) for m in (None, "FAST_COMPILE"))
    for name, found, expected in zip(names, users(plain), ours(plain), strict=True):
        allowed = 1e-9 * np.abs(expected).max()
        np.testing.assert_allclose(found, expected, rtol=0, atol=allowed, err_msg=name)
    perfect = np.where(np.isfinite(observed), observed, 1.0)
    by_name = dict(zip(names, users(perfect), strict=True))
    for name in SLOPES[:5]:
        np.testing.assert_array_equal(by_name[name], 0, err_msg=name)


def delta_kge(y, q):
    n, (m_y, m_q) = y.size, (y.mean(), q.mean())
    s_y, s_q = y.std(ddof=1), q.std(ddof=1)
    r, a, b = np.corrcoef(y, q)[0, 1], s_q / s_y, m_q / m_y
    by_r = (y - m_y) / ((n - 1) * s_q * s_y) - r * (q - m_q) / ((n - 1) * s_q**2)
    by_a, by_b = (q - m_q) / ((n - 1) * s_q * s_y), 1 / (n * m_y)
    distance = np.sqrt((r - 1) ** 2 + (a - 1) ** 2 + (b - 1) ** 2)
    return -((r - 1) * by_r + (a - 1) * by_a + (b - 1) * by_b) / distance


def delta_kge_2012(y, q):
    n, (m_y, m_q) = y.size, (y.mean(), q.mean())
    s_y, s_q = y.std(ddof=1), q.std(ddof=1)
    r, b = np.corrcoef(y, q)[0, 1], m_q / m_y
    c = s_q / m_q / (s_y / m_y)
    by_r = (y - m_y) / ((n - 1) * s_q * s_y) - r * (q - m_q) / ((n - 1) * s_q**2)
    by_c = c * ((q - m_q) / ((n - 1) * s_q**2) - 1 / (n * m_q))
    distance = np.sqrt((r - 1) ** 2 + (c - 1) ** 2 + (b - 1) ** 2)
    return -((r - 1) * by_r + (c - 1) * by_c + (b - 1) / (n * m_y)) / distance


def delta_energy(y, q):
    signs = np.sign(q[:, None] - y[None, :]).sum(1) - np.sign(q[:, None] - q[None, :]).sum(1)
    return signs / y.size**2


def delta_quantile(y, q):
    delta = np.empty(y.size)
    delta[np.argsort(q)] = 2 / y.size * (np.sort(q) - np.sort(y))
    return delta


def delta_log_quantile(y, q):
    e = 0.01 * np.median(y[y > 0])
    delta = np.empty(y.size)
    delta[np.argsort(q)] = np.log(np.sort(q) + e) - np.log(np.sort(y) + e)
    return 2 * delta / (y.size * (q + e))


def delta_huber(y, q):
    scale = 1.4826 * np.median(np.abs(y - np.median(y)))
    u = (y - q) / scale
    return -np.sign(u) * np.minimum(np.abs(u), 1.345) / scale


def delta_recession(y, q):
    e = 0.01 * np.median(y[y > 0])
    delta = np.zeros(y.size)
    for t in range(y.size - 1):
        if y[t + 1] < y[t]:
            k_y, k_q = (np.log((x[t] + e) / (x[t + 1] + e)) for x in (y, q))
            delta[t] -= 2 * (k_y - k_q) / (q[t] + e)
            delta[t + 1] += 2 * (k_y - k_q) / (q[t + 1] + e)
    return delta


def delta_jkge(y, q, window=31):
    n, half = y.size, window // 2
    lag = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    B = (lag <= half) / (lag <= half).sum(1, keepdims=True)
    m_y, m_q = B @ y, B @ q
    a_y, a_q = y - m_y, q - m_q
    s_y, s_q = np.sqrt((a_y**2).mean()), np.sqrt((a_q**2).mean())
    z_y, alpha = a_y / s_y, s_q / s_y
    rho = (z_y * a_q / s_q).mean()
    scatter = ((m_y - y.mean()) ** 2).sum()
    by_v = -2 * (1 - alpha) * a_q / (n * s_q * s_y)
    by_rho = z_y / (n * s_q) - (z_y @ a_q) * a_q / (n**2 * s_q**3)
    by_c, by_m = -2 * (1 - rho) * by_rho, 2 * (m_q - m_y) / scatter
    loss = np.sqrt(((m_q - m_y) ** 2).sum() / scatter + (1 - alpha) ** 2 + (1 - rho) ** 2)
    return -(by_v + by_c + B.T @ (by_m - by_v - by_c)) / (2 * loss)


HAND_WRITTEN = {
    ls.nse: lambda y, q: 2 * (y - q) / ((y - y.mean()) ** 2).sum(),
    ls.ssr: lambda y, q: -2 * (y - q),
    ls.sar: lambda y, q: -np.sign(y - q),
    ls.volume_bias: lambda y, q: 2 * (q.mean() / y.mean() - 1) / y.sum() * np.ones(y.size),
    ls.kge: delta_kge,
    ls.kge_2012: delta_kge_2012,
    ls.huber: delta_huber,
    ls.fdc_energy: delta_energy,
    ls.fdc_quantile: delta_quantile,
    ls.fdc_log_quantile: delta_log_quantile,
    ls.recession: delta_recession,
    ls.jkge: delta_jkge,
}


@pytest.mark.parametrize("function", HAND_WRITTEN, ids=lambda f: f.__name__)
def test_gradient_is_the_formula_of_the_literature(function, rng):
    observed, simulated = flows(rng, missing=0)
    gradient = value_and_gradient(function, observed)(simulated)[1]
    expected = HAND_WRITTEN[function](observed, simulated)
    np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-12)


def test_full_covariance_gives_twice_the_solved_residuals(rng):
    observed, simulated = flows(rng)
    there = np.isfinite(observed)
    function = value_and_gradient(lambda y, q: ls.gls(y, q, covariance=covariance()), observed)
    solved = np.linalg.solve(covariance()[np.ix_(there, there)], (observed - simulated)[there])
    np.testing.assert_allclose(function(simulated)[1][there], -2 * solved, rtol=1e-9)


@pytest.mark.parametrize("name", [*ls.LOSSES, *ls.SCORES])
def test_perfect_fit_is_best_and_has_a_finite_gradient(name, rng):
    observed, _ = flows(rng)
    perfect = np.where(np.isfinite(observed), observed, 1.0)
    value, gradient = value_and_gradient(ALL[name], observed)(perfect)
    assert value == pytest.approx(1.0 if name in ls.SCORES else 0.0, abs=1e-7)
    assert np.isfinite(gradient).all()


def with_residuals(loss):
    return ls.find_residuals(loss) is not None


@pytest.mark.parametrize("name", [n for n, f in ALL.items() if with_residuals(f)])
def test_squares_of_residuals_add_up_to_the_loss(name, rng):
    observed, simulated = flows(rng)
    loss, sign = ls.find_loss(ALL[name])
    r = ls.find_residuals(loss)(observed, simulated)
    expected = loss(observed, simulated)
    assert r @ r == pytest.approx(expected if sign > 0 else 1 - expected, rel=1e-12)


STEPS = {"steps": 6, "solver": "tr_bdf2"}  # an equal number of steps: differences are smooth
RELATIVE_STEPS = 10.0 ** -np.arange(1.5, 7.1, 0.5)  # of differences
# Central differences over a step, its half and its quarter, together of sixth order; what they
# make of round-off, beside a single difference.
FRACTIONS, ORDER_6, AMPLIFIED = np.array([1, 0.5, 0.25]), np.array([1, -20, 64]) / 45, 3.3
KINKS = 0.005  # of the derivatives, at most, may be none
RESOLVED = 0.5  # of the derivatives, at least; the others hardly change sixty days
SCORED = slice(120, None)


@functools.cache
def record():
    """Return a basin, and its observations of 60 scored days, a fifth of them missing."""
    basin = ph.load_basin("fulda").isel(time=slice(300, 480))
    observed = basin["discharge"].values[SCORED].copy()
    observed[np.random.default_rng(5).permutation(N)[: N // 5]] = np.nan
    return basin, observed


@functools.cache
def delta_of(name):
    return value_and_gradient(as_graph(ALL[name]), record()[1])


def near_optimum(model):
    """Return the optimum to three digits: a search may end where a limit is just reached."""
    fit = ph.calibrate(model, record()[0], warmup=120, starts=1, hops=0, progressbar=False, **STEPS)
    return np.array([float(f"{fit.theta[name].item():.3g}") for name in model.parameter_names])


def differences_of_losses(simulate, theta, scale, observed):
    """Return d loss / d ln(theta) by step, shape (n_step, n_parameter), of each loss."""
    moves = scale[:, None, None, None] * FRACTIONS[:, None, None] * np.array([[1.0], [-1]])
    moves = moves * np.eye(theta.size)[:, None, None, :]
    found = {name: [] for name in ALL}
    for step in RELATIVE_STEPS:
        moved = simulate((theta + step * moves).reshape(-1, theta.size))["discharge"].values
        moved = moved.reshape(theta.size, FRACTIONS.size, 2, -1)[..., SCORED]
        for name in ALL:
            loss = as_graph(ALL[name])
            ends = np.apply_along_axis(lambda q, loss=loss: loss(observed, q), -1, moved)
            found[name].append((ends[..., 0] - ends[..., 1]) / (2 * step * FRACTIONS) @ ORDER_6)
    return {name: np.array(of_steps) for name, of_steps in found.items()}


@pytest.mark.kernels
@pytest.mark.parametrize(
    ("model", "where"),  # the ladder is for the Jacobians of all models
    [(Tiny(), "optimum")],
    ids=["Tiny-optimum"],
)
def test_gradients_through_every_model(model, where, rng):
    """J' delta against differences of the loss of runs with the same steps.

    Differences are taken at those steps over which they change least, as far as round-off lets
    them be known there.
    """
    basin, observed = record()
    theta = draw_parameters(model, rng, 1)[0] if where == "random" else near_optimum(model)

    def simulate(theta, **options):
        return ph.simulate(model, theta, basin, **STEPS, **options)

    run = simulate(theta, sensitivities=True)
    discharge = run["discharge"].values[SCORED]
    scale = np.array([p.scale or abs(x) for p, x in zip(model.parameters, theta, strict=True)])
    jacobian = run["ddischarge_dparameter"].values[SCORED] * scale
    resolved, kinks = [], 0
    for name, by_step in differences_of_losses(simulate, theta, scale, observed).items():
        value, delta = delta_of(name)(discharge)
        each = delta[:, None] * jacobian
        noise = ROUND_OFF * AMPLIFIED * max(abs(value), np.abs(delta) @ discharge) / RELATIVE_STEPS
        expected, noise = by_step[:-2], noise[:-2, None]
        change = np.abs(np.diff(by_step, axis=0))
        change = np.maximum(change[:-1], change[1:]) + noise
        # Near an optimum the days cancel: of their sum without cancellation.
        allowed = TOLERANCE * np.maximum(np.abs(expected), 1e-2 * np.abs(each).sum(axis=0))
        known = noise <= allowed
        trusted = (change <= 3 * change.min(axis=0)) | (known & (change <= allowed))
        error = np.abs(each.sum(axis=0) - expected)
        ratio = np.divide(error, allowed + noise, where=error > 0, out=np.zeros_like(error))
        ratio = np.where(trusted, ratio, np.inf)
        best, columns = ratio.argmin(axis=0), np.arange(theta.size)
        wrong = {model.parameter_names[j]: r for j, r in enumerate(ratio[best, columns]) if r > 1}
        # At a kink or a tie there is no derivative, and here and there one is met.
        assert len(wrong) <= (theta.size > 4), (name, wrong)
        kinks += len(wrong)
        resolved.append(known[best, columns] | (error[best, columns] == 0))
    assert np.mean(resolved) >= RESOLVED and kinks <= KINKS * np.size(resolved)


@pytest.mark.filterwarnings("ignore")  # compilation without BLAS on the older stack
@pytest.mark.parametrize("loss", [ls.huber, ls.kge, ls.jkge])
def test_potential_in_a_pymc_model(loss, rng):
    observed, simulated = flows(rng)
    with pm.Model() as model:
        factor = pm.HalfNormal("factor", initval=1.1, default_transform=None)
        pm.Potential("fit", -loss(observed, factor * simulated))
    logp = model.compile_logp()
    slope = model.compile_dlogp()({"factor": 1.1})
    prior = -0.5 * 1.1**2 + 0.5 * np.log(2 / np.pi)
    expected = prior - loss(observed, 1.1 * simulated)
    assert float(logp({"factor": 1.1})) == pytest.approx(expected, rel=1e-10)
    by_hand = richardson(lambda f: -loss(observed, f[0] * simulated), np.array([1.1]))[0] - 1.1
    assert slope[0] == pytest.approx(by_hand, rel=1e-6)
