"""Whether `ph.sample` ends well: models, error models and basins.

    python -m benchmarks.chains [--models Hymod ...] [--basins leaf_river fulda]
        [--errors gaussian recommended] [--draws 500] [--tune 250] [--rtol 1e-3] [--data DATA]

Five years daily, one of warm-up; four chains on one core, in whitened coordinates from the highest
mode on. Leaf River and the Fulda are embedded; the Sitter and the French Broad River are read from
DATA. The table has the largest R-hat, the smallest number of effective draws, divergences,
gradients a draw, the gap between the lowest chain's mean log-probability and the mode's, and what
the verdict says.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np

import pymc_hydro as ph
from benchmarks.tolerance import BASINS, record

ERRORS = {
    "gaussian": {"likelihood": "normal"},
    "recommended": {"likelihood": "recommended", "memory": "flow"},
}
MODELS = ("Hymod", "Hmodel", "SacSma", "Xinanjiang", "HBV", "GR4J", "CFE")


def row(name, basin_name, errors, settings, rtol=None, data=None):
    """Return one row of the table."""
    model = getattr(ph, name)(snow=BASINS[basin_name][0])
    options = ERRORS[errors] | ({} if rtol is None else {"rtol": rtol, "atol": rtol})
    pymc_model = ph.build_model(model, record(basin_name, data), warmup=365, **options)
    begun = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        idata = ph.sample(
            pymc_model, cores=1, random_seed=1, progressbar=False, **settings
        )  # fmt: skip
    seconds = time.process_time() - begun
    found = idata["posterior"].attrs
    steps = float(idata["sample_stats"]["n_steps"].mean())
    return (
        f"| {name} | {basin_name} | {errors} | {found['r_hat']:.3f} "
        f"| {found['effective_draws']:.0f} | {found['divergences']} | {steps:.0f} "
        f"| {np.max(found['gaps']):.1f} | {seconds:.0f} | {found['verdict']} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--basins", nargs="+", default=("leaf_river", "fulda"))
    parser.add_argument("--errors", nargs="+", default=tuple(ERRORS))
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--tune", type=int, default=250)
    parser.add_argument("--rtol", type=float, help="of the integration; not given, the default")
    parser.add_argument("--data", type=Path)
    options = parser.parse_args()
    print("| model | basin | errors | R-hat | ESS | divergences | steps | gap | CPU s | verdict |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name in options.models:
        for basin in options.basins:
            for errors in options.errors:
                settings = {"draws": options.draws, "tune": options.tune}
                line = row(name, basin, errors, settings, options.rtol, options.data)
                print(line, flush=True)


if __name__ == "__main__":
    main()
