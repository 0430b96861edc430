"""Worked values, limits, gaps, and what is refused."""

from functools import partial

import numpy as np
import pandas as pd
import pytensor
import pytensor.tensor as pt
import pytest
from scipy import special, stats

from pymc_hydro import losses as ls
from tests.losses.cases import covariance, flows

Y = np.array([1.0, 2, 3, 4, np.nan])
NAMED = ls.LOSSES | ls.SCORES
TRANSFORMED = ["nse_log", "nse_box_cox", "nse_inverse"]


def test_worked_values():
    assert ls.nse(Y, np.full(5, 2.5)) == 0
    # Doubled flow: r = 1, a = 2, b = 2; the coefficient of variation and the ranks stay.
    assert ls.kge(Y, 2 * Y) == pytest.approx(1 - np.sqrt(2))
    assert ls.kge_2012(Y, 2 * Y) == pytest.approx(0)
    assert ls.kge_nonparametric(Y, 2 * Y) == pytest.approx(0)
    q = np.array([1.0, 2, 3, 6, 9])
    assert ls.ssr(Y, q) == 4 and ls.sar(Y, q) == 2 and ls.mae(Y, q) == 0.5 and ls.rmse(Y, q) == 1
    assert ls.ssr(Y, q, weights=[1, 1, 1, 0, 1]) == 0
    assert ls.volume_bias(Y, q) == pytest.approx((12 / 10 - 1) ** 2)
    assert ls.gls(Y, q, covariance=[1, 1, 1, 2, 1]) == pytest.approx(2)
    assert ls.fdc_quantile(Y, [6, 3, 2, 1, 0]) == 1  # in any order
    assert ls.segment_bias(Y, q, segment="high") == pytest.approx(50)


def test_spearman_and_energy_distance_agree_with_scipy(rng):
    y, q = flows(rng, missing=0)
    energy = stats.energy_distance(y, q) ** 2 / 2  # SciPy's is sqrt(2 D)
    assert ls.fdc_energy(y, q) == pytest.approx(energy, rel=1e-10)
    shape = 1 - 0.5 * np.abs(np.sort(q) / q.sum() - np.sort(y) / y.sum()).sum()
    expected = (stats.spearmanr(y, q).statistic - 1) ** 2 + (shape - 1) ** 2
    expected += (q.mean() / y.mean() - 1) ** 2
    assert ls.kge_nonparametric(y, q) == pytest.approx(1 - np.sqrt(expected), rel=1e-12)
    tied = np.round(q)
    assert ls.kge_nonparametric(tied, tied) == pytest.approx(1)


def test_gradual_ranks_are_sums_over_pairs(rng):
    y, q = flows(rng, missing=0)
    e = 0.01 * np.median(y)

    def rank(x):
        x = np.log(x + e)
        return np.clip(0.5 + (x[:, None] - x[None, :]) / 0.4, 0, 1).sum(1)

    shape = 1 - 0.5 * np.abs(np.sort(q) / q.sum() - np.sort(y) / y.sum()).sum()
    parts = (np.corrcoef(rank(y), rank(q))[0, 1], shape, q.mean() / y.mean())
    expected = 1 - np.sqrt(sum((p - 1) ** 2 for p in parts))
    assert ls.kge_nonparametric(y, q, rank_width=0.2) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(
    ("loss", "rho"),
    [
        (ls.huber, lambda u: special.huber(1.345, u)),
        (ls.pseudo_huber, lambda u: special.pseudo_huber(1.345, u)),
        (ls.log_cosh, lambda u: 1.2047**2 * np.log(np.cosh(u / 1.2047))),
        (ls.cauchy, lambda u: 2.3849**2 / 2 * np.log(1 + (u / 2.3849) ** 2)),
        (ls.tukey, lambda u: 4.685**2 / 6 * (1 - np.clip(1 - (u / 4.685) ** 2, 0, 1) ** 3)),
    ],
)
def test_robust_losses_and_their_efficiency(loss, rho):
    u = np.array([-8.0, -4, -1, -0.1, 0, 0.3, 2, 5, 30])
    found = [loss([1.0], [1.0 - x], scale=1.0) for x in u]
    np.testing.assert_allclose(found, rho(u), rtol=1e-9)
    # 95 % asymptotic efficiency at normal errors, E[psi']^2 / E[psi^2]: the meaning of threshold.
    x = np.linspace(-9, 9, 20001)
    density = stats.norm.pdf(x)
    psi = np.gradient(rho(x), x)
    share = np.trapezoid(np.gradient(psi, x) * density, x) ** 2
    efficiency = share / np.trapezoid(psi**2 * density, x)
    assert efficiency == pytest.approx(0.95, abs=0.005)


