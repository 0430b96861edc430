"""The residual model against dense covariances, loops and quadrature; no hydrologic model."""

import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.graph.replace import graph_replace
from scipy import stats

import pymc_hydro as ph
from pymc_hydro.likelihoods import LIKELIHOODS, BoxCox, LogSinh, find_likelihood
from pymc_hydro.likelihoods.errors.autoregression import HORIZON, autocorrelation, coefficients
from pymc_hydro.likelihoods.errors.residuals import residuals_of

N = 60
S0, S1 = 0.3, 0.2
GAPS = {
    "none": [],
    "runs": [10, 11, 12, 25, 40, 41],
    "before_the_last": [57, 58],
    "isolated": [10, 11, 13, 14, 15, 30, 32],
}


@pytest.fixture
def series(rng):
    flow = 2 + np.sin(np.arange(N) / 5) + rng.lognormal(-2, 0.5, N)
    return flow, flow * rng.lognormal(0, 0.2, N)


def build(likelihood, flow, observed, **options):
    """Place a likelihood on flow times an estimated factor."""
    time = pd.date_range("2001-01-01", periods=len(flow))
    with pm.Model(coords={"time": time}) as model:
        factor = pm.Normal("factor", 1, 0.1)
        likelihood("flow", factor * flow, observed=observed, **options)
    return model


def pointwise(model, **values):
    """Return the log-likelihood of each observation at given values of the variables."""
    flow = model["flow"]
    inputs = [model[k] for k in values]
    logp = pm.logp(flow, model.rvs_to_values[flow])
    return model.compile_fn(logp, inputs=inputs, point_fn=False)(*values.values())


def covariance(phi, time):
    """Stationary covariance of unit variance, by the Yule-Walker equations, unrolled."""
    phi1, phi2 = (*phi, 0.0)[:2]
    rho = [1.0, phi1 / (1 - phi2)]
    while len(rho) <= time.max() - time.min():
        rho.append(phi1 * rho[-1] + phi2 * rho[-2])
    return np.array(rho)[np.abs(time[:, None] - time)]


@pytest.mark.parametrize("partial", [(0.8,), (-0.4,), (0.9, -0.5), (0.5, 0.3), (0.99, 0.95)])
def test_autocorrelation_and_coefficients(partial):
    phi = coefficients(partial)
    lag = np.arange(1, 500 if len(phi) == 1 else HORIZON + 1)
    found = autocorrelation([pt.constant(p) for p in phi], pt.constant(lag)).eval()
    np.testing.assert_allclose(found, covariance(phi, np.arange(500))[0, lag], rtol=1e-9)
    assert (np.abs(np.roots([1, *(-p for p in phi)])) < 1).all()  # stationary


@pytest.mark.parametrize(
    ("partial", "gap"),
    [((0.8,), gap) for gap in GAPS] + [((0.9, -0.5), "none"), ((0.6, 0.4), "before_the_last")],
)
def test_normal_is_exact_with_gaps_and_start(partial, gap, series):
    flow, observed = series
    observed[GAPS[gap]] = np.nan
    fixed = dict(zip(("r1", "r2"), partial, strict=False))
    model = build(LIKELIHOODS["normal"], flow, observed, ar=len(partial), s0=S0, s1=S1, **fixed)
    found = pointwise(model, factor=0.9)
    there = np.flatnonzero(np.isfinite(observed))
    assert found.shape == there.shape
    mean, sd = 0.9 * flow[there], S0 + S1 * 0.9 * flow[there]
    dense = covariance(coefficients(partial), there) * np.outer(sd, sd)
    expected = stats.multivariate_normal.logpdf(observed[there], mean, dense)
    assert found.sum() == pytest.approx(expected, rel=1e-10)


def test_second_order_at_isolated_observations_is_given_the_last_two(series):
    flow, observed = series
    observed[GAPS["isolated"]] = np.nan
    partial = (0.7, 0.4)
    model = build(
        LIKELIHOODS["normal"], flow, observed, ar=2, scale=1.0, r1=partial[0], r2=partial[1]
    )
    found = pointwise(model, factor=1.0)
    there = np.flatnonzero(np.isfinite(observed))
    error = (observed - flow)[there]
    dense = covariance(coefficients(partial), there)
    for i in range(there.size):
        k = slice(max(i - 2, 0), i)
        w = np.linalg.solve(dense[k, k], dense[k, i])
        expected = stats.norm.logpdf(error[i], w @ error[k], np.sqrt(1 - w @ dense[k, i]))
        assert found[i] == pytest.approx(expected, rel=1e-10)
    exact = stats.multivariate_normal.logpdf(error, None, dense)
    assert found.sum() == pytest.approx(exact, abs=0.1)  # what older observations would add


