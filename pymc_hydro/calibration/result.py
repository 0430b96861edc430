"""The result of a calibration: parameters, scores, uncertainty and the history of the search."""

import html
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from pymc_hydro.core.base.dims import PARAMETER
from pymc_hydro.data.files import complete_file

__all__ = ["Calibration"]

SHOWN = ("nse", "nse_log", "kge", "percent_bias")
WEAK = 0.3  # components of the weakest direction that are printed
DATASETS = ("theta", "simulation", "validation", "identifiability", "history")
ARRAYS = ("jacobian", "gradient", "covariance")


@dataclass(frozen=True, eq=False)
class Calibration:
    """The result of :func:`pymc_hydro.calibrate`.

    Attributes
    ----------
    theta : Dataset
        The parameters, one variable each, with the attributes ``units``, ``long_name``, ``lower``,
        ``upper``, ``standard_error``, and as 0 or 1 ``at_bound``, ``fixed`` and ``no_effect``: the
        parameter changes no residual, so that its value and its error mean nothing.
    loss : float
        The minimised value; for a score, its negative.
    scores : dict of str to float
        All scores of discharge (or of the first output that has a loss) in the calibration period,
        from ``ph.losses.evaluate``.
    validation_scores : dict of str to float, or None
        The same of the validation period.
    simulation : Dataset
        The simulated outputs, and ``observed_<output>``, on ``time`` (means of ``ph.means`` on
        ``<output>_interval``, their offset in the attribute ``means``), from the beginning of the
        warm-up to the end of the calibration period; the attribute ``warmup`` is the number of
        intervals that are not scored.
    validation : Dataset or None
        The same for the validation period.
    jacobian : DataArray, shape (n_time, n_parameter)
        Derivative of the first output with respect to each parameter, warm-up included.
    gradient : DataArray, shape (n_parameter,)
        Of the loss, at the optimum; zero for fixed parameters.
    gradient_norm : float
        Largest component of the gradient on the axes of the search, each from 0 to 1. Components
        that push against a bound do not count. Near zero at an optimum.
    covariance : DataArray, shape (n_parameter, n_parameter)
        By linear theory, of parameters that are neither fixed nor at a bound; its attribute
        ``note`` says under which conditions it holds.
    identifiability : Dataset
        Singular values of the Jacobian on the axes of the search, and their directions; see
        :meth:`weakest_direction`.
    history : Dataset
        For each start: ``loss``, ``evaluations`` (integrations with Jacobian), ``failed``
        integrations, ``undefined`` (integrations without failure whose loss or gradient is not
        finite), ``seconds``, ``converged``, ``message``, ``first`` and ``last`` parameters, and
        ``trace``, the loss of each integration. The names of searches of later rounds begin with
        ``hop_``, the names of the last search with ``final_``.
    message : str
        The optimiser's message at the end of the last search.
    settings : dict
        Names of model, loss, method and search space; the periods.
    """

    theta: xr.Dataset
    loss: float
    scores: dict
    validation_scores: dict | None
    simulation: xr.Dataset
    validation: xr.Dataset | None
    jacobian: xr.DataArray
    gradient: xr.DataArray
    gradient_norm: float
    covariance: xr.DataArray
    identifiability: xr.Dataset
    history: xr.Dataset
    message: str
    settings: dict

    @property
    def integrations(self) -> int:
        """Number of integrations, each with its Jacobian, of all searches."""
        return int(self._of_searches("evaluations").sum())

    def _of_searches(self, name):
        """Return a variable of the history for all searches, from the starts to the last search."""
        return np.concatenate([self.history[p + name].values for p in ("", "hop_", "final_")])

    @property
    def standard_errors(self) -> xr.DataArray:
        """Square roots of the variances, shape (n_parameter,); see the note of the covariance."""
        variance = np.diag(self.covariance.values)
        coords = {PARAMETER: self.covariance[PARAMETER].values}
        return xr.DataArray(
            np.sqrt(variance), dims=PARAMETER, coords=coords, attrs=self.covariance.attrs
        )

    @property
    def correlation(self) -> xr.DataArray:
        """Correlation of the parameters; NaN for a parameter that is fixed or at a bound."""
        error = self.standard_errors.values
        safe = np.where(error > 0, error, np.nan)
        return self.covariance / np.outer(safe, safe)

    def weakest_direction(self) -> dict[str, float]:
        """Return the combination of parameters that the observations constrain least.

        Returns
        -------
        dict of str to float
            Components of a unit vector on the axes of the search, the largest first.
        """
        if self.identifiability.sizes["direction"] == 0:
            return {}
        last = self.identifiability["direction"].isel(direction=-1)
        order = np.argsort(-np.abs(last.values))
        names = last[PARAMETER].values
        return {str(names[i]): float(last.values[i]) for i in order if last.values[i] != 0}

    def save(self, path: str | Path) -> None:
        """Write everything to a netCDF file, which is then whole or not there.

        Parameters
        ----------
        path : str or Path
        """
        numbers = {
            name: getattr(self, name)
            for name in ("loss", "scores", "validation_scores", "gradient_norm", "message")
        }
        text = json.dumps(numbers | {"settings": self.settings})
        groups = {name: getattr(self, name) for name in DATASETS}
        groups["arrays"] = xr.Dataset({name: getattr(self, name) for name in ARRAYS})
        with complete_file(Path(path)) as temporary:
            xr.Dataset(attrs={"calibration": text}).to_netcdf(temporary, engine="h5netcdf")
            for name, group in groups.items():
                if group is not None:
                    group.to_netcdf(temporary, group=name, mode="a", engine="h5netcdf")

    @classmethod
    def load(cls, path: str | Path) -> "Calibration":
        """Read a result that :meth:`save` has written.

        Parameters
        ----------
        path : str or Path

        Raises
        ------
        FileNotFoundError, ValueError
            If there is no such file, or it is no saved calibration.
        """
        path = Path(path)
        try:
            with xr.open_dataset(path, engine="h5netcdf") as root:
                numbers = json.loads(root.attrs["calibration"])
        except FileNotFoundError:
            raise
        except (OSError, KeyError) as error:
            raise ValueError(
                f"{path} is no calibration that was saved by Calibration.save"
            ) from error
        groups: dict = {"validation": None}
        for name in DATASETS:
            if name != "validation" or numbers["validation_scores"] is not None:
                groups[name] = _read(path, name)
        arrays = _read(path, "arrays")
        return cls(**numbers, **groups, **{name: arrays[name] for name in ARRAYS})

    # ---- display ----------------------------------------------------------------------------

    def __repr__(self) -> str:
        rows = [HEAD, *self._rows()]
        widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
        table = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)) for r in rows]
        return "\n".join([*self._head(), "", *(line.rstrip() for line in table), "", *self._foot()])

    def _repr_html_(self) -> str:
        def cells(row, tag):
            return "<tr>" + "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in row) + "</tr>"

        lines = [html.escape(line) for line in (*self._head(), *self._foot())]
        parameters = "".join(cells(row, "td") for row in self._rows())
        periods = {"calibration": self.scores, "validation": self.validation_scores or {}}
        periods = {name: found for name, found in periods.items() if found}
        scores = "".join(
            cells([name, *(f"{found[name]:.4g}" for found in periods.values())], "td")
            for name in self.scores
        )
        return (
            f"<p>{'<br>'.join(lines)}</p><table>{cells(HEAD, 'th')}{parameters}</table>"
            f"<details><summary>all scores</summary><table>{cells(['score', *periods], 'th')}"
            f"{scores}</table></details>"
        )

    def _head(self):
        s = self.settings
        lines = [
            f"Calibration of {s['model']} by {s['loss']}: {s['method']}, "
            f"{self.history.sizes['start']} starts, {self.history.sizes['hop']} hops, "
            f"{self.integrations} integrations"
        ]
        for name, scores in (("calibration", self.scores), ("validation", self.validation_scores)):
            if scores is not None:
                text = ", ".join(f"{k} {scores[k]:.4g}" for k in SHOWN)
                lines.append(f"{name:11s} {s[name]}: {text}")
        return lines

    def _foot(self):
        weak = self.weakest_direction()
        text = ", ".join(f"{k} {v:+.2f}" for k, v in weak.items() if abs(v) >= WEAK)
        lines = [f"Optimiser: {self.message} (gradient {self.gradient_norm:.1e})"]
        ends = self._of_searches("loss")
        near = int(np.sum(ends <= self.loss + 1e-3 * abs(self.loss)))
        last = ", the last from the best of the others" * (self.history.sizes["last_search"] > 0)
        lines.append(
            f"Searches that ended within 0.1 % of the best loss: {near} of {ends.size}{last}"
        )
        failed, undefined = (self._of_searches(name).sum() for name in ("failed", "undefined"))
        if failed or undefined:
            lines.append(
                f"Of {self.integrations} integrations, {failed} failed, and {undefined} had a loss "
                "that is no number"
            )
        if weak:
            values = self.identifiability["singular_value"].values
            strength = "without effect"
            if values[-1] > 0:
                strength = f"{values[0] / values[-1]:.0f} times weaker than the strongest"
            lines.append(f"Weakest direction: {text} ({strength})")
        lines.append(
            "Standard errors are by linear theory and mostly too small; see fit.covariance.note"
        )
        return lines

    def _rows(self):
        rows = []
        for name, value in self.theta.data_vars.items():
            a = value.attrs
            remarks = ("fixed", "fixed"), ("no_effect", "no effect"), ("at_bound", "at its bound")
            remark = next((text for key, text in remarks if a.get(key)), "")
            error = "" if remark else f"{a['standard_error']:.2g}"
            bounds = f"{a['lower']:g} to {a['upper']:g}"
            rows.append((str(name), f"{value.item():.5g}", error, a["units"], bounds, remark))
        return rows


HEAD = ("parameter", "value", "standard error", "unit", "bounds", "")


def _read(path, group):
    with xr.open_dataset(path, group=group, engine="h5netcdf") as found:
        return found.load()