def test_scale_of_observations():
    assert ls.observed_scale([1.0, 2, 3, 4, 100]) == pytest.approx(1.4826)
    assert ls.observed_scale([0.0, 0, 0, 0, 7]) == 7  # no deviation: the positive flows
    assert ls.observed_scale([0.0, 0.0]) == 1e-6


@pytest.mark.parametrize("name", NAMED)
def test_gaps_have_no_influence(name, rng):
    observed, simulated = flows(rng)
    base = NAMED[name](observed, simulated)
    moved = np.where(np.isnan(observed), 1e3, simulated)
    assert NAMED[name](observed, moved) == base
    moved[np.isnan(observed)] = np.nan
    assert NAMED[name](observed, moved) == base


@pytest.mark.parametrize("name", [n for n in NAMED if n.startswith("fdc")])
def test_duration_curves_do_not_see_time(name, rng):
    observed, simulated = flows(rng, missing=0)
    shuffled = NAMED[name](rng.permutation(observed), rng.permutation(simulated))
    assert shuffled == pytest.approx(NAMED[name](observed, simulated), rel=1e-10)


def test_transforms_are_what_they_say(rng):
    y, q = flows(rng, missing=0)
    e = 0.01 * y.mean()
    for kind, f in {
        "log": lambda x: np.log(x + e),
        "sqrt": np.sqrt,
        "box_cox": lambda x: ((x + e) ** 0.2 - 1) / 0.2,
        "log_sinh": lambda x: np.log(np.sinh(0.1 + 0.2 * x)) / 0.2,
        "inverse": lambda x: -1 / (x + e),
    }.items():
        assert ls.nse(y, q, transform=kind) == pytest.approx(ls.nse(f(y), f(q)), rel=1e-12)
    assert ls.nse(y, q, transform=ls.box_cox(1.0, 0.0)) == pytest.approx(ls.nse(y, q))
    # The square root takes zero flow; its derivative there is zero.
    variable = pt.dvector()
    value = ls.ssr([0.0, 1.0], variable, transform="sqrt")
    gradient = pytensor.function([variable], pytensor.grad(value, variable))
    np.testing.assert_array_equal(gradient([0.0, 1.0]), [0, 0])


def test_zero_flow_and_constant_flow():
    dry = np.tile([0.0, 0, 0, 2, 1, 0.5, 0], 10)
    dry[40:50] += 1
    wet = np.tile([0.1, 0, 0, 1, 1, 0.5, 0.3], 10)
    # A curve that ends in zero for a third of the time has no low segment.
    named = NAMED | {"fdc_segments": partial(ls.fdc_segments, segments=("high", "middle"))}
    for name, function in named.items():
        assert np.isfinite(function(dry, wet)), name
    constant = np.full(70, 0.7)
    for name in ("kge", "kge_2012", "kge_nonparametric", "jkge"):
        assert np.isnan(NAMED[name](dry, constant)), name  # no correlation
    for name in ("ssr", "huber", "tukey", "fdc_energy", "fdc_log_quantile", "volume_bias"):
        assert np.isfinite(NAMED[name](constant, wet)), name
    for n in (1, 2):
        assert ls.ssr(np.arange(1.0, n + 1), np.ones(n)) == (n - 1)


