"""`ph.calibrate` beside other optimisers, on the same model, record, bounds and axes.

    pip install -r benchmarks/requirements.txt
    python -m benchmarks.calibration DATA [--seeds 20] [--problems ...] [--methods ...] [--quick]

DATA as in `benchmarks/fits.py`. Methods:

- calibrate: eight starts, default settings; each integration carries its Jacobian.
- differences: SciPy's L-BFGS-B from the same eight starts, gradients by forward differences of
  value-only runs (counted one by one).
- evolution: SciPy's differential evolution as it comes: population of 15 times the parameters,
  stopped when its losses are within 1 % of each other or at 20 000 runs, then polished.
- sce-ua: spotpy's SCE-UA, as many complexes as parameters, stopped when thirty shuffles gain less
  than 1e-3 %, or at 20 000 runs.

All but the first use value-only runs. All search the axes of `calibrate`
(logarithmic for wide bounds), which helps the others. A seed is a success if it ends within 1e-3
NSE of the best value known: that of `--reference` runs of differential evolution (200 000 by
default; explicit steps, which take half the time without a Jacobian) or of any method; `--quick`
takes the latter. Seconds are of processor time, which other work on the machine hardly changes; on
one thread they are those of the clock. Runs and seconds are means over the seeds, and for a success
their sums by the number of successes: what it costs to repeat a method until it succeeds.
"""

import argparse
import contextlib
import io
import time
from pathlib import Path

import numpy as np
from scipy import optimize

import pymc_hydro as ph
from benchmarks.fits import BASINS, TOLERANCE, read, window
from pymc_hydro.calibration.space import define_space
from pymc_hydro.engine.problem import define_problem
from pymc_hydro.engine.simulate import forcing_array

WARMUP, STARTS = 365, 8
CLOSE = 1e-3  # NSE
SETTINGS = {"rtol": TOLERANCE, "atol": TOLERANCE}
PROBLEMS = tuple(f"{m}/{b}" for m in ("Hymod", "SacSma") for b in ("leaf", "03443000"))
BUDGET = 20_000  # runs a seed of the other methods
DIFFERENCE = 1e-6  # of an axis: above the tolerance of the runs, below their curvature


class Case:
    """One model and basin: NSE at positions from 0 to 1 on the axes, and a count of runs."""

    def __init__(self, name: str, folder: Path, years: int | None, **settings):
        model, basin = name.split("/")
        self.model = getattr(ph, model)(snow=False)
        self.basin = read(folder, basin).sel(time=window(BASINS[basin][0]))
        if years:
            self.basin = self.basin.isel(time=slice(0, WARMUP + 365 * years))
        self.space = define_space(self.model, {}, {}, "unit cube")
        self.problem = define_problem(self.model, ("discharge",), 1.0, **SETTINGS, **settings)
        self.forcing = forcing_array(self.model, self.basin)
        self.observed = self.basin["discharge"].values[WARMUP:]
        self.n = len(self.model.parameters)
        self.restart()

    def restart(self):
        """Forget all runs."""
        self.runs, self.best, self.where = 0, np.inf, None

    def loss(self, unit) -> float:
        """Return minus the NSE; a failed run is worse than any other."""
        self.runs += 1
        theta = self.space.from_unit(np.clip(unit, 0, 1))[0]
        run = self.problem.run(theta, self.forcing, self.model.initial_state)
        loss = 1e3 if run.status else -ph.losses.nse(self.observed, run.values[WARMUP:, 0])
        if loss < self.best:
            self.best, self.where = loss, np.array(unit)
        return loss

    def cost_of_jacobian(self) -> float:
        """Return the time of a run with Jacobian by one without, at the default parameters."""
        times = {}
        for sensitivities in (False, True):
            arguments = (self.model.default, self.forcing, self.model.initial_state)
            seconds = []
            for _ in range(8):  # the first one compiles
                begin = time.perf_counter()
                self.problem.run(*arguments, sensitivities=sensitivities)
                seconds.append(time.perf_counter() - begin)
            times[sensitivities] = min(seconds)
        return times[True] / times[False]


