"""How loose a tolerance may be for a posterior: what it shifts, and how rough it makes it.

    python -m benchmarks.tolerance [--data DATA] [--basins leaf_river fulda ...]
        [--models Hymod ...] [--errors gaussian] [--choices 1e-3 ...] [--chains DRAWS]
    python -m benchmarks.tolerance --near --models m_01 ...

Five years daily, one of warm-up. The reference is the posterior at a tolerance of 1e-6: its mode
and its approximation. For each looser tolerance, and for one step a day:

- shift: the largest difference of a parameter's mode, in units of its standard deviation;
- sd: the standard deviation that differs most, as a ratio;
- spread: standard deviation of the error of the log-probability over draws of the reference;
- jumps: the error of the log-probability on a line through the mode, in steps of 0.01 standard
  deviations: what a straight line through three neighbours leaves;
- slope: the same line, the standard deviation of the error of the slope along it, per standard
  deviation;
- gain: twice what one more Newton step promises, and whether the search converged.

With `--chains`, two chains of NUTS of that many draws each, from the approximation at 1e-6 with its
metric, at 1e-6 and at each choice: R-hat and effective draws of the worst parameter, divergences,
effective draws per CPU second, and the largest difference of a mean from that at 1e-6, in standard
deviations and in Monte Carlo errors of the difference.

With `--near`, any model by its name (m_01), without a search: observations are a run at 1e-6 with
the default parameters and Gaussian errors; `shift` is the difference of a Newton step from there,
and `spread` is over draws of the Gauss-Newton approximation.

Leaf River and the Fulda are embedded; the Sitter (`camels_ch`) and the French Broad River (`mopex`)
are read from DATA.
"""

import argparse
import time
from pathlib import Path

import arviz as az
import numpy as np
import pymc as pm
import pytensor

import pymc_hydro as ph
from benchmarks.bayes import ERRORS as OF_BAYES
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array
from pymc_hydro.inference.approximation.coordinates import start_vector
from pymc_hydro.inference.approximation.curvature import compile_curvature
from pymc_hydro.inference.approximation.modes import find_modes
from pymc_hydro.models.listing import as_model

REFERENCE = {"rtol": 1e-6, "atol": 1e-6}
CHOICES = {
    "1e-4": {"rtol": 1e-4, "atol": 1e-4},
    "1e-3": {"rtol": 1e-3, "atol": 1e-3},
    "1e-2": {"rtol": 1e-2, "atol": 1e-2},
    "steps=1": {"steps": 1},
}
# Of the basin: whether it snows, and the last day of the record.
BASINS = {
    "leaf_river": (False, "1957-07-27"),
    "french_broad": (False, "1965-09-30"),
    "fulda": (True, "1983-12-31"),
    "sitter": (True, "2004-12-31"),
}
ERRORS = OF_BAYES | {"recommended": {"likelihood": "recommended"}}
N_DRAWS, LINE = 24, 0.01 * np.arange(-10, 11)
FAR = 50.0  # in log-probability, below which a draw is no draw of a posterior


def record(name, data):
    """Return five years of a basin."""
    if name == "sitter":
        basin = ph.read_camels_ch(data / "camels_ch", "2112")
    elif name == "french_broad":
        basin = ph.read_mopex(data / "mopex" / "03443000.dly")
    else:
        basin = ph.load_basin(name)
    return basin.sel(time=slice(None, BASINS[name][1])).isel(time=slice(-1826, None))


class Posterior:
    """A posterior at one tolerance, whose record can be changed."""

    def __init__(self, model, basin, errors, settings):
        self.tolerance = settings.get("rtol", 0.0)
        self.model = ph.build_model(model, basin, **ERRORS[errors], **settings)
        self.logp_dlogp = self.model.logp_dlogp_function(ravel_inputs=True)
        self.logp_dlogp.set_extra_values({})
        self.curvature = compile_curvature(self.model, self.logp_dlogp, self.model.initial_point())

    def mode(self, start=None):
        start = start_vector(self.model) if start is None else start
        return find_modes(self.logp_dlogp, self.curvature, [start], self.tolerance)[0]

    def along(self, points):
        """Return log-probabilities, shape (n_point,), and gradients."""
        values, gradients = zip(*map(self.logp_dlogp, points), strict=True)
        return np.array(values, dtype=float), np.array(gradients)


def compare(model, basins, errors, choices):
    """Print the figures of one model: a line for each basin and tolerance."""
    first = next(iter(basins.values()))
    exact, known = Posterior(model, first, errors, REFERENCE), {}
    rng = np.random.default_rng(1)
    for basin_name, basin in basins.items():
        ph.set_basin(basin, exact.model)
        reference = exact.mode()
        if not reference.converged:
            print(f"  {basin_name}: the search for the reference did not converge", flush=True)
        root = np.linalg.cholesky(reference.covariance)
        draws = reference.z + rng.normal(size=(N_DRAWS, root.shape[0])) @ root.T
        direction = rng.normal(size=root.shape[0])
        direction = root @ (direction / np.linalg.norm(direction))
        line = reference.z + LINE[:, None] * direction
        known[basin_name] = reference, draws, exact.along(draws)[0], direction, line
        known[basin_name] += exact.along(line)
    for name in choices:
        loose = Posterior(model, first, errors, CHOICES[name])
        for basin_name, basin in basins.items():
            ph.set_basin(basin, loose.model)
            print(f"  {basin_name:12s} {name:8s} {figures(loose, *known[basin_name])}", flush=True)