def test_signs_of_the_segments():
    y = 10 * np.exp(-np.arange(100.0) / 20) + 0.05
    # Yilmaz et al. (2008): more peak flow, a steeper curve, more base flow are positive.
    for segment, more in (("high", 1.2 * y), ("middle", y**1.2), ("low", y + 0.5)):
        assert ls.segment_bias(y, more, segment=segment) > 1
    assert ls.segment_bias(y, y - 0.04, segment="low") < -1


def test_a_masked_value_is_a_missing_one():
    masked = np.ma.array([1.0, -99, 2, 4], mask=[False, True, False, False])
    assert ls.ssr(masked, [2.0, 1, 1, 1]) == 1 + 1 + 9
    assert np.isnan(ls.ssr([2.0, 1, 1, 1], masked))


def test_series_of_other_dates_are_not_compared():
    days = pd.date_range("2000-01-01", periods=4)
    y, late = pd.Series(Y[:4], days), pd.Series(Y[:4], days + pd.Timedelta("1D"))
    assert ls.ssr(y, y.to_xarray().rename(index="time")) == 0
    for other in (late, late.to_xarray().rename(index="time")):
        with pytest.raises(ValueError, match="different dates, first 2000-01-01"):
            ls.ssr(y, other)


@pytest.mark.parametrize(
    "name",
    [*TRANSFORMED, "fdc_log_quantile", "fdc_segments", "recession", "recession_plot"],
)
def test_codes_of_missing_values_are_refused(name, rng):
    y, q = flows(rng, missing=0)
    code = np.where(np.arange(y.size) == 7, -999.0, y)
    with pytest.raises(ValueError, match=r"-999 at position 7|first -999 at position 7"):
        NAMED[name](code, q)
    with pytest.raises(ValueError, match="negative"):
        NAMED[name](y, np.where(y.argsort().argsort() == 0, -99.0, q) - 50)


def test_jkge_of_shifted_flow_has_bias_only(rng):
    y, _ = flows(rng)
    relative = ls.jkge(y, y + 0.5, benchmark="mean", bias="relative")
    assert relative == pytest.approx(1 - 0.5 / np.nanmean(y), rel=1e-10)


def test_climatology_is_the_mean_of_each_month(rng):
    time = np.arange("2001-01", "2004-01", dtype="datetime64[M]").astype("datetime64[D]")
    y, q = flows(rng, time.size, missing=0)
    found = ls.jkge(y, q, benchmark="climatology", time=time)
    m_y, m_q = (np.tile(x.reshape(3, 12).mean(0), 3) for x in (y, q))
    a_y, a_q = y - m_y, q - m_q
    bias = ((m_q - m_y) ** 2).sum() / ((m_y - y.mean()) ** 2).sum()
    r = (a_y @ a_q) / np.sqrt((a_y @ a_y) * (a_q @ a_q))
    alpha = np.sqrt((a_q @ a_q) / (a_y @ a_y))
    expected = 1 - np.sqrt(bias + (1 - alpha) ** 2 + (1 - r) ** 2)
    assert found == pytest.approx(expected, rel=1e-10)


def test_recession_of_an_exponential_is_its_rate():
    y, q = np.exp(-0.1 * np.arange(11)), np.exp(-0.3 * np.arange(11))
    found = ls.recession(1e6 * y, 1e6 * q, precipitation=np.zeros(11))
    e = 0.01 * np.median(1e6 * y)
    k_y, k_q = (-np.diff(np.log(1e6 * x + e)) for x in (y, q))
    assert found == pytest.approx(((k_y - k_q) ** 2).sum())
    assert ls.recession_plot(y, y) == 0
    assert ls.recession_plot(y, 2 * y) > 1e-6


