"""The result of a regionalization: parameters and predictions at basins without a gauge."""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pymc_hydro.calibration.space import SearchSpace
from pymc_hydro.core.base.dims import TIME
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.data.files import complete_file
from pymc_hydro.data.records import BASIN, as_basins
from pymc_hydro.data.schema import Warmup, check_warmup
from pymc_hydro.engine.simulate import simulate
from pymc_hydro.models.listing import find_model, name_of_model
from pymc_hydro.regionalization.attributes import Scale, attribute_table
from pymc_hydro.regionalization.factors import PROBABILITIES, ErrorFactors
from pymc_hydro.regionalization.fit import Fit
from pymc_hydro.regionalization.mapping import (
    AbstractMapping,
    FeatureMapping,
    KernelFeatures,
    Network,
)

__all__ = ["Regionalization"]

KIND, FORMAT = "regionalization of pymc_hydro", 1
FORMULA = (
    "x = (clip(attribute, lowest, highest) - mean) / spread; z = intercept + x @ weights, for mlp "
    "+ tanh(inner_intercept + x @ inner_weights) @ outer_weights, for gp with [x, 2 k(x) L^-T] in "
    "place of x, where k = exp(-d^2 / (2 length^2)) of the distances d to the centers and L L' = k "
    "of the centers + 1e-6 I; u = 1 / (1 + exp(-z)); parameter = lower + u (upper - lower), where "
    "logarithmic lower (upper / lower)^u; parameters with a fixed value have none of this"
)