def test_after_a_long_gap():
    """AR(1) remembers, AR(2) starts again."""
    flow = np.ones(HORIZON + 3)
    observed = np.full(flow.size, np.nan)
    observed[[0, 1, -1]] = 1.2, 1.1, 1.3
    options = {"scale": 1.0, "r1": 0.999}
    model = build(LIKELIHOODS["normal"], flow, observed, ar=2, r2=0.1, **options)
    assert pointwise(model, factor=1.0)[-1] == pytest.approx(stats.norm.logpdf(0.3))
    model = build(LIKELIHOODS["normal"], flow, observed, ar=1, **options)
    kept = 0.999 ** (HORIZON + 1)
    expected = stats.norm.logpdf(0.3, 0.1 * kept, np.sqrt(1 - kept**2))
    assert pointwise(model, factor=1.0)[-1] == pytest.approx(expected)


SHAPES = {
    "normal": {},
    "laplace": {},
    "student": {"nu": 5.0},
    "skew_student": {"nu": 5.0, "xi": 1.4},
    "sep": {"beta": 0.4, "xi": 0.8},
    "sgt": {"lam": 0.3, "p": 1.5, "q": 6.0},
}


@pytest.mark.parametrize("name", SHAPES)
def test_second_order_without_gaps_is_the_published_form(name, series):
    """Section 2 of Vrugt et al. (2022), as a loop; the start is the stationary one."""
    flow, observed = series
    shapes, (r1, r2) = SHAPES[name], (0.7, -0.3)
    options = {"ar": 2, "s0": S0, "s1": S1, "r1": r1, "r2": r2}
    model = build(LIKELIHOODS[name], flow, observed, **options, **shapes)
    found = pointwise(model, factor=1.0)
    x = pt.dvector()
    family = residuals_of(model, "flow").family
    density = pytensor.function([x], pm.logp(family.dist(0.0, 1.0, *shapes.values()), x))
    sigma = S0 + S1 * flow
    e = (observed - flow) / sigma
    phi1, phi2 = r1 * (1 - r2), r2
    width = np.sqrt(1 + phi1**2 - phi2**2 - 2 * phi1**2 / (1 - phi2))
    innovation = np.array([e[t] - phi1 * e[t - 1] - phi2 * e[t - 2] for t in range(2, N)]) / width
    expected = density(innovation) - np.log(sigma[2:]) - np.log(width)
    np.testing.assert_allclose(found[2:], expected, rtol=1e-10)


def test_generalized_likelihood_of_2010_against_a_loop(series):
    flow, observed = series
    observed[[20, 21]], flow[40] = np.nan, 150.0  # where the correction is tenfold at most
    transform, bias, partial = BoxCox(0.3, 0.1), 0.02, (0.6, 0.2, -0.1)
    model = build(
        LIKELIHOODS["gl"], flow, observed, ar=3, s0=S0, s1=S1, r=partial, beta=0.5, xi=1.3,
        bias=bias, transform=transform,
    )  # fmt: skip
    found = pointwise(model, factor=1.0)
    corrected = flow * np.minimum(10, np.exp(bias * flow))
    T = lambda y: ((y + 0.1) ** 0.3 - 1) / 0.3  # noqa: E731
    eta = np.nan_to_num(T(observed) - T(corrected))
    phi = coefficients(partial)
    there = np.flatnonzero(np.isfinite(observed))
    past = [sum(p * eta[t - k] for k, p in enumerate(phi, 1) if k <= t) for t in there]
    sigma = (S0 + S1 * corrected)[there]
    density = pm.logp(
        ph.likelihoods.distributions.SkewExponentialPower.dist(0.0, 1.0, 0.5, 1.3),
        pt.constant((eta[there] - past) / sigma),
    ).eval()
    expected = density - np.log(sigma) + (0.3 - 1) * np.log(observed[there] + 0.1)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("spectrum", ["total", "error"])