def test_several_variables():
    y = {"discharge": Y, "swe": np.array([0.0, 10, np.nan, 30, 0])}
    q = {"discharge": np.array([1.0, 2, 3, 3, 0]), "swe": np.array([0.0, 12, 5, 30, 0])}
    losses = {"discharge": "nse", "swe": "ssr"}
    parts = 1 - ls.nse(Y, q["discharge"]), 4.0
    benchmark = ls.ssr(y["swe"], np.full(5, 10.0))
    combine = partial(ls.multi_output, y, losses=losses)
    assert combine(q) == pytest.approx(0.5 * (parts[0] + parts[1] / benchmark))
    weighted = combine(q, weights={"discharge": 3, "swe": 1}, normalisation="none")
    assert weighted == pytest.approx(0.75 * parts[0] + 0.25 * parts[1])
    assert combine(q, normalisation="initial", initial=q) == pytest.approx(1)
    assert combine(q, normalisation={"discharge": 1, "swe": 8}) == pytest.approx(
        0.5 * (parts[0] + parts[1] / 8)
    )
    graph = {name: pt.as_tensor(series) for name, series in q.items()}
    assert combine(graph).eval() == pytest.approx(combine(q))

    def own(observed, simulated):  # for graphs only
        there = np.flatnonzero(np.isfinite(observed))
        return pt.sqr(observed[there] - simulated[there]).sum()

    mixed = partial(ls.multi_output, y, losses={"discharge": "nse", "swe": own})
    assert mixed(graph).eval() == pytest.approx(combine(q))


def test_names_and_directions():
    assert ls.find_loss("nse") == (ls.nse, -1)
    assert ls.find_loss(partial(ls.kge, transform="sqrt"))[1] == -1
    assert ls.find_loss("huber") == (ls.huber, 1)
    assert ls.find_loss(lambda y, q: 0)[1] == 1
    with pytest.raises(KeyError, match="unknown loss 'rsme'; known are nse"):
        ls.find_loss("rsme")
    with pytest.raises(TypeError, match="expected a name or a function"):
        ls.find_loss(3)


