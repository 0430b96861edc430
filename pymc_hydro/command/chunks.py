"""A posterior in chunks of chains: a job that is killed keeps the finished ones and goes on."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

import pymc_hydro as ph
from pymc_hydro.command.folder import Folder
from pymc_hydro.inference.sampling.verdict import FEWEST, R_HAT

__all__ = ["sample_in_chunks"]

CHAINS = 2  # of a chunk
NAME = "chains-{}.nc"


def sample_in_chunks(
    folder: Folder,
    key: dict,
    options: dict,
    cores: int,
    approximation: Any,
    say: Callable[[str], object],
) -> Any:
    """Return the posterior of the PyMC model in context, whose chains are sampled two at a time.

    Each chunk is a file of the folder, until :func:`Folder.finish` deletes it.

    Parameters
    ----------
    folder : Folder
    key : dict
        Data and settings that the draws depend on.
    options : dict
        ``draws``, ``tune``, ``chains`` and ``seed``.
    cores : int
    approximation : LaplaceApproximation
    say : callable
        Is given each line for the user.

    Returns
    -------
    DataTree, or InferenceData with PyMC 5
        As of :func:`pymc_hydro.sample`; `r_hat` and `effective_draws` are for all chains together.
    """
    parts = []
    starts = range(0, options["chains"], CHAINS)
    for chunk, first in enumerate(starts):
        name, chains = NAME.format(chunk), min(CHAINS, options["chains"] - first)
        of_chunk = key | {"chunk": [chunk, chains]}
        last = f"{first}" if chains == 1 else f"{first} and {first + chains - 1}"
        if folder.has(name, of_chunk, force=True):
            say(f"Chains {last} are there already and are kept.")
        else:
            drawn = ph.sample(
                draws=options["draws"],
                tune=options["tune"],
                chains=chains,
                random_seed=options["seed"] + chunk,
                approximation=approximation,
                cores=min(cores, chains),
            )
            folder.save(name, drawn, of_chunk)
        parts.append(folder.load_draws(name))
    return parts[0] if len(parts) == 1 else _joined(parts)


def _joined(parts: list) -> Any:
    """Return chunks as one result, with chains numbered through."""
    tree = isinstance(parts[0], xr.DataTree)
    names = list(parts[0].children) if tree else list(parts[0].groups())
    groups = {name: _concatenated([_dataset(part, name) for part in parts]) for name in names}
    groups["posterior"].attrs |= _judged(groups, [_dataset(part, "posterior") for part in parts])
    if tree:
        return xr.DataTree.from_dict(groups)
    return type(parts[0])(**groups)


def _dataset(part, name) -> xr.Dataset:
    found = part[name]
    return found.to_dataset() if isinstance(found, xr.DataTree) else found


def _concatenated(datasets) -> xr.Dataset:
    if "chain" not in datasets[0].dims:
        return datasets[0]
    whole = xr.concat(datasets, "chain", combine_attrs="override")
    return whole.assign_coords(chain=np.arange(whole.sizes["chain"]))


def _judged(groups, posteriors) -> dict[str, Any]:
    """Return attributes of the posterior that are of all chains."""
    import arviz as az

    posterior = groups["posterior"]
    r_hat, effective = (float(_numbers(f(posterior)).max()) for f in (az.rhat, _negative(az.ess)))
    found: dict[str, Any] = {"r_hat": r_hat, "effective_draws": -effective}
    found["gaps"] = [gap for p in posteriors for gap in np.atleast_1d(p.attrs.get("gaps", []))]
    found["divergences"] = int(sum(p.attrs.get("divergences", 0) for p in posteriors))
    faults = [f"R-hat is {r_hat:.3f}: longer chains"] * (r_hat > R_HAT)
    faults += [f"{-effective:.0f} effective draws only: longer chains"] * (-effective < FEWEST)
    first = 0
    for p in posteriors:
        faults += _faults_of_chunk(str(p.attrs.get("verdict", "")), first)
        first += p.sizes["chain"]
    gaps = ", ".join(f"{gap:.1f}" for gap in found["gaps"])
    found["verdict"] = (
        f"All chains: R-hat at most {r_hat:.3f}, at least {-effective:.0f} effective draws, "
        f"{found['divergences']} divergences; mean log-probability of the chains {gaps} below the "
        f"mode's. {'; '.join(dict.fromkeys(faults)) or 'Nothing wrong is seen'}."
    )
    return found


def _faults_of_chunk(verdict: str, first: int) -> list[str]:
    """Return what a verdict says of modes and bounds; chains are numbered from `first` on.

    Its R-hat and effective draws are of few chains: those of all chains count.
    """
    faults = verdict.partition("in a normal posterior. ")[2].rstrip(".").split("; ")
    own = ("", "Nothing wrong is seen")
    kept = [f for f in faults if f not in own and not re.search(r"^R-hat|effective draws", f)]
    return [re.sub(r"^chain (\d+)", lambda m: f"chain {int(m[1]) + first}", f) for f in kept]


def _negative(function: Callable) -> Callable:
    return lambda posterior: -function(posterior)


def _numbers(dataset) -> np.ndarray:
    values = [np.ravel(dataset[name].values) for name in dataset.data_vars]
    return np.concatenate([v[np.isfinite(v)] for v in values] or [np.array([np.nan])])