def test_whittle_against_numpy(spectrum, rng):
    flow, observed = 1 + rng.gamma(1, 1, (2, 203))
    s0, phi = 0.4, 0.6
    model = build(LIKELIHOODS["whittle"], flow, observed, spectrum=spectrum, s0=s0, r1=phi)
    found = model.compile_fn(model["flow"], inputs=[model["factor"]], point_fn=False)(1.0)
    n = 192  # the largest multiple of 32
    j = np.arange(1, (n - 1) // 2 + 1)
    of = lambda x: np.abs(np.fft.fft(x[-n:])[j]) ** 2 / (2 * np.pi * n)  # noqa: E731
    f = s0**2 / (2 * np.pi * np.abs(1 - phi * np.exp(-2j * np.pi * j / n)) ** 2)
    h, seen = (of(flow) + f, of(observed)) if spectrum == "total" else (f, of(observed - flow))
    assert found == pytest.approx(-(np.log(h) + seen / h).sum(), rel=1e-10)
    observed[5] = np.nan
    with pytest.raises(ValueError, match="1 of 203 observations are missing"):
        build(LIKELIHOODS["whittle"], flow, observed)


def test_pseudo_likelihood_and_limits(series):
    flow, observed = series
    observed[4] = np.nan
    there = np.isfinite(observed)
    value = lambda m: m.compile_fn(m["flow"], inputs=[m["factor"]], point_fn=False)(1.0)  # noqa: E731
    pseudo = build(
        ph.likelihoods.PseudoLikelihood, flow, observed,
        loss=lambda y, q: -ph.losses.nse(y, q), temperature=0.05,
    )  # fmt: skip
    assert value(pseudo) == pytest.approx(ph.losses.nse(observed, flow) / 0.05)
    limits = {"tolerance": lambda y: 0.1 + 0.1 * y, "width": 1e-3}
    acceptable = build(ph.likelihoods.LimitsOfAcceptability, flow, observed, **limits)
    half = 0.1 + 0.1 * observed[there]
    u = (observed - flow)[there] / half
    beyond = np.logaddexp(0, (-1 - u) / 1e-3) + np.logaddexp(0, (u - 1) / 1e-3)
    assert value(acceptable) == pytest.approx(-beyond.sum(), rel=1e-10)
    for bad, message in (
        ({"tolerance": 0, "width": 1}, "tolerance"),
        ({"tolerance": 1, "width": 0}, "width"),
    ):
        with pytest.raises(ValueError, match=message):
            build(ph.likelihoods.LimitsOfAcceptability, flow, observed, **bad)
    with pytest.raises(ValueError, match="temperature"):
        build(ph.likelihoods.PseudoLikelihood, flow, observed, loss=None, temperature=0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SkewStudentT", "SkewStudentT"),
        ("skew_student_t", "SkewStudentT"),
        ("skewstudentt", "SkewStudentT"),
        ("skew_student", "SkewStudentT"),
        ("NORMAL", "Normal"),
        ("skew_exponential_power", "SkewExponentialPower"),
        ("gl", "GeneralizedLikelihood"),
    ],
)
def test_likelihoods_by_name(name, expected):
    assert find_likelihood(name).__name__ == expected


def test_unknown_likelihoods():
    with pytest.raises(KeyError, match="unknown likelihood 'cauchy'; known are Normal, Laplace"):
        find_likelihood("cauchy")
    with pytest.raises(TypeError, match="expected a name or a function"):
        find_likelihood(3)


TRANSFORMS = ["log", "sqrt", "box_cox", "log_sinh", BoxCox(0.3, 0.2), LogSinh(0.05, 1.0)]


@pytest.mark.parametrize("censored", [False, True])
@pytest.mark.parametrize("transform", TRANSFORMS, ids=str)
def test_density_of_flow_integrates_to_one_with_its_jacobian(transform, censored):
    """Of one observation; with the probability of zero flow where that is an observation."""
    if censored and transform == "log":
        transform = BoxCox(0.0, 0.1)
    y = np.exp(np.linspace(-40, 12, 40_001))
    observed = np.append(y, 0.0) if censored else y
    options = {"scale": 0.4, "nu": 6.0, "xi": 1.3, "transform": transform, "censored": censored}
    model = build(LIKELIHOODS["skew_student"], np.full(observed.size, 1.5), observed, **options)
    density = np.exp(pointwise(model, factor=1.0))
    total = np.trapezoid(density[: y.size] * y, np.log(y))
    if censored:
        total += density[-1]
    else:  # what lies below zero, or below the range of the transformation
        placed = residuals_of(model, "flow")
        of = placed.transform.forward
        z = (of(pt.constant(1e-300)) - of(pt.constant(1.5))).eval() / 0.4
        total += np.exp(pm.logcdf(placed.family.dist(0.0, 1.0, 6.0, 1.3), z).eval())
    assert total == pytest.approx(1, abs=2e-6)