@pytest.mark.parametrize("name", NAMED)
def test_what_every_loss_refuses(name):
    loss = NAMED[name]
    with pytest.raises(ValueError, match="all observations are missing"):
        loss([np.nan, np.nan], [1.0, 2.0])
    with pytest.raises(ValueError, match="same intervals"):
        loss([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="same intervals"):
        loss([1.0, 2.0], pt.tensor("q", shape=(3,)))
    with pytest.raises(ValueError, match="infinite"):
        loss([1.0, np.inf], [1.0, 2.0])


@pytest.mark.parametrize(
    "name", [n for n in ls.SCORES if "jkge" not in n] + ["recession", "recession_plot"]
)
def test_constant_observations(name):
    with pytest.raises(ValueError, match=r"constant|falls in no two"):
        NAMED[name]([1.0, 1.0], [1.0, 2.0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: ls.nse([0.0, 1], [1.0, 1], transform=ls.Transform("log", offset=0)),
            ValueError,
            "flow 0 at position 0",
        ),
        (lambda: ls.nse([1.0, 2], [1.0, -1], transform="log"), ValueError, "flow -1 at position 1"),
        (lambda: ls.ssr([1.0, 2], [1.0, -1], transform="sqrt"), ValueError, "no sqrt transform"),
        (
            lambda: ls.ssr([0.0, 0], [1.0, 1], transform="log"),
            ValueError,
            "observed flows are zero",
        ),
        (lambda: ls.nse(Y, Y, transform="cube"), KeyError, "known are none, log"),
        (lambda: ls.nse(Y, Y, transform=["log"]), KeyError, r"unknown \['log'\]; known are"),
        (lambda: ls.Transform("box_cox", power="a"), ValueError, "power must be a number"),
        (lambda: ls.Transform("log", offset="a"), ValueError, "offset must be >= 0 mm/d"),
        (lambda: ls.box_cox(-1), ValueError, r"see Power\(-1\)"),
        (lambda: ls.Power(0), ValueError, r"logarithms are BoxCox\(0\)"),
        (lambda: ls.Transform("log", power=0.3), ValueError, "'log' has no power"),
        (lambda: ls.Transform("log_sinh", offset=0.3), ValueError, "has no offset"),
        (lambda: ls.Transform("log", offset=-1), ValueError, "must be >= 0"),
        (lambda: ls.ssr(Y, Y, weights=[1, 2]), ValueError, "weights has shape"),
        (lambda: ls.ssr(Y, Y, weights=-np.ones(5)), ValueError, "must be >= 0"),
        (lambda: ls.gls(Y, Y, covariance=np.ones(3)), ValueError, "covariance has shape"),
        (lambda: ls.gls(Y, Y, covariance=0), ValueError, "must be positive"),
        (lambda: ls.gls(Y, Y, covariance=-np.eye(5)), ValueError, "not positive definite"),
        (lambda: ls.gls(Y, Y, covariance=np.triu(covariance(5))), ValueError, "not symmetric"),
        (lambda: ls.huber(Y, Y, threshold=0), ValueError, "threshold must be positive"),
        (lambda: ls.huber(Y, Y, scale=-1), ValueError, "scale must be positive"),
        (lambda: ls.huber(pt.dvector(), Y), TypeError, "give scale"),
        *(
            (lambda loss=loss: loss(pt.dvector(), Y), TypeError, "must be numbers")
            for loss in (
                ls.jkge,
                ls.kge_nonparametric,
                ls.recession,
                ls.recession_plot,
                ls.fdc_skill,
                ls.fdc_log_quantile,
                ls.fdc_segments,
                ls.segment_bias,
            )
        ),
        (lambda: ls.jkge(Y, Y, benchmark="x"), KeyError, "known are moving_average"),
        (lambda: ls.jkge(Y, Y, bias="x"), KeyError, "known are variance"),
        (lambda: ls.jkge(Y, Y, window=4), ValueError, "odd"),
        (lambda: ls.jkge(Y, Y, benchmark="climatology"), ValueError, "needs time="),
        (
            lambda: ls.jkge(Y, Y, benchmark="climatology", time=np.arange(5)),
            ValueError,
            "must be datetime64",
        ),
        (lambda: ls.jkge(Y, Y, benchmark="mean"), ValueError, "use bias='relative'"),
        (lambda: ls.jkge(np.ones(9), Y), ValueError, "same intervals"),
        (lambda: ls.jkge(np.ones(9), np.ones(9)), ValueError, "equal to their benchmark"),
        (lambda: ls.kge_nonparametric(Y, Y, rank_width=-1), ValueError, "rank_width"),
        (lambda: ls.segment_bias(Y, Y, segment="x"), KeyError, "known are high"),
        (lambda: ls.segment_bias(np.ones(9), np.ones(9), segment="low"), ValueError, "flat"),
        (lambda: ls.fdc_log_quantile(np.zeros(9), np.ones(9)), ValueError, "no observed flow"),
        (lambda: ls.volume_bias(np.zeros(9), np.ones(9)), ValueError, "all observed flows are"),
        (lambda: ls.fdc_segments(Y, Y, segments=()), ValueError, "a sequence of high, middle, low"),
        (lambda: ls.fdc_segments(Y, Y, segments="high"), ValueError, "a sequence of high"),
        (lambda: ls.fdc_skill(np.full(60, 0.1), np.ones(60)), ValueError, "constant"),
        (lambda: ls.fdc_skill(Y, Y, divergence="fdc_quantile"), TypeError, "must be a function"),
        (lambda: ls.gls(Y, Y, covariance=pt.dscalar()), TypeError, "covariance must be numbers"),
        (lambda: ls.gls(Y, Y, covariance=np.full((5, 5), np.nan)), ValueError, "missing or inf"),
        (lambda: ls.ssr(Y, Y, weights=pt.dvector()), TypeError, "weights must be numbers"),
        (lambda: ls.ssr(Y, Y, weights=np.zeros(5)), ValueError, "all observations are zero"),
        (lambda: ls.huber(Y, Y, scale=pt.dscalar()), TypeError, "scale must be a number"),
        (lambda: ls.recession(Y[::-1], Y, precipitation=np.ones(5)), ValueError, "with rain up to"),
        (lambda: ls.recession(Y[::-1], Y, precipitation=np.ones(4)), ValueError, "precipitation"),
        (lambda: ls.recession_plot([2.0, 1, 2, 1], np.ones(4)), ValueError, "two different flows"),
    ],
)
def test_arguments_that_make_no_sense(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"observed": {}}, KeyError, "observed lacks 'discharge'"),
        ({"weights": {"discharge": 1, "swe": 1}}, KeyError, "which have no loss"),
        ({"weights": {"discharge": -1}}, ValueError, "must be >= 0"),
        ({"normalisation": "mean"}, KeyError, "known are auto"),
        ({"normalisation": {"discharge": 0}}, ValueError, "must be positive"),
        ({"normalisation": "initial"}, KeyError, "needs initial"),
        ({"normalisation": "benchmark", "losses": {"discharge": "kge"}}, ValueError, "is nan"),
        ({"observed": {"discharge": np.ones(5)}}, ValueError, "'discharge' is 0.0 for the obs"),
    ],
)
def test_several_variables_that_make_no_sense(changed, error, message):
    arguments = {
        "observed": {"discharge": Y},
        "simulated": {"discharge": Y},
        "losses": {"discharge": "ssr"},
    }
    with pytest.raises(error, match=message):
        ls.multi_output(**(arguments | changed))


