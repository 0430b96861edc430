"""The base of all models: names, bounds, checks and tables; no numerics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from numbers import Real
from types import MappingProxyType
from typing import Any

import numpy as np

from pymc_hydro.core.base.consistency import check_declaration
from pymc_hydro.core.base.display import describe, describe_html
from pymc_hydro.core.base.names import Names, check_keys
from pymc_hydro.core.blocks import UnitHydrograph
from pymc_hydro.core.declaration import Flow, Output, Parameter, Store
from pymc_hydro.core.snow import DegreeDaySnow, ElevationBands, NoSnow

__all__ = ["AbstractModel"]

FORMULATIONS = ("default", "reference")
HIGHEST = 9000  # m, of the height of a band


class AbstractModel:
    """A rainfall-runoff model as a declaration; subclass it and state the class attributes.

    Attributes
    ----------
    parameters : tuple of Parameter
    stores : tuple of Store
    flows : tuple of Flow
    outputs : tuple of Output
        One of them is ``discharge``, a sum of fluxes in mm/d.
    snow_target : str or None
        The store that receives rain and melt of the snow front end. With it, ``snow=True`` (the
        default) puts the front end's stores before the others and its parameters after the
        others, and ``self.snow.fluxes(s, u, p)["P_liq"]`` is the liquid input.
    exchanges : tuple of str
        Fluxes from outside that are not precipitation, such as groundwater from a neighbour; or
        that leave and are no output. They are declared exceptions to the water balance.
    routing : UnitHydrograph or None
        Distributes an output over later intervals, after the differential equations.
    ordered : tuple of (str, str)
        Pairs of parameters, the smaller first, that would otherwise be exchangeable, such as the
        rates of a slow and a quick reservoir; default priors keep the order.
    choices : mapping of str to value
        Further options that a subclass takes in its own ``__init__``, which sets this and then
        calls ``super().__init__``; part of the model's identity.

    Parameters
    ----------
    snow : bool
        Whether the basin has the snow front end.
    bands : sequence of float, optional
        Heights in m of elevation bands of equal area above the height of the temperature series,
        each with a snow store of its own; see :func:`pymc_hydro.elevation_bands`.
    formulation : {"default", "reference"}
        The corrected equations or those of the public reference.
    initial : mapping of str to (float or "estimate"), optional
        By store with a capacity: the share of it that is filled at the start of a run; or
        "estimate", which adds that share as the parameter ``<store>_0``.

    Raises
    ------
    ValueError, KeyError
        If the declaration is not consistent: at class creation, with what to change.
    """

    parameters: tuple[Parameter, ...] = ()
    stores: tuple[Store, ...] = ()
    flows: tuple[Flow, ...] = ()
    outputs: tuple[Output, ...] = ()
    snow_target: str | None = None
    exchanges: tuple[str, ...] = ()
    routing: UnitHydrograph | None = None
    ordered: tuple[tuple[str, str], ...] = ()
    choices: Mapping[str, Any] = MappingProxyType({})

    def __init__(
        self,
        *,
        snow: bool | None = None,
        bands: Sequence[float] | None = None,
        formulation: str = "default",
        initial: Mapping[str, float | str] | None = None,
    ):
        name = type(self).__name__
        if formulation not in FORMULATIONS:
            raise ValueError(
                f"{name}: formulation must be one of {', '.join(FORMULATIONS)}, found "
                f"{formulation!r}"
            )
        if snow and self.snow_target is None:
            raise ValueError(f"{name} has no snow front end; leave out snow=True")
        with_snow = self.snow_target is not None and snow is not False
        self.options = {"snow": with_snow, "formulation": formulation, **self.choices}
        self.formulation = formulation
        if self.snow_target is not None:
            self.snow = self._snow(bands) if with_snow else NoSnow(self.snow_target)
            self.parameters = (*self.parameters, *self.snow.parameters)
            self.stores = (*self.snow.stores, *self.stores)
            self.flows = (*self.snow.flows, *self.flows)
            self.exchanges = (*self.snow.exchanges, *self.exchanges)
            if with_snow:
                packs = tuple(store.name for store in self.snow.stores)
                swe = Output("swe", packs, "mm", "snow water equivalent at the interval's end")
                self.outputs = (*self.outputs, swe)
        if self.routing is not None:
            self.parameters = (*self.parameters, *self.routing.parameters)
        self._fill(initial or {})
        self._forcing_names = check_declaration(self)

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if not cls.__name__.startswith("Abstract"):
            cls()

    def _fill(self, initial: Mapping[str, float | str]) -> None:
        """Apply the option `initial`: replace the starts of stores, add parameters."""
        name, stores = type(self).__name__, {s.name: s for s in self.stores}
        for key, share in initial.items():
            store = stores.get(key)
            if store is None or store.capacity is None:
                known = ", ".join(s.name for s in self.stores if s.capacity is not None)
                raise KeyError(
                    f"{name}: initial names {key!r}, which is not a store with a capacity; those "
                    f"are {known or 'none'}. For others give simulate(..., initial_state=...)"
                )
            if share == "estimate":
                described = f"initial content of {key} as share of its capacity"
                filled: Any = Parameter(f"{key}_0", 0, 1, "1", described, default=0.5)
                self.parameters = (*self.parameters, filled)
            elif isinstance(share, Real) and 0 <= share <= 1:
                filled = float(share)
            else:
                raise ValueError(
                    f"{name}: initial[{key!r}] must be a share from 0 to 1 or 'estimate', found "
                    f"{share!r}"
                )
            stores[key] = replace(store, initial=_Filled(store, filled))
        self.stores = tuple(stores.values())
        if initial:
            self.options["initial"] = tuple(initial.items())

    def _snow(self, bands) -> Any:
        """Return the front end, or bands of it."""
        if bands is None:
            return self.snow_front()
        heights = tuple(float(height) for height in bands)
        if not (heights and all(abs(height) < HIGHEST for height in heights)):
            raise ValueError(
                f"{type(self).__name__}: bands must be heights in m above the height of the "
                f"temperature series, found {bands!r}; ph.elevation_bands makes them"
            )
        self.options["bands"] = heights
        return ElevationBands(self.snow_front(), heights)

    def snow_front(self) -> Any:
        """Return the snow front end; a subclass may give another one."""
        return DegreeDaySnow(str(self.snow_target))

    def fluxes(self, s: Names, u: Names, p: Names) -> dict[str, Any]:
        """Return the fluxes in mm/d; a pure function of stores, forcing and parameters."""
        raise NotImplementedError(f"{type(self).__name__} must define fluxes(self, s, u, p)")

    # ---- names, bounds, tables --------------------------------------------------------------

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names in the order of every parameter vector and Jacobian column."""
        return tuple(p.name for p in self.parameters)

    @property
    def store_names(self) -> tuple[str, ...]:
        """Names in the order of every state vector."""
        return tuple(s.name for s in self.stores)

    @property
    def output_names(self) -> tuple[str, ...]:
        """All that a run can return: declared outputs, then every store and every flux."""
        return tuple(self.output_table)

    @property
    def lower(self) -> np.ndarray:
        """Lower bounds, shape (n_parameter,)."""
        return np.array([p.lower for p in self.parameters], dtype=float)

    @property
    def upper(self) -> np.ndarray:
        """Upper bounds, shape (n_parameter,)."""
        return np.array([p.upper for p in self.parameters], dtype=float)

    @property
    def default(self) -> np.ndarray:
        """Default values, shape (n_parameter,)."""
        return np.array([p.default for p in self.parameters], dtype=float)

    @property
    def initial_state(self) -> np.ndarray:
        """Content of the stores at the start of a run, shape (n_state,), in mm.

        NaN stands for a content that the parameters give (:meth:`start`), here and wherever an
        initial state is an input.
        """
        return np.array([np.nan if callable(s.initial) else s.initial for s in self.stores])

    def start(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return the initial content of each store, in mm, of any number type."""
        p = Names(type(self).__name__, "parameter", parameters)
        return {s.name: s.initial(p) if callable(s.initial) else s.initial for s in self.stores}

    def parameter_vector(self, theta: Mapping[str, Any] | Sequence | np.ndarray) -> np.ndarray:
        """Return `theta` as an array, the last axis in the order of `parameter_names`.

        Parameters
        ----------
        theta : mapping of name to value, or array_like, shape (..., n_parameter)

        Raises
        ------
        KeyError
            If a name is missing or unknown.
        ValueError
            If the shape does not fit or a value is not finite.
        """
        name = type(self).__name__
        if isinstance(theta, Mapping):
            check_keys(f"{name}: theta", theta, self.parameter_names)
            values = [np.asarray(theta[n], dtype=float) for n in self.parameter_names]
            array = np.stack(np.broadcast_arrays(*values), axis=-1)
        else:
            array = np.asarray(theta, dtype=float)
        if array.ndim not in (1, 2) or array.shape[-1] != len(self.parameters):
            raise ValueError(
                f"{name}: theta must have shape (n_parameter,) or (n_draw, n_parameter) with "
                f"n_parameter = {len(self.parameters)} ({', '.join(self.parameter_names)}), found "
                f"{array.shape}"
            )
        if not np.isfinite(array).all():
            raise ValueError(f"{name}: theta has values that are not finite")
        return np.ascontiguousarray(array)

    # ---- what follows from the declaration --------------------------------------------------

    def evaluate(self, states, forcing, parameters) -> dict[str, Any]:
        """Return all fluxes for mappings of states, forcing and parameters of any number type."""
        name = f"{type(self).__name__}.fluxes"
        s, u = Names(name, "store", states), Names(name, "forcing", forcing)
        fluxes = self.fluxes(s, u, Names(name, "parameter", parameters))
        known = set(fluxes)
        for flow in self.flows:
            if flow.flux not in known:
                raise KeyError(
                    f"{name}: flow {flow.flux!r} is declared but not returned; returned are "
                    f"{', '.join(fluxes)}"
                )
        return fluxes

    def right_hand_side(self, fluxes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the rate of change of each store, from the fluxes and the declared flows."""
        rates: dict[str, Any] = {}
        for store in self.store_names:
            rate = None
            for flow in self.flows:
                if flow.target == store:
                    rate = fluxes[flow.flux] if rate is None else rate + fluxes[flow.flux]
            for flow in self.flows:
                if flow.source == store:
                    rate = -fluxes[flow.flux] if rate is None else rate - fluxes[flow.flux]
            rates[store] = rate
        return rates

    @property
    def output_table(self) -> dict[str, Output]:
        """Every output by name."""
        table = {o.name: o for o in self.outputs}
        for s in self.stores:
            table.setdefault(s.name, Output(s.name, (s.name,), s.unit, s.description))
        for flow in self.flows:
            described = f"flow from {flow.source or 'outside'} to {flow.target or 'outside'}"
            table.setdefault(flow.flux, Output(flow.flux, (flow.flux,), "mm/d", described))
        return table

    def select_outputs(self, names: Sequence[str]) -> tuple[Output, ...]:
        """Return the outputs called `names`; an unknown name is a KeyError that lists all."""
        names = (names,) if isinstance(names, str) else tuple(names)
        for name in names:
            if name not in self.output_table:
                raise KeyError(
                    f"{type(self).__name__}: unknown output {name!r}; known are "
                    f"{', '.join(self.output_names)}"
                )
        return tuple(self.output_table[name] for name in names)

    @property
    def forcing_names(self) -> tuple[str, ...]:
        """The forcings that the fluxes use, in the order of the columns of a forcing array."""
        return self._forcing_names

    # ---- identity and display ---------------------------------------------------------------

    def __eq__(self, other):
        return type(self) is type(other) and self.options == other.options

    def __hash__(self):
        return hash((type(self), tuple(self.options.items())))

    def __reduce__(self):
        return _rebuild, (type(self), self.options)

    def __repr__(self):
        return describe(self)

    def _repr_html_(self):
        return describe_html(self)

    def equations(self):
        """Return what :func:`pymc_hydro.equations` says of this model."""
        return import_module("pymc_hydro").equations(self)

    def source(self, outputs: Sequence[str] = ("discharge",), **settings) -> str:
        """Return what :func:`pymc_hydro.source` says of this model."""
        return import_module("pymc_hydro").source(self, outputs, **settings)


@dataclass(frozen=True)
class _Filled:
    """The initial content of a store as a share of its capacity, a number or a parameter."""

    store: Store
    share: float | Parameter

    def __call__(self, p):
        share = p[self.share.name] if isinstance(self.share, Parameter) else self.share
        return share * self.store.full(p)


def _rebuild(cls, options):
    options = {**options, "initial": dict(options.get("initial", ()))}
    return cls(**options if cls.snow_target is not None else options | {"snow": None})
