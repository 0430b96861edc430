"""Values of the equations of the zoo; ``python -m tests.models.zoo_values FOLDER`` writes them.

``zoo.npz`` holds, for MARRMoT's structures without a hydrograph between stores, contents at the
start and at the end of some days, with forcing, discharge and evaporation, as solved at 1e-10 by
right-hand sides that share no code with the package. ``zoo_fluxes.npz`` holds the fluxes of all
structures, and of FUSE's parents, at some points where each flux is seen, as they were when the
package agreed with such solutions: a change shows.
"""

import sys
from pathlib import Path

import numpy as np

import pymc_hydro as ph
from pymc_hydro.core.base.names import Names
from pymc_hydro.models.fuse import PARENTS
from pymc_hydro.testing import checks
from pymc_hydro.testing.independent import rates

DAYS, RECORDED = Path(__file__).parent / "zoo.npz", Path(__file__).parent / "zoo_fluxes.npz"
FORCING = ("precipitation", "potential_evaporation", "temperature", "day_of_year")
OUTPUTS = ("discharge", "evaporation")
KEPT = 5  # days of a structure without hydrographs; of one with them the first dozen
POINTS, CORNERS, SEED = 30, 6, 5  # corners: of the bounds of parameters
FILLED = (1e-6, 1.02)  # of stores: empty, full
# Structures whose smooth kinks have widths of their own.
SMOOTH = ("m_08", "m_10", "m_17", "m_25", "m_33", "m_37", "m_44", "m_45", "m_46")
SIGNS = {False: (1,), True: (1, -0.05)}


def structures():
    """Yield a name and a model: MARRMoT as it is, as published and smooth, FUSE's parents."""
    for kind in ph.marrmot.MODELS:
        for formulation in ("default", "reference"):
            yield f"{kind.number}-{formulation}", kind(formulation=formulation)
    for number in SMOOTH:
        yield f"{number}-smooth", ph.marrmot.get(number)(width=0.01)
    for name in PARENTS:
        yield f"fuse-{name}", ph.FUSE.parent(name)


def fluxes(model):
    """Return all fluxes at the points, shape (n_point, n_flux), in the order of their names.

    Without points at which a flux is infinite: a power of a store far above what it can hold.
    """
    rng = np.random.default_rng([SEED, len(model.parameters)])
    edges = checks.corners(model, np.random.default_rng(SEED), CORNERS)
    found = []
    for theta in (*checks.draw_parameters(model, rng, POINTS), *edges):
        p = dict(zip(model.parameter_names, map(float, theta), strict=True))
        s, together, full = {}, rng.random() < 0.3, rng.choice(FILLED)
        for store in model.stores:
            usual = rng.choice([1, 40, 400 if store.signed else 2000])
            size = usual if store.capacity is None else store.full(Names("", "", p))
            share = full if together else rng.choice((*FILLED, rng.uniform(0, 1)))
            s[store.name] = float(size * share * rng.choice(SIGNS[store.signed]))
        u = {
            "precipitation": rng.choice([2.0, 9.0, 200]),
            "potential_evaporation": rng.uniform(0, 8),
            "temperature": rng.uniform(-5, 15),
            "day_of_year": 100.0,
        }
        u |= {h.output: rng.uniform(0, 20) for h in model.hydrographs}
        with np.errstate(all="ignore"):
            q = model.evaluate(s, u, p)
        found.append([float(q[name]) for name in sorted(q)])
    array = np.array(found)
    return array[np.isfinite(array).all(axis=1)]


def one_day(model, theta, contents, forcing):
    """Return contents at the end of a day, discharge without routing, and evaporation."""
    from scipy.integrate import solve_ivp

    p = dict(zip(model.parameter_names, theta, strict=True))
    u = dict(zip(FORCING, forcing, strict=True))

    def f(_, x):
        return np.array(rates(model, OUTPUTS, x, u, p)[: x.size], dtype=float)

    begin, n = np.append(contents, [0.0, 0.0]), len(contents)
    end = solve_ivp(f, (0, 1), begin, "LSODA", rtol=1e-9, atol=1e-9).y[:, -1]
    return end[:n], end[n], end[n + 1]


def write(folder: Path) -> None:
    found = {}
    for path in sorted(folder.glob("m_*.npz")):
        with np.load(path, allow_pickle=False) as data:
            model = ph.marrmot.get(path.stem)(
                formulation="default" if "Q_proposed" in data else "reference"
            )
            if model.hydrographs:
                continue
            suffix = "_proposed" if "Q_proposed" in data else ""
            theta, initial = data["theta"][0].copy(), data["initial"][0]
            stores, q, ea = (data[n + suffix][0] for n in ("stores", "Q", "Ea"))
            u = np.stack([data[n] for n in FORCING[:3]] + [np.arange(1.0, 1 + len(q))], axis=1)
        if path.stem == "m_25":
            theta[4] *= u[:, 0].mean()
        sign = np.array([-1 if "deficit" in s.description else 1 for s in model.stores])
        before = np.vstack([initial, stores[:-1]])
        # The first, which begins empty, the wettest, the driest, the one with most change in the
        # stores, the coldest with water.
        change = np.abs(stores - before).sum(axis=1)
        days = [0, q.argmax(), ea.argmax(), change.argmax(), (u[:, 2] - u[:, 0] / 9).argmin(), 400]
        for name, array in {
            "theta": theta, "forcing": u[days], "before": before[days] * sign,
            "after": stores[days] * sign, "Ea": ea[days],
            "Q": q[days] if model.routing is None else q[days] * np.nan,
        }.items():  # fmt: skip
            found[f"{path.stem}_{model.formulation}_{name}"] = array
    np.savez_compressed(DAYS, **found)
    record()


def record() -> None:
    np.savez_compressed(RECORDED, **{name: fluxes(model) for name, model in structures()})


if __name__ == "__main__":
    write(Path(sys.argv[1]))
