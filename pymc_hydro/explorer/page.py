"""The page of the explorer, in Panel: sliders and buttons on one side, figures on the other."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import panel as pn
import xarray as xr
from bokeh.models import CustomJSTickFormatter

from pymc_hydro.calibration.calibrate import calibrate
from pymc_hydro.core.model import AbstractModel
from pymc_hydro.engine.errors import IntegrationError
from pymc_hydro.explorer.exploration import Exploration, View, named_model
from pymc_hydro.explorer.figures import Figures
from pymc_hydro.losses.table import SCORES
from pymc_hydro.models.listing import MODELS, name_of_model, table_of_models

__all__ = ["Page"]

WIDTH = 340  # of the sliders, in pixels
STARTS = 4  # of a calibration
SIDE_BY_SIDE = f"""
:host {{ display: grid; grid-template-columns: {WIDTH + 20}px minmax(0, 1fr); gap: 16px; }}
@media (max-width: 900px) {{ :host {{ grid-template-columns: minmax(0, 1fr); }} }}
"""  # on a phone one below the other
# Panel 1.10, which needs Python 3.12, has other names than the versions before.
NEW = "label" in pn.widgets.Button.param
LABEL = "label" if NEW else "name"
COLOR, VARIANT = ("color", "variant") if NEW else ("button_type", "button_style")
LOOK: dict[str, Any] = {COLOR: "primary", VARIANT: "outline", "margin": 5}
COPY = "navigator.clipboard.writeText(code.value)"


class Page(pn.viewable.Viewer):
    """Sliders, figures and tables of one model and one record at a time.

    Parameters
    ----------
    model : AbstractModel
    records : mapping of str to Dataset
        The first one is shown.
    warmup : int or str
    score : str
    origins : mapping of str to str
        Python that makes each record, as ``basin``.

    Attributes
    ----------
    sliders : dict of str to panel FloatSlider
        By parameter, each from 0 to 1: along the parameter's range, or along the range of its
        logarithm where the bounds span decades.
    view : View
        What is shown.
    """

    def __init__(
        self,
        model: AbstractModel,
        records: Mapping[str, xr.Dataset],
        warmup: int | str,
        score: str,
        origins: Mapping[str, str],
    ) -> None:
        super().__init__()
        self._origins = origins
        self._given, self._records, self._warmup = model, records, warmup
        named = [name_of_model(model), *(kind.__name__ for kind in MODELS)]
        names = list(dict.fromkeys([*named, *table_of_models().index]))
        self._model = pn.widgets.Select(**{LABEL: "model"}, options=names, width=WIDTH)
        self._record = pn.widgets.Select(**{LABEL: "record"}, options=list(records), width=WIDTH)
        self._score = pn.widgets.Select(
            **{LABEL: "score of the slopes"}, options=list(SCORES), value=score, width=WIDTH
        )
        for widget in (self._model, self._record, self._score):
            widget.param.watch(lambda _: self._begin(), "value")
        actions = {
            "keep this run": self._keep,
            "reset": self._reset,
            "calibrate": self._calibrate,
        }
        self._buttons = {name: pn.widgets.Button(**{LABEL: name}, **LOOK) for name in actions}
        for name, action in actions.items():
            self._buttons[name].on_click(action)
        self._code = pn.widgets.TextAreaInput(
            **{LABEL: "this run as Python"}, disabled=True, rows=12, width=WIDTH
        )
        copy = pn.widgets.Button(**{LABEL: "copy as Python"}, **LOOK)
        copy.js_on_click(args={"code": self._code}, code=COPY)
        self._alert = pn.pane.Alert(alert_type="danger", visible=False, width=WIDTH)
        self._controls, self._shown = pn.Column(width=WIDTH), pn.Column(sizing_mode="stretch_width")
        settings = pn.Column(
            self._model, self._record, self._score,
            pn.FlexBox(*self._buttons.values(), copy), self._alert, self._controls,
            pn.Card(self._code, title="Python", collapsed=True, width=WIDTH),
        )  # fmt: skip
        self._layout = pn.Row(
            settings, self._shown, sizing_mode="stretch_width", stylesheets=[SIDE_BY_SIDE]
        )
        self._begin()

    def __panel__(self) -> pn.viewable.Viewable:
        """Return the layout, for Panel."""
        return self._layout

    @property
    def theta(self) -> dict[str, float]:
        """The parameters shown, by name."""
        return self.exploration.theta(self.view.positions)

    def _begin(self):
        """Show the chosen model and record; a kernel may have to be compiled."""
        self._layout.loading = True
        try:
            self._fill()
        finally:
            self._layout.loading = False

    def _fill(self):
        """Show the chosen model and record, with default parameters."""
        record = self._records[self._record.value]
        try:
            model = self._chosen(record)
            self.exploration = Exploration(model, record, self._warmup, self._score.value)
            start = self.exploration.space.positions(model.default)
            self.view: View = self.exploration.at(start)
        except (IntegrationError, ValueError, KeyError) as error:
            self._say(error)
            return
        self._say(None)
        self._moved = None
        self._quiet = False  # while many sliders move at once
        self._figures = Figures(self.exploration, self.view)
        self.sliders, self._notes = {}, []
        space, rows = self.exploration.space, []
        for i, parameter in enumerate(model.parameters):
            slider = pn.widgets.FloatSlider(
                **{LABEL: f"{parameter.name} ({parameter.unit})"}, start=0, end=1, step=0.005,
                value=float(start[i]), width=WIDTH - 20, format=_natural(space, i),
            )  # fmt: skip
            slider.param.watch(lambda _, i=i: self._move(i), "value")
            self.sliders[parameter.name] = slider
            self._notes.append(pn.pane.HTML(width=WIDTH - 20, margin=(0, 10)))
            rows += [slider, self._notes[-1]]
        self._tables = pn.pane.HTML(sizing_mode="stretch_width")
        self._controls[:] = rows
        self._shown[:] = [
            pn.pane.Bokeh(self._figures.hydrograph, sizing_mode="stretch_width"),
            pn.pane.Bokeh(self._figures.stores, sizing_mode="stretch_width"),
            self._tables,
        ]
        self._tell()

    def _chosen(self, record):
        """Return the chosen model: the one that was given, or another one with its defaults."""
        name = self._model.value
        return self._given if name == name_of_model(self._given) else named_model(name, record)

    def _move(self, i):
        if not self._quiet:
            self._moved = i
            self._show()

    def _show(self):
        positions = np.array([slider.value for slider in self.sliders.values()])
        try:
            self.view = self.exploration.at(positions)
        except IntegrationError as error:
            self._say(error)
            return
        self._say(None)
        self._figures.show(self.view, self._moved)
        self._tell()

    def _tell(self):
        """Write the slopes under the sliders, the tables and the code."""
        score = self._score.value.upper().replace("_", " ")
        parameters = self.exploration.model.parameters
        for parameter, slope, note in zip(parameters, self.view.slopes, self._notes, strict=True):
            note.object = f"<small>{parameter.description}<br>{_slope_text(score, slope)}</small>"
        tables = [("score", self.view.scores, ".3f"), ("water, mm a year", self.view.water, ".0f")]
        self._tables.object = (
            "<div style='display:flex;flex-wrap:wrap;gap:32px'>"
            + "".join(_table(*table) for table in tables if table[1])
            + "</div>"
        )
        origin = self._origins[self._record.value]
        self._code.value = self.exploration.code(self.view.positions, origin)

    def _say(self, error):
        self._alert.visible = error is not None
        self._alert.object = "" if error is None else str(error)

    def _keep(self, _):
        self._figures.keep()

    def _reset(self, _):
        self._figures.drop()
        self._set(self.exploration.space.positions(self.exploration.model.default))

    def _calibrate(self, _):
        button = self._buttons["calibrate"]
        button.loading = True
        try:
            fit = calibrate(
                self.exploration.model, self.exploration.record, loss=self._score.value,
                starts=STARTS, warmup=self.exploration.warmup, random_seed=1, progressbar=False,
            )  # fmt: skip
        except (IntegrationError, ValueError, KeyError) as error:
            self._say(error)
            return
        finally:
            button.loading = False
        theta = np.array([float(fit.theta[name]) for name in self.sliders])
        self._set(self.exploration.space.positions(theta))

    def _set(self, positions):
        """Move all sliders, and run once."""
        self._quiet = True
        for slider, value in zip(self.sliders.values(), positions, strict=True):
            slider.value = float(value)
        self._quiet, self._moved = False, None
        self._show()


def _natural(space, i):
    """Return the formatter that shows the parameter at the position of its slider."""
    low, high = float(space.lower[i]), float(space.upper[i])
    where = f"{low} + {high - low} * tick"
    if space.logarithmic[i]:
        where = f"{low} * Math.pow({high / low}, tick)"
    return CustomJSTickFormatter(code=f"return Number(({where}).toPrecision(3)).toString()")


def _slope_text(score, slope):
    """Return in which direction a score rises, and how fast."""
    if not np.isfinite(slope):
        return ""
    arrow = "▲ rises with it" if slope > 0 else "▼ falls with it"
    if abs(slope) < 5e-5:
        arrow = "does not change with it"
    return f"{score} {arrow}: {slope / 100:+.4f} for 1 % of the slider"


def _table(title, values, form):
    rows = "".join(
        f"<tr><td>{name.replace('_', ' ')}</td>"
        f"<td style='text-align:right;padding-left:16px'>{value:{form}}</td></tr>"
        for name, value in values.items()
    )
    return f"<table><caption style='text-align:left'><b>{title}</b></caption>{rows}</table>"