def test_zero_flow_counts_with_its_probability(series):
    flow, observed = series
    observed[[7, 8, 20]] = 0
    options = {"ar": 1, "s0": S0, "s1": S1, "r1": 0.6}
    model = build(LIKELIHOODS["normal"], flow, observed, censored=True, **options)
    found = pointwise(model, factor=1.0)
    sd = S0 + S1 * flow
    e = (observed - flow) / sd
    width = np.sqrt(1 - 0.6**2)
    assert found[6] == pytest.approx(stats.norm.logpdf(e[6], 0.6 * e[5], width) - np.log(sd[6]))
    at = -flow / sd  # where flow is zero
    assert found[7] == pytest.approx(stats.norm.logcdf(at[7], 0.6 * e[6], width))
    two = np.sqrt(1 - 0.6**4)  # given the last flow above zero, two intervals back
    assert found[8] == pytest.approx(stats.norm.logcdf(at[8], 0.6**2 * e[6], two))
    with pytest.raises(ValueError, match="no observation is above zero"):
        build(LIKELIHOODS["normal"], flow, np.zeros(N), censored=True)
    for censored in (False, True):
        with pytest.raises(ValueError, match="not defined for a flow of 0 mm/d; give it an offset"):
            build(LIKELIHOODS["normal"], flow, observed, transform="log", censored=censored)
    with pytest.raises(ValueError, match="not defined for a flow of 0 mm/d"):  # infinite density
        build(LIKELIHOODS["normal"], flow, observed, transform="sqrt", scale="constant")


@pytest.mark.parametrize("transform", ["log", "sqrt", "box_cox", "log_sinh"])
def test_transformed_flow_of_a_dry_simulation(transform, series):
    flow, observed = series
    flow[5], flow[9] = 0.0, -1e-12  # as solvers leave a dry river
    model = build(LIKELIHOODS["normal"], flow, observed, transform=transform, scale="constant")
    point = {v.name: np.asarray(model.initial_point()[v.name]) for v in model.value_vars}
    assert np.isfinite(model.compile_logp()(point))
    assert np.isfinite(model.compile_dlogp()(point)).all()
    dry = residuals_of(model, "flow")
    mean = dry.mean.eval({model["factor"]: 1.0})[[5, 9]]  # of a millionth of a millimetre
    np.testing.assert_allclose(mean, dry.transform.forward(np.array([1e-6, 1e-6])), rtol=1e-12)


# Likelihood, options, smallest observed flow.
GRADIENTS = [
    ("normal", {"ar": 2}, 0.0),
    ("laplace", {"ar": 1, "censored": True}, 0.0),
    ("student", {"ar": 1, "censored": True}, 0.0),
    ("student", {"ar": 0, "transform": BoxCox(0.0, 0.1)}, 0.0),
    ("skew_student", {"ar": 1, "censored": True}, 0.0),
    ("skew_student", {"ar": 2, "transform": "log_sinh"}, 0.0),
    ("sep", {"ar": 1}, 0.0),  # not both: light tails underflow far from zero flow
    ("sep", {"ar": 0, "censored": True}, 0.0),
    ("sgt", {"ar": 2, "censored": True}, 0.0),
    ("skew_student", {"memory": "flow", "censored": True}, 0.0),
    ("normal", {"memory": "flow", "transform": BoxCox(0.2, 0.1), "scale": "constant"}, 0.0),
    ("gl", {"ar": 2}, 0.2),
    ("whittle", {}, 0.2),
]
# Unconstrained partial autocorrelations by order: within 1e-4 of -1 and 1; of two 0.01, since the
# variance of an innovation, (1 - r1^2) (1 - r2^2), is a difference of numbers near one.
AT_BOUND = {1: 10.0, 2: 5.3}


