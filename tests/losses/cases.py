"""Every loss and score with its options, for tests of all of them."""

from functools import partial

import numpy as np

from pymc_hydro import losses as ls

N = 60
TIME = np.arange("2000-01-01", "2000-12-26", 6, dtype="datetime64[D]")[:N]


def covariance(n=N):
    lag = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    return 0.5 * 0.8**lag + 0.1 * np.eye(n)


WEIGHTS = np.linspace(0.0, 2.0, N)
OPTIONS = {
    "ssr weights": partial(ls.ssr, weights=WEIGHTS),
    "sar weights": partial(ls.sar, weights=WEIGHTS),
    "gls scalar": partial(ls.gls, covariance=0.3),
    "gls vector": partial(ls.gls, covariance=WEIGHTS + 0.1),
    "gls matrix": partial(ls.gls, covariance=covariance()),
    "segment high": partial(ls.segment_bias, segment="high"),
    "segment middle": partial(ls.segment_bias, segment="middle"),
    "segment low": partial(ls.segment_bias, segment="low"),
    "skill of quantiles": partial(ls.fdc_skill, divergence=ls.fdc_quantile),
    "skill of logarithms": partial(ls.fdc_skill, divergence=ls.fdc_log_quantile),
    "recession dry": partial(ls.recession, precipitation=np.arange(N) % 9, largest_rain=5),
    "jkge relative": partial(ls.jkge, bias="relative", window=7),
    "jkge block": partial(ls.jkge, benchmark="block", window=10),
    "jkge mean": partial(ls.jkge, benchmark="mean", bias="relative"),
    "jkge climatology": partial(ls.jkge, benchmark="climatology", time=TIME),
    "kge_nonparametric wide": partial(ls.kge_nonparametric, rank_width=0.4),
    "offset": partial(ls.ssr, transform=ls.Transform("log", offset=0.3)),
}
TRANSFORMED = {
    f"{name} of {kind}": partial(function, transform=kind)
    for name, function in {
        "ssr": ls.ssr,
        "sar": ls.sar,
        "rmse": ls.rmse,
        "mae": ls.mae,
        "huber": ls.huber,
        "tukey": ls.tukey,
        "gls": ls.gls,
        "kge": ls.kge,
        "kge_2012": ls.kge_2012,
        "kge_nonparametric": ls.kge_nonparametric,
        "fdc_energy": ls.fdc_energy,
        "fdc_quantile": ls.fdc_quantile,
        "jkge": ls.jkge,
    }.items()
    for kind in ls.TRANSFORMS
}
ALL = ls.LOSSES | ls.SCORES | OPTIONS | TRANSFORMED


def flows(rng, n=N, missing=0.2):
    """Return observed flow with gaps, and simulated flow near it."""
    observed = rng.gamma(1.0, 2.0, n) + 0.05
    simulated = observed * rng.uniform(0.6, 1.5, n)
    observed[rng.permutation(n)[: int(missing * n)]] = np.nan
    return observed, simulated


def as_graph(function):
    """Return `function` for arrays as it is for graphs: with the rank width of graphs."""
    plain = getattr(function, "func", function)
    keywords = getattr(function, "keywords", {})
    if plain is ls.kge_nonparametric and "rank_width" not in keywords:
        return partial(function, rank_width=0.1)
    return function