def calibrate(case, seed, budget):
    fit = ph.calibrate(
        case.model,
        case.basin,
        starts=STARTS,
        random_seed=seed,
        warmup=WARMUP,
        progressbar=False,
        **SETTINGS,
    )
    # Three more: the trial of the first start, the residuals at the optimum, the final simulation.
    case.runs, case.best = fit.integrations + 3, fit.loss


def differences(case, seed, budget):
    for unit in case.space.starts(STARTS, case.model.default, "latin hypercube", seed):
        optimize.minimize(
            case.loss,
            unit,
            method="L-BFGS-B",
            bounds=[(0, 1)] * case.n,
            options={"eps": DIFFERENCE, "maxfun": budget // STARTS},
        )


def evolution(case, seed, budget, **options):
    optimize.differential_evolution(
        case.loss,
        [(0, 1)] * case.n,
        maxiter=max(1, budget // (15 * case.n) - 1),
        seed=seed,
        **options,
    )


def sce_ua(case, seed, budget):
    import spotpy

    class Setup:
        bounds = [  # made once: spotpy draws 100 000 values of each that it makes
            spotpy.parameter.Uniform(name, 0, 1, minbound=0, maxbound=1)
            for name in case.model.parameter_names
        ]

        def parameters(self):
            return spotpy.parameter.generate(self.bounds)

        def simulation(self, vector):
            return [case.loss(np.array(list(vector)))]

        def evaluation(self):
            return [0.0]

        def objectivefunction(self, simulation, evaluation):
            return simulation[0]

    with contextlib.redirect_stdout(io.StringIO()):
        sampler = spotpy.algorithms.sceua(
            Setup(), dbname="sce", dbformat="ram", save_sim=False, random_state=seed
        )
        sampler.sample(budget, ngs=case.n, kstop=30, pcento=1e-3, peps=1e-6)


METHODS = {
    "calibrate": calibrate,
    "differences": differences,
    "evolution": evolution,
    "sce-ua": sce_ua,
}


def measure(case, method, seeds, budget):
    """Return the best NSE, the runs and the seconds of each seed, shape (n_seed, 3)."""
    found = []
    for seed in range(1, seeds + 1):
        case.restart()
        begin = time.process_time()
        METHODS[method](case, seed, budget)
        found.append((-case.best, case.runs, time.process_time() - begin))
    return np.array(found)


def report(name, case, results, reference):
    best = max(reference, *(found[:, 0].max() for found in results.values()))
    print(
        f"{name}: best NSE known {best:.5f} (reference {reference:.5f}); a Jacobian run costs "
        f"{case.cost_of_jacobian():.2f}"
    )
    print("method            best    median  success   runs  seconds | a success: runs  seconds")
    for method, found in results.items():
        nse, runs, seconds = found.T
        n = int((nse >= best - CLOSE).sum())
        each = f"{runs.sum() / n:8.0f} {seconds.sum() / n:8.2f}" if n else "    none"
        print(
            f"{method:12s} {nse.max():9.5f} {np.median(nse):9.5f} {n:4d}/{len(nse):<3d}"
            f"{runs.mean():7.0f} {seconds.mean():9.2f}        {each}",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--problems", nargs="+", default=list(PROBLEMS), choices=PROBLEMS)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--reference", type=int, default=200_000, help="runs for the best value")
    parser.add_argument("--quick", action="store_true", help="two years, one seed, 1000 runs")
    chosen = parser.parse_args()
    seeds, budget, years = chosen.seeds, chosen.reference, None
    if chosen.quick:
        seeds, budget, years = 1, 1000, 2
    for name in chosen.problems:
        case = Case(name, chosen.data, years)
        case.cost_of_jacobian()  # compiles
        results = {}
        for method in chosen.methods:
            results[method] = measure(case, method, seeds, min(budget, BUDGET))
        reference = -np.inf
        if not chosen.quick:
            explicit = Case(name, chosen.data, years, solver="bogacki_shampine")
            evolution(explicit, 0, budget, tol=0, polish=False)
            reference = -case.loss(explicit.where)
        report(name, case, results, reference)


if __name__ == "__main__":
    main()