@pytest.mark.kernels
@pytest.mark.parametrize(("name", "options", "low"), GRADIENTS)
def test_gradients_against_richardson(name, options, low, rng):
    """With gaps, zero flow observed and simulated, and at the bounds of the autoregression."""
    n = 70
    flow = 1 + rng.gamma(1, 1, n)
    observed = np.maximum(flow * rng.lognormal(0, 0.3, n) - 0.5 * (low == 0), low)
    if name != "whittle":
        observed[[10, 11, 30, 32]] = np.nan
        flow[[20, 21]] = 0
        if options.get("censored"):
            observed[[0, 15, 16, 21]] = 0
    model = build(LIKELIHOODS[name], flow, observed, **options)
    f = model.logp_dlogp_function(ravel_inputs=True)
    f.set_extra_values({})
    variables = model.value_vars  # values by a function of their own: some gradients are slow
    value = model.compile_fn(model.logp(), inputs=variables, point_fn=False)
    start = model.initial_point()
    names = list(start)  # scalars all
    assert np.isfinite(f(np.hstack(list(start.values())))[1]).all()
    around = np.hstack(list(start.values())) + rng.normal(0, 0.1, len(names))
    memory = [i for i, n in enumerate(names) if n.startswith("flow_r")]
    bounds = [s * AT_BOUND[options["ar"]] for s in (1, -1)] if options.get("ar") else []
    for bound in (None, *bounds):
        point = around.copy()
        if bound is not None:
            point[memory] = bound
        _, gradient = f(point)
        for i, step in enumerate(np.eye(point.size)):
            coarse, fine, finest = (
                (value(*(point + h * step)) - value(*(point - h * step))) / (2 * h)
                for h in (2e-4, 1e-4, 5e-5)
            )
            richardson = (16 * (4 * finest - fine) / 3 - (4 * fine - coarse) / 3) / 15
            assert gradient[i] == pytest.approx(richardson, rel=1e-6, abs=1e-6), names[i]


PLACED = SHAPES | {"gl": {"beta": 0.4, "xi": 0.8}}


@pytest.mark.parametrize("name", PLACED)
def test_draws_of_observed_flow_follow_the_density(name):
    """Transformed, given their predecessors."""
    n = 3000
    flow = 2 + np.sin(np.arange(n) / 5)
    r = {"r": (0.5,)} if name == "gl" else {"r1": 0.5}
    options = {"ar": 1, "scale": "constant", "s0": 0.1, "transform": "log"}
    model = build(LIKELIHOODS[name], flow, flow, **options, **r, **PLACED[name])
    placed = residuals_of(model, "flow")
    shapes = PLACED[name].values()
    one = pt.constant(1.0, dtype="float64")
    fixed = graph_replace([placed.center, placed.sd], {model["factor"]: one}, strict=False)
    center, sd = (v.eval() for v in fixed)
    draws = pm.draw(graph_replace(model["flow"], {model["factor"]: one}), random_seed=1)
    x = (np.log(draws) - center) / sd
    uniform = np.exp(pm.logcdf(placed.family.dist(0.0, 1.0, *shapes), x).eval())
    assert stats.kstest(uniform, "uniform").pvalue > 0.01


def test_bad_options():
    flow = np.ones(5)
    for options, error, message in (
        ({"ar": 3}, ValueError, "ar must be 0, 1 or 2, found 3"),
        ({"transform": "cube"}, ValueError, "transform must be one of log, sqrt"),
        ({"scale": "square"}, ValueError, "scale must be one of constant, linear"),
        ({"scale": np.ones(3)}, ValueError, r"scale has shape \(3,\), expected \(5,\)"),
        ({"xi": 2}, TypeError, "unknown arguments xi"),
    ):
        with pytest.raises(error, match=message):
            build(LIKELIHOODS["normal"], flow, flow, **options)
    with pytest.raises(ValueError, match="power must not be negative"):
        BoxCox(-1)
    with pytest.raises(ValueError, match="b must be greater than 0"):
        LogSinh(1, 0)
    with pytest.raises(ValueError, match="2 partial autocorrelations are given for ar=1"):
        build(LIKELIHOODS["gl"], flow, flow, ar=1, r=(0.1, 0.2))
    with pytest.raises(ValueError, match="ar must be 0 to 4, found 5"):
        build(LIKELIHOODS["gl"], flow, flow, ar=5)