def figures(loose, reference, draws, of_draws, direction, line, of_line, slopes):
    """Return what the head of the module names, as text."""
    found, sd = loose.mode(reference.z), np.sqrt(np.diag(reference.covariance))
    ratio = np.sqrt(np.diag(found.covariance)) / sd
    values, gradients = loose.along(line)
    numbers = {
        "shift": np.abs((found.z - reference.z) / sd).max(),
        "sd": ratio[np.argmax(np.abs(np.log(ratio)))],
        "spread": np.std(loose.along(draws)[0] - of_draws),
        "jumps": np.abs(np.diff(values - of_line, 2)).max() / 2,
        "slope": ((gradients - slopes) @ direction).std(),
        "gain": found.decrement,
        "converged": found.converged,
    }
    return "  ".join(f"{n} {v:8.2g}" for n, v in numbers.items())


def near(model, basin, choices):
    """Print shift and spread around the default parameters: a line for each tolerance."""
    forcing, theta = forcing_array(model, basin), np.array(model.default)
    rng = np.random.default_rng(1)

    def run(settings, theta):
        problem = define_problem(model, ("discharge",), 1.0, **settings)
        found = problem.run(theta, forcing, model.initial_state, sensitivities=True)
        return found.values[365:, 0], found.jacobian[365:, 0]

    flow, jacobian = run(REFERENCE, theta)
    sigma = 0.1 * flow.std() + 0.1 * flow
    observed = flow + sigma * rng.normal(size=flow.size)
    scaled, width = jacobian / sigma[:, None], model.upper - model.lower
    covariance = np.linalg.inv(scaled.T @ scaled + np.diag(12 / width**2))
    draws = theta + rng.normal(size=(N_DRAWS, theta.size)) @ np.linalg.cholesky(covariance).T
    draws = np.clip(draws, model.lower + 0.01 * width, model.upper - 0.01 * width)

    def of_draws(settings):
        errors = np.array([(observed - run(settings, draw)[0]) / sigma for draw in draws])
        return -0.5 * (errors**2).sum(axis=1)

    exact, slope = of_draws(REFERENCE), ((observed - flow) / sigma**2) @ jacobian
    likely = exact > exact.max() - FAR
    for name in choices:
        flow, jacobian = run(CHOICES[name], theta)
        change = covariance @ (((observed - flow) / sigma**2) @ jacobian - slope)
        shift = np.abs(change / np.sqrt(np.diag(covariance))).max()
        spread = np.std((of_draws(CHOICES[name]) - exact)[likely])
        print(
            f"  {name:8s} shift {shift:8.2g}  spread {spread:8.2g}  {likely.sum()} draws",
            flush=True,
        )


def chains(model, basin, errors, choices, draws):
    """Print what chains of NUTS say: a line for each tolerance."""
    mode, exact = None, None
    for name in ("1e-6", *choices):
        settings = {"1e-6": REFERENCE, **CHOICES}[name]
        with ph.build_model(model, basin, **ERRORS[errors], **settings):
            approximation = ph.fit_laplace(start=mode, random_seed=1)
            mode = approximation.mode
            begun = time.process_time()
            idata = pm.sample(
                draws=draws,
                tune=draws // 2,
                cores=1,
                random_seed=1,
                progressbar=False,
                compute_convergence_checks=False,
                **approximation.nuts(chains=2, random_seed=1, target_accept=0.9),
            )
        seconds = time.process_time() - begun
        found = idata["posterior"].to_dataset() if hasattr(idata, "children") else idata.posterior
        found = found[list(mode)]
        r_hat, effective, error, mean, sd = (
            np.concatenate([np.ravel(of[n]) for n in found])
            for of in (
                az.rhat(found),
                az.ess(found),
                az.mcse(found),
                found.mean(("chain", "draw")),
                found.std(("chain", "draw")),
            )
        )
        exact = (mean, sd, error) if exact is None else exact
        away = np.abs(mean - exact[0])
        numbers = {
            "R-hat": r_hat.max(),
            "ESS": effective.min(),
            "divergences": int(idata["sample_stats"]["diverging"].sum()),
            "ESS/s": effective.min() / seconds,
            "away, sd": (away / exact[1]).max(),
            "away, errors": (away / np.hypot(error, exact[2])).max(),
        }
        text = "  ".join(f"{n} {v:8.4g}" for n, v in numbers.items())
        print(f"  {name:8s} {text}  converged {approximation.converged}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--basins", nargs="+", choices=list(BASINS))
    parser.add_argument("--models", nargs="+", default=[cls.__name__ for cls in ph.MODELS])
    parser.add_argument("--errors", default="gaussian", choices=list(ERRORS))
    parser.add_argument("--choices", nargs="+", default=list(CHOICES), choices=list(CHOICES))
    parser.add_argument("--chains", type=int, metavar="DRAWS")
    parser.add_argument("--near", action="store_true")
    chosen = parser.parse_args()
    for model_name in chosen.models if chosen.near else ():
        print(f"{model_name}, near the default parameters", flush=True)
        near(as_model(model_name), record((chosen.basins or ["fulda"])[0], None), chosen.choices)
    if chosen.near:
        return
    known = list(BASINS) if chosen.data else ["leaf_river", "fulda"]
    basins = {name: record(name, chosen.data) for name in chosen.basins or known}
    for snow in (False, True):
        some = {name: basin for name, basin in basins.items() if BASINS[name][0] is snow}
        for model_name in chosen.models if some else ():
            model = getattr(ph, model_name)(snow=snow)
            print(f"{model_name}, {chosen.errors} errors", flush=True)
            if chosen.chains:
                for basin_name, basin in some.items():
                    print(f" {basin_name}", flush=True)
                    chains(model, basin, chosen.errors, chosen.choices, chosen.chains)
                continue
            # Few evaluations: compiling the graph would take longer than all of them.
            with pytensor.config.change_flags(mode="FAST_COMPILE", cxx=""):
                compare(model, some, chosen.errors, chosen.choices)


if __name__ == "__main__":
    main()
