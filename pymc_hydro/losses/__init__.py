"""Losses (to be minimised) and scores (to be maximised) of simulated against observed series.

Each accepts NumPy arrays, and then returns a float, or PyTensor variables, and then returns a
graph. Missing observations (NaN) are left out.
"""

from pymc_hydro.losses.efficiency import kge, nse

__all__ = ["LOSSES", "kge", "nse"]

# By the name that `ph.calibrate(loss=...)` takes: the function, and the sign that minimises it.
LOSSES = {"nse": (nse, -1.0), "kge": (kge, -1.0)}