def test_evaluation_has_every_score(rng):
    y, q = flows(rng)
    found = ls.evaluate(y, q)
    assert set(ls.SCORES) < set(found)
    assert found["kge"] == ls.kge(y, q) and found["bias_low"] == ls.segment_bias(
        y, q, segment="low"
    )
    there = np.isfinite(y)
    bias = 100 * (q[there].sum() / y[there].sum() - 1)
    assert found["percent_bias"] == pytest.approx(bias) == ls.percent_bias(y, q)
    assert ls.percent_bias(y, 1.1 * np.nan_to_num(y, nan=5.0)) == pytest.approx(10)
    dry = ls.evaluate(np.zeros(9), np.ones(9))  # nearly nothing is defined
    assert dry["rmse"] == 1 and np.isnan(dry["nse"]) and np.isnan(dry["percent_bias"])
    with pytest.raises(ValueError, match="all observations are missing"):
        ls.evaluate([np.nan], [1.0])


def test_worked_values_of_the_middle_and_low_segments():
    """FMS and FLV of ten flows: exceeded 20 and 70 % of the time, and from 70 % on."""
    y, q = np.arange(10.0, 0.0, -1), np.array([30.0, 20, 16, 8, 7, 6, 5, 2, 1.5, 0.5])
    e = 0.01 * 5.5

    def log(x):
        return np.log(x + e)

    of_y, of_q = log(8) - log(3), log(16) - log(2)
    expected = 100 * (of_q - of_y) / of_y
    assert ls.segment_bias(y, q, segment="middle") == pytest.approx(expected, rel=1e-12)
    of_y, of_q = (log(2) + log(3) - 2 * log(1)), (log(1.5) + log(2) - 2 * log(0.5))
    expected = -100 * (of_q - of_y) / of_y
    assert ls.segment_bias(y, q, segment="low") == pytest.approx(expected, rel=1e-12)
    assert ls.segment_bias(y, q, segment="high") == pytest.approx(200)
    thirds = [ls.segment_bias(y, q, segment=s) / 100 for s in ("high", "middle", "low")]
    assert ls.fdc_segments(y, q) == pytest.approx(np.mean(np.square(thirds)), rel=1e-12)