@dataclass(frozen=True, eq=False)
class Regionalization:
    """The result of :func:`pymc_hydro.regionalize`.

    Attributes
    ----------
    model : AbstractModel
    fit : Fit
        Mapping and weights, from all basins.
    table : Dataset on ``basin``
        ``parameters`` and ``score`` of the basins that were trained on; with folds ``fold``, and
        by the fit of the other folds ``held_out_parameters``, ``held_out_score`` and, with a
        validation period, ``held_out_validation_score``. Scores are values of the loss.
    penalties : Dataset on ``penalty``
        ``median_score`` over basins that were held out, ``mean_score``, ``evaluations``.
    factors : ErrorFactors or None
        Of flow at basins that were held out; None without folds.
    settings : dict of str to str or float
    """

    model: AbstractModel
    fit: Fit
    table: xr.Dataset
    penalties: xr.Dataset
    factors: ErrorFactors | None
    settings: dict[str, Any]

    def parameters(self, attributes: Any) -> xr.Dataset:
        """Return the parameters of basins from their attributes.

        Parameters
        ----------
        attributes : DataFrame or Dataset
            With a row for each basin, or on ``basin``, and all attributes that were trained on.

        Returns
        -------
        Dataset on ``basin``
            A variable for each parameter, which ``ph.simulate`` takes as `theta`; and
            ``attributes_outside``, a coordinate: how many attributes are beyond the range that was
            trained on, at whose end they then are.

        Raises
        ------
        KeyError, TypeError, ValueError
            If an attribute is not there, or a value is missing.
        """
        table = attribute_table(attributes, names=self.fit.scale.names)
        theta, names = self.fit.parameters(table), table.index.tolist()
        variables = {
            p.name: (BASIN, theta[:, j], {"units": p.unit, "long_name": p.description})
            for j, p in enumerate(self.model.parameters)
        }
        outside = (BASIN, self.fit.scale.outside(table))
        return xr.Dataset(variables, {BASIN: names, "attributes_outside": outside})

    def predict(
        self,
        basins: Any,
        attributes: Any = None,
        *,
        coverage: float = 0.9,
        warmup: Warmup = 365,
        **solver_settings: Any,
    ) -> xr.Dataset:
        """Simulate discharge at basins from their forcing and attributes alone.

        Parameters
        ----------
        basins : mapping of name to record, or Dataset on ``basin``
            With forcing.
        attributes : DataFrame or Dataset, optional
            As in :meth:`parameters`; not given, variables of the Dataset `basins`.
        coverage : float
            Of the interval from ``lower`` to ``upper``.
        warmup : int, str or Timedelta
            Intervals at the start of each record that are simulated only.
        **solver_settings
            As in ``ph.simulate``.

        Returns
        -------
        Dataset on ``basin`` and ``time``
            ``discharge``, and its uncertainty at a basin that was not trained on, ``lower`` and
            ``upper``: from the errors at basins that were held out, by tenths of simulated flow.
            NaN where a basin has no record, and in its warm-up.

        Raises
        ------
        ValueError
            If there was no cross-validation (``folds=None``), from which the errors are.
        """
        if self.factors is None:
            raise ValueError(
                "predict: without folds nothing is known of errors at other basins; use "
                "ph.simulate(model, regionalization.parameters(attributes), basins)"
            )
        table = basins if attributes is None else attributes
        records = as_basins(basins, self.model.forcing_names)
        theta = self.parameters(attribute_table(table, list(records), self.fit.scale.names))
        own = {
            name: {p: float(theta[p].sel({BASIN: name})) for p in self.model.parameter_names}
            for name in records
        }
        run = simulate(self.model, own, records, **solver_settings)
        values = run["discharge"].transpose(BASIN, TIME).values.copy()
        ends = np.full((2, *values.shape), np.nan)
        for i, record in enumerate(records.values()):
            there = np.flatnonzero(np.isfinite(values[i]))
            n_warmup = check_warmup(warmup, record[TIME].values)
            values[i, there[:n_warmup]] = np.nan
            scored = there[n_warmup:]
            ends[:, i, scored] = self.factors.between(values[i, scored], coverage)
        dims, units = (BASIN, TIME), {"units": "mm/d"}
        return xr.Dataset(
            {
                "discharge": (dims, values, units),
                "lower": (dims, ends[0], units),
                "upper": (dims, ends[1], units),
            },
            run.coords,
            {"coverage": coverage},
        )

    # ---- files ------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write a JSON file: mapping, weights, bounds, scores, versions, and a hash of all.

        Another program needs nothing but the file to compute parameters; it holds the formula.

        Raises
        ------
        ValueError
            If the mapping is a function, which no file can hold.
        """
        content = _plain(self._content())
        content["sha256"] = _hash(content)
        with complete_file(Path(path)) as part:
            Path(part).write_text(json.dumps(content, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path, model: AbstractModel | None = None) -> "Regionalization":
        """Return a regionalization from a file of :meth:`save`.

        Parameters
        ----------
        path : path
        model : AbstractModel, optional
            For a model of yours, which has no name here.

        Raises
        ------
        KeyError, ValueError
            If the file is no regionalization, was changed, or has parameters that the model lacks.
        """
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.get("kind") != KIND:
            raise ValueError(f"load: {path} is no {KIND}")
        if content["format"] > FORMAT:
            raise ValueError(
                f"load: {path} has format {content['format']}, this version reads up to {FORMAT}; "
                f"it was written by pymc_hydro {content['versions']['pymc_hydro']}"
            )
        if content.pop("sha256", None) != _hash(content):
            raise ValueError(f"load: {path} was changed after it was written, its hash is another")
        return _from_content(content, model)

    def _content(self) -> dict[str, Any]:
        fit, space = self.fit, self.fit.space
        factors = None if self.factors is None else self.factors.quantiles.tolist()
        return {
            "kind": KIND,
            "format": FORMAT,
            "model": {"name": name_of_model(self.model), "options": dict(self.model.options)},
            "formula": FORMULA,
            "parameters": _rows(
                name=space.names,
                unit=[p.unit for p in self.model.parameters],
                lower=space.lower.tolist(),
                upper=space.upper.tolist(),
                fixed=[None if np.isnan(v) else float(v) for v in space.held],
                logarithmic=[
                    bool(i in space.free[space.logarithmic]) for i in range(len(space.names))
                ],
            ),
            "attributes": _rows(
                name=fit.scale.names,
                **{n: getattr(fit.scale, n).tolist() for n in SCALED},
            ),
            "mapping": _mapping_content(fit.mapping),
            "weights": {n: w.tolist() for n, w in fit.mapping.named(fit.weights).items()},
            "penalties": self.penalties.to_dict(),
            "basins": self.table.to_dict(),
            "error_factors": {"probability": PROBABILITIES.tolist(), "logarithm": factors},
            "settings": self.settings,
            "versions": {
                "pymc_hydro": version("pymc-hydro"),
                "numpy": np.__version__,
                "python": platform.python_version(),
            },
        }


SCALED = ("mean", "spread", "lowest", "highest")


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: NaN is null."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _dataset(content: Mapping[str, Any]) -> xr.Dataset:
    """Return a Dataset in which null is NaN."""
    found = xr.Dataset.from_dict(content)
    return found.map(lambda v: v.astype(float) if v.dtype == object else v, keep_attrs=True)


def _rows(**columns: Any) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _column(rows: list[Mapping[str, Any]], name: str) -> np.ndarray:
    return np.array([row[name] for row in rows], dtype=float)


def _hash(content: Mapping[str, Any]) -> str:
    # A float that was read back has the same shortest text.
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _mapping_content(mapping: AbstractMapping) -> dict[str, Any]:
    if isinstance(mapping, Network):
        return {"kind": "mlp", "hidden": mapping.hidden}
    features = mapping.features if isinstance(mapping, FeatureMapping) else mapping
    if features is None:
        return {"kind": "linear"}
    if not isinstance(features, KernelFeatures):
        raise ValueError(
            "save: the mapping is a function, which no file can hold; save its features as "
            "attributes and use mapping='linear'"
        )
    return {"kind": "gp", "centers": features.centers.tolist(), "length": features.length}


def _from_content(content: dict[str, Any], model: AbstractModel | None) -> Regionalization:
    if model is None:
        model = find_model(content["model"]["name"])(**content["model"]["options"])
    names = tuple(row["name"] for row in content["parameters"])
    if names != model.parameter_names:
        raise ValueError(
            f"load: the file has the parameters {', '.join(names)}, but {type(model).__name__} has "
            f"{', '.join(model.parameter_names)}; give model="
        )
    lower, upper, held = (_column(content["parameters"], n) for n in ("lower", "upper", "fixed"))
    space = SearchSpace(names, lower, upper, held, "unconstrained")
    rows, found = content["attributes"], content["mapping"]
    scale = Scale(tuple(row["name"] for row in rows), *(_column(rows, n) for n in SCALED))
    n_free = len(space.free)
    mapping: AbstractMapping
    if found["kind"] == "mlp":
        mapping = Network(len(rows), n_free, found["hidden"])
    elif found["kind"] == "gp":
        features = KernelFeatures(np.array(found["centers"], dtype=float), found["length"])
        mapping = FeatureMapping(len(rows), n_free, features.size, features)
    else:
        mapping = FeatureMapping(len(rows), n_free, len(rows))
    weights = [np.ravel(np.array(content["weights"][n], dtype=float)) for n in mapping.shapes]
    quantiles = content["error_factors"]["logarithm"]
    return Regionalization(
        model,
        Fit(scale, mapping, space, np.concatenate(weights)),
        _dataset(content["basins"]),
        _dataset(content["penalties"]),
        None if quantiles is None else ErrorFactors(np.array(quantiles)),
        content["settings"],
    )
