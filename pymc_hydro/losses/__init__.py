"""Losses (to be minimised) and scores (to be maximised) of simulated against observed series.

Each is a pure function of ``(observed, simulated)``. It accepts NumPy arrays, and then returns a
float, or a PyTensor variable as `simulated`, and then returns a graph: differentiable, and usable
in ``pm.Potential``. Missing observations (NaN) are left out. ``LOSSES`` and ``SCORES`` list them
by the names that ``ph.calibrate(loss=...)`` takes.
"""

from pymc_hydro.core.base.warning import renamed_names
from pymc_hydro.losses.curves import BoxCox, LogSinh, Power
from pymc_hydro.losses.evaluation import evaluate, percent_bias
from pymc_hydro.losses.functions.efficiency import (
    kge,
    kge_2012,
    kge_nonparametric,
    nse,
    volume_bias,
)
from pymc_hydro.losses.functions.flow_duration import (
    fdc_energy,
    fdc_log_quantile,
    fdc_quantile,
    fdc_segments,
    fdc_skill,
    segment_bias,
)
from pymc_hydro.losses.functions.jkge import jkge
from pymc_hydro.losses.functions.multi_output import multi_output
from pymc_hydro.losses.functions.recession import recession, recession_plot
from pymc_hydro.losses.functions.robust import (
    cauchy,
    huber,
    log_cosh,
    observed_scale,
    pseudo_huber,
    tukey,
)
from pymc_hydro.losses.functions.sums import gls, mae, rmse, sar, ssr
from pymc_hydro.losses.table import LOSSES, SCORES, SUMS_OF_SQUARES, find_loss, find_residuals
from pymc_hydro.losses.transforms import TRANSFORMS, Transform, box_cox

__all__ = [
    "LOSSES",
    "SCORES",
    "SUMS_OF_SQUARES",
    "TRANSFORMS",
    "BoxCox",
    "LogSinh",
    "Power",
    "Transform",
    "box_cox",
    "cauchy",
    "evaluate",
    "fdc_energy",
    "fdc_log_quantile",
    "fdc_quantile",
    "fdc_segments",
    "fdc_skill",
    "find_loss",
    "find_residuals",
    "gls",
    "huber",
    "jkge",
    "kge",
    "kge_2012",
    "kge_nonparametric",
    "log_cosh",
    "mae",
    "multi_output",
    "nse",
    "observed_scale",
    "percent_bias",
    "pseudo_huber",
    "recession",
    "recession_plot",
    "rmse",
    "sar",
    "segment_bias",
    "ssr",
    "tukey",
    "volume_bias",
]

__getattr__ = renamed_names(__name__, {"residuals_of": "find_residuals"})