def test_options_in_plain_loops(rng):
    """Weights, covariances, rain, gaps, windows and references, written once more."""
    y, q = flows(rng, 80)
    n, there = y.size, np.isfinite(y)
    weights, rain = rng.uniform(0.5, 2, n), np.where(np.arange(n) % 5 == 2, 3.0, 0.05)
    e = (y - q)[there]
    assert ls.ssr(y, q, weights=weights) == pytest.approx((weights[there] * e**2).sum())
    assert ls.sar(y, q, weights=weights) == pytest.approx((weights[there] * np.abs(e)).sum())
    assert ls.mae(y, q) == pytest.approx(np.abs(e).mean())
    assert ls.rmse(y, q) == pytest.approx(np.sqrt((e**2).mean()))
    dense = covariance(n)[np.ix_(there, there)]
    assert ls.gls(y, q, covariance=covariance(n)) == pytest.approx(e @ np.linalg.solve(dense, e))
    deviation = y[there] - y[there].mean()
    assert ls.nse(y, q) == pytest.approx(1 - (e @ e) / (deviation @ deviation))
    # Recession pairs: consecutive, falling, dry on both days.
    small = 0.01 * np.median(y[there])
    for options, dry in (({}, np.full(n, True)), ({"precipitation": rain}, rain < 0.1)):
        pairs = [t for t in range(n - 1) if y[t + 1] < y[t] and dry[t] and dry[t + 1]]
        rates = [[np.log((x[t] + small) / (x[t + 1] + small)) for t in pairs] for x in (y, q)]
        expected = np.square(np.subtract(*rates)).sum()
        assert ls.recession(y, q, **options) == pytest.approx(expected)
        lines, center = [], None
        for x in (y, q):
            fall = np.array([x[t] - x[t + 1] for t in pairs])
            height = np.log((fall + np.sqrt(fall**2 + small**2)) / 2)
            at = np.log([(x[t] + x[t + 1]) / 2 + small for t in pairs])
            center = at.mean() if center is None else center
            lines.append(np.polyfit(at - center, height, 1))
        expected = np.square(np.subtract(*lines)).sum()
        assert ls.recession_plot(y, q, **options) == pytest.approx(expected)
    # Skill against the median, and blocks of ten intervals.
    still = np.full(there.sum(), np.median(y[there]))
    for divergence in (ls.fdc_energy, ls.fdc_quantile, ls.fdc_log_quantile):
        expected = 1 - divergence(y, q) / divergence(y[there], still)
        assert ls.fdc_skill(y, q, divergence=divergence) == pytest.approx(expected)
    block = (np.arange(n) // 10)[there]
    means = [np.array([x[there][block == b].mean() for b in block]) for x in (y, q)]
    (a_y, a_q), (m_y, m_q) = (y[there] - means[0], q[there] - means[1]), means
    r = (a_y @ a_q) / np.sqrt((a_y @ a_y) * (a_q @ a_q))
    alpha = np.sqrt((a_q @ a_q) / (a_y @ a_y))
    for bias, m in {
        "variance": ((m_q - m_y) ** 2).sum() / ((m_y - y[there].mean()) ** 2).sum(),
        "relative": ((m_q / m_y - 1) ** 2).mean(),
    }.items():
        expected = 1 - np.sqrt(m + (1 - alpha) ** 2 + (1 - r) ** 2)
        found = ls.jkge(y, q, benchmark="block", window=10, bias=bias)
        assert found == pytest.approx(expected, rel=1e-10)


def test_weights_and_covariances_of_observations_that_are_a_variable(rng):
    y, q = rng.gamma(2, 1, (2, 6))
    weights, variance = rng.uniform(0.5, 2, (2, 6))
    observed = pt.dvector()
    for loss, options in (
        (ls.ssr, {"weights": weights}),
        (ls.sar, {"weights": weights}),
        (ls.gls, {"covariance": variance}),
        (ls.gls, {"covariance": covariance(6)}),
    ):
        found = loss(observed, pt.constant(q), **options).eval({observed: y})
        assert found == pytest.approx(loss(y, q, **options), rel=1e-12)


def test_errors_and_biases_of_an_evaluation_are_by_their_names(rng):
    y, q = flows(rng)
    found = ls.evaluate(y, q)
    for name in ("rmse", "mae", "nse", "kge_2012", "jkge", "fdc_skill"):
        assert found[name] == getattr(ls, name)(y, q)
    for segment in ("high", "middle", "low"):
        assert found[f"bias_{segment}"] == ls.segment_bias(y, q, segment=segment)
    transforms = {"nse_log": "log", "nse_sqrt": "sqrt", "nse_box_cox": "box_cox"}
    for name, transform in (transforms | {"nse_inverse": "inverse"}).items():
        assert found[name] == ls.nse(y, q, transform=transform)
