"""The base of all models: names, bounds, checks and tables; no numerics."""

import inspect
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from numbers import Real
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np

from pymc_hydro.core.base.consistency import check_declaration, check_parts
from pymc_hydro.core.base.display import describe, describe_html
from pymc_hydro.core.base.names import Names, as_vector, check_arguments
from pymc_hydro.core.base.options import document_options, freeze, full_signature, snapshot
from pymc_hydro.core.blocks import UnitHydrograph
from pymc_hydro.core.declaration import Filled, Flow, Output, Parameter, Store
from pymc_hydro.core.snow import FRONTS, DegreeDaySnow, ElevationBands, NoSnow, named_front

__all__ = ["AbstractModel"]

FORMULATIONS = ("default", "reference")
HIGHEST = 9000  # m, of the height of a band
PARTS = {"parameters": Parameter, "stores": Store, "flows": Flow, "outputs": Output}


class AbstractModel:
    """A rainfall-runoff model as a declaration; subclass it and state the class attributes.

    A class is checked when it is created. A class that leaves out a part (parameters, stores,
    flows, outputs or the method `fluxes`), or whose name begins with "Abstract", is a base for
    other models and is not checked. If a class needs arguments, it is checked when it is called.

    Attributes
    ----------
    parameters : tuple of Parameter
    stores : tuple of Store
    flows : tuple of Flow
    outputs : tuple of Output
        One output is ``discharge``, a sum of fluxes in mm/d.
    snow_target : str or None
        The store that receives rain and melt of the snow front end. With it, ``snow=True`` (the
        default) puts the front end's stores before the others and its parameters after the
        others. ``water = self.snow.fluxes(s, u, p)`` are then the fluxes of the front end, and
        ``water.liquid`` is the liquid input.
    exchanges : tuple of str
        Declared exceptions to the water balance: fluxes from outside that are not precipitation,
        such as groundwater from a neighbour, and fluxes to outside that are part of no output.
    routing : UnitHydrograph or None
        Distributes an output over later intervals, after the differential equations.
    hydrographs : tuple of UnitHydrograph
        Places in which water is delayed, each known by its name: flows lead to it and from it. In
        `fluxes` its name is among the forcings ``u``: the rate at which water leaves it, constant
        in an interval, which the flows from it must add up to. Nothing flows back to a hydrograph.
    ordered : tuple of (str, str)
        Pairs of parameters, the smaller first, that would otherwise be exchangeable, such as the
        rates of a slow and a quick reservoir; default priors keep the order.
    tolerance_factor : float
        On the solver's tolerances. It is below one where laws have exact kinks: a step across a
        kink errs by more than it is estimated to.

    Parameters
    ----------
    snow : bool or {"degree-day", "refreezing"}, optional
        Whether precipitation may fall as snow: True in a model with a snow front end, if not
        given. With False, its store and parameters are left out and temperature is not needed. A
        name puts the front end of that name in the place of the model's own.
    bands : sequence of float, optional
        Heights in m of elevation bands of equal area above the height of the temperature series,
        each with a snow store of its own; see :func:`pymc_hydro.elevation_bands`.
    formulation : {"default", "reference"}
        The corrected equations, or the equations of the public reference.
    initial : mapping of str to (float or "estimate"), optional
        By store with a capacity: the share of it that is filled at the start of a run; or
        "estimate", which adds that share as the parameter ``<store>_0``.

    Raises
    ------
    ValueError, TypeError, KeyError
        If the declaration is not consistent (the message names the change), or an option is
        unknown.
    NotImplementedError
        If a class is called that leaves out a part.

    Notes
    -----
    A model takes options of its own in its ``__init__``, which sets the parts that depend on them
    (such as ``self.stores``) and passes the others on: ``super().__init__(**options)``. Two models
    are equal if they are of one class and were made with equal options.
    """

    parameters: tuple[Parameter, ...]
    stores: tuple[Store, ...]
    flows: tuple[Flow, ...]
    outputs: tuple[Output, ...]
    snow_target: str | None = None
    exchanges: tuple[str, ...] = ()
    routing: UnitHydrograph | None = None
    hydrographs: tuple[UnitHydrograph, ...] = ()
    ordered: tuple[tuple[str, str], ...] = ()
    tolerance_factor: float = 1.0
    snow_fronts: Mapping[str, Any] = FRONTS
    # Options of a subclass in a form of its own choice; they replace the options as given.
    choices: Mapping[str, Any] = MappingProxyType({})
    varying: tuple[str, ...] = ()  # parameters that are read like forcing, see `vary`

    __signature__: ClassVar[inspect.Signature]
    _call: tuple[tuple, dict[str, Any]]

    def __new__(cls, *args: Any, **options: Any) -> Self:
        """Keep the call, which tells models apart and makes them anew in another process."""
        self = super().__new__(cls)
        self._call = tuple(map(snapshot, args)), snapshot(options)
        return self

    def __init__(
        self,
        *,
        snow: bool | str | None = None,
        bands: Sequence[float] | None = None,
        formulation: str = "default",
        initial: Mapping[str, float | str] | None = None,
        **unknown: Any,
    ):
        name = type(self).__name__
        check_arguments(name, unknown, inspect.signature(type(self)).parameters)
        check_parts(self, PARTS)
        if formulation not in FORMULATIONS:
            raise ValueError(
                f"{name}: formulation must be one of {', '.join(FORMULATIONS)}, found "
                f"{formulation!r}"
            )
        if snow and self.snow_target is None:
            raise ValueError(f"{name} has no snow front end; leave out snow=True")
        with_snow = self.snow_target is not None and snow is not False
        if bands is not None and not with_snow:
            raise ValueError(f"{name}: bands have no effect without snow; leave them out")
        self.options: dict[str, Any] = {"snow": snow if isinstance(snow, str) else with_snow}
        self.options["formulation"] = formulation
        self.options |= self._own_options() | dict(self.choices)
        self.formulation = formulation
        if self.snow_target is not None:
            self.snow = self._snow(snow, bands) if with_snow else NoSnow(self.snow_target)
            self.parameters = (*self.parameters, *self.snow.parameters)
            self.stores = (*self.snow.stores, *self.stores)
            self.flows = (*self.snow.flows, *self.flows)
            self.exchanges = (*self.snow.exchanges, *self.exchanges)
            if with_snow:
                packs = tuple(store.name for store in self.snow.stores if store.unit == "mm")
                swe = Output("swe", packs, "mm", "snow water equivalent at the interval's end")
                self.outputs = (*self.outputs, swe)
        if self.routing is not None:
            self.parameters = (*self.parameters, *self.routing.parameters)
        for hydrograph in self.hydrographs:
            self.parameters = (*self.parameters, *hydrograph.parameters)
        self._fill(initial or {})
        try:
            self._identity = (type(self), freeze(self.options))
            hash(self._identity)
        except TypeError as error:
            raise TypeError(f"{name}: an option is not hashable: {error}") from error
        self._forcing_names = check_declaration(self)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__signature__ = full_signature(cls)
        own = vars(cls).get("__doc__")
        if own:
            bases = [inspect.getdoc(base) or "" for base in cls.__mro__[1:-1]]
            names = cls.__signature__.parameters
            cls.__doc__ = document_options(inspect.cleandoc(own), bases, names)
        needed = any(
            p.default is p.empty and p.kind is not p.VAR_POSITIONAL
            for p in cls.__signature__.parameters.values()
        )
        if not (needed or cls.__name__.startswith("Abstract")):
            with suppress(NotImplementedError):  # a base that leaves parts to its subclasses
                cls()

    def _own_options(self) -> dict[str, Any]:
        """Return the options of a subclass as it was called, with their defaults."""
        args, options = self._call
        signature = inspect.signature(type(self))
        known = {k: v for k, v in options.items() if k in signature.parameters}
        bound = signature.bind(*args, **known)
        bound.apply_defaults()
        of_all = inspect.signature(AbstractModel.__init__).parameters
        return {k: v for k, v in (bound.arguments | options).items() if k not in of_all}

    def _fill(self, initial: Mapping[str, float | str]) -> None:
        """Apply the option `initial`: replace the starts of stores, add parameters."""
        name = type(self).__name__
        limited = [store.name for store in self.stores if store.capacity is not None]
        for key in initial:
            if key not in limited:
                raise KeyError(
                    f"{name}: initial names {key!r}, which is not a store with a capacity; those "
                    f"are {', '.join(limited) or 'none'}. For others give "
                    "simulate(..., initial_state=...)"
                )
        given = {store: initial[store] for store in limited if store in initial}
        stores = {store.name: store for store in self.stores}
        for key, share in given.items():
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
            stores[key] = replace(stores[key], initial=Filled(stores[key], filled))
        self.stores = tuple(stores.values())
        if given:
            self.options["initial"] = tuple(given.items())

    def _snow(self, snow: bool | str | None, bands: Sequence[float] | None) -> Any:
        """Return the front end, or bands of it."""
        front = named_front(self, snow) if isinstance(snow, str) else self.snow_front()
        if bands is None:
            return front
        heights = tuple(float(height) for height in bands)
        if not (heights and all(abs(height) < HIGHEST for height in heights)):
            raise ValueError(
                f"{type(self).__name__}: bands must be heights in m above the height of the "
                f"temperature series, found {bands!r}; ph.elevation_bands makes them"
            )
        self.options["bands"] = heights
        return ElevationBands(front, heights)

    def snow_front(self) -> Any:
        """Return the snow front end; a subclass may give another one."""
        return DegreeDaySnow(str(self.snow_target), exact=self.formulation == "default")

    def fluxes(self, s: Names, u: Names, p: Names) -> dict[str, Any]:
        """Return the fluxes in mm/d; a pure function of stores, forcing and parameters."""
        raise NotImplementedError(f"{type(self).__name__}: define fluxes(self, s, u, p)")

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
        name = type(self).__name__
        p = parameters if isinstance(parameters, Names) else Names(name, "parameter", parameters)
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
        return as_vector(f"{type(self).__name__}: theta", theta, self.parameter_names)

    # ---- derived from the declaration -------------------------------------------------------

    def evaluate(
        self,
        states: Mapping[str, Any],
        forcing: Mapping[str, Any],
        parameters: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Return all fluxes for mappings of states, forcing and parameters of any number type."""
        name = f"{type(self).__name__}.fluxes"
        s, u = Names(name, "store", states), Names(name, "forcing", forcing)
        own = {**parameters, **{n: forcing[n] for n in self.varying}}
        fluxes = self.fluxes(s, u, Names(name, "parameter", own))
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
        units = {s.name: f"{s.unit}/d" for s in self.stores}
        for flow in self.flows:
            described = f"flow from {flow.source or 'outside'} to {flow.target or 'outside'}"
            unit = units.get(flow.source or flow.target or "", "mm/d")
            table.setdefault(flow.flux, Output(flow.flux, (flow.flux,), unit, described))
        return table

    def select_outputs(self, names: Sequence[str]) -> tuple[Output, ...]:
        """Return the outputs called `names`.

        Raises
        ------
        KeyError
            If a name is unknown; it lists all.
        ValueError
            If a name stands twice.
        """
        names = (names,) if isinstance(names, str) else tuple(names)
        for name in names:
            if name not in self.output_table:
                raise KeyError(
                    f"{type(self).__name__}: unknown output {name!r}; known are "
                    f"{', '.join(self.output_names)}"
                )
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"{type(self).__name__}: {', '.join(twice)} stands twice among the outputs; name "
                "each output once"
            )
        return tuple(self.output_table[name] for name in names)

    @property
    def forcing_names(self) -> tuple[str, ...]:
        """The forcings that the fluxes use, in the order of the columns of a forcing array."""
        return self._forcing_names

    # ---- identity and display ---------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AbstractModel) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def __reduce__(self) -> tuple:
        return _rebuild, (type(self), *self._call, self.varying)

    def vary(self, *names: str) -> Self:
        """Return this model with parameters that change in time, and are read like forcing.

        They are no longer among its parameters, but the last of its forcings: constant in an
        interval, as rain is. An initial content that depends on such a parameter is the one of the
        parameter's default value; ``simulate(..., initial_state=...)`` gives another.

        Parameters
        ----------
        *names : str
            Parameters.

        Raises
        ------
        KeyError
            If a name is unknown.
        ValueError
            If a unit hydrograph depends on such a parameter: no delay is declared for water that
            is under way when the parameter changes.
        """
        unknown = [n for n in names if n not in self.parameter_names]
        if unknown:
            raise KeyError(
                f"{type(self).__name__}.vary: unknown parameters {unknown}; known are "
                f"{', '.join(self.parameter_names)}"
            )
        varied = _rebuild(type(self), *self._call)
        varied.varying = (*self.varying, *names)
        kept = tuple(p for p in varied.parameters if p.name not in varied.varying)
        p = Names(type(self).__name__, "parameter", {q.name: q.default for q in kept})
        routes = [*self.hydrographs, *([] if self.routing is None else [self.routing])]
        for route in routes:
            try:
                route.base(p) if callable(route.base) else None
                route.ordinate(0.0, 1.0, p)
            except KeyError as error:
                raise ValueError(
                    f"{type(self).__name__}: the unit hydrograph of {route.output} depends on a "
                    f"parameter that changes in time ({', '.join(names)}); it must stay constant"
                ) from error
        usual = {q.name: q.default for q in varied.parameters if q.name in varied.varying}
        varied.stores = tuple(store.hold(p, usual) for store in varied.stores)
        varied.parameters = kept
        varied._forcing_names = (*varied._forcing_names, *varied.varying)
        varied._identity = (*varied._identity, varied.varying)
        return varied

    def __repr__(self) -> str:
        return describe(self)

    def _repr_html_(self) -> str:
        return describe_html(self)

    def equations(self) -> Any:
        """Return :func:`pymc_hydro.equations` of this model."""
        return import_module("pymc_hydro").equations(self)

    def source(self, outputs: Sequence[str] = ("discharge",), **settings: Any) -> str:
        """Return :func:`pymc_hydro.source` of this model."""
        return import_module("pymc_hydro").source(self, outputs, **settings)


AbstractModel.__signature__ = full_signature(AbstractModel)


def _rebuild(cls: type, args: tuple, options: dict[str, Any], varying: tuple = ()) -> Any:
    model = cls(*args, **options)
    return model.vary(*varying) if varying else model
