"""How loose a tolerance may be for a posterior: what it shifts, and how rough it makes it.

    python -m benchmarks.tolerance [--data DATA] [--basins leaf_river fulda ...]
        [--models Hymod ...] [--errors gaussian]

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

Leaf River and the Fulda are embedded; the Sitter (`camels_ch`) and the French Broad River (`mopex`)
are read from DATA.
"""

import argparse
from pathlib import Path

import numpy as np
import pytensor

import pymc_hydro as ph
from benchmarks.bayes import ERRORS
from pymc_hydro.inference.approximation.coordinates import start_vector
from pymc_hydro.inference.approximation.curvature import compile_curvature
from pymc_hydro.inference.approximation.modes import find_modes

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
N_DRAWS, LINE = 24, 0.01 * np.arange(-10, 11)


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
        self.model = ph.build_model(model, basin, **ERRORS[errors], **settings)
        self.logp_dlogp = self.model.logp_dlogp_function(ravel_inputs=True)
        self.logp_dlogp.set_extra_values({})
        self.curvature = compile_curvature(self.model, self.logp_dlogp, self.model.initial_point())

    def mode(self, start=None):
        start = start_vector(self.model) if start is None else start
        return find_modes(self.logp_dlogp, self.curvature, [start])[0]

    def along(self, points):
        """Return log-probabilities, shape (n_point,), and gradients."""
        values, gradients = zip(*map(self.logp_dlogp, points), strict=True)
        return np.array(values, dtype=float), np.array(gradients)


def compare(model, basins, errors):
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
    for name, settings in CHOICES.items():
        loose = Posterior(model, first, errors, settings)
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--basins", nargs="+", choices=list(BASINS))
    parser.add_argument("--models", nargs="+", default=[cls.__name__ for cls in ph.MODELS])
    parser.add_argument("--errors", default="gaussian", choices=list(ERRORS))
    chosen = parser.parse_args()
    known = list(BASINS) if chosen.data else ["leaf_river", "fulda"]
    basins = {name: record(name, chosen.data) for name in chosen.basins or known}
    for snow in (False, True):
        some = {name: basin for name, basin in basins.items() if BASINS[name][0] is snow}
        for model_name in chosen.models if some else ():
            model = getattr(ph, model_name)(snow=snow)
            print(f"{model_name}, {chosen.errors} errors", flush=True)
            # Few evaluations: compiling the graph would take longer than all of them.
            with pytensor.config.change_flags(mode="FAST_COMPILE", cxx=""):
                compare(model, some, chosen.errors)


if __name__ == "__main__":
    main()
