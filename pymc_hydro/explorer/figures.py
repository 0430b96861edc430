"""The two figures of the explorer, in Bokeh: discharge under rain, and the stores."""

from itertools import cycle

import numpy as np
from bokeh.models import ColumnDataSource, LinearAxis, Range1d
from bokeh.plotting import figure

from pymc_hydro.core.base.dims import TIME
from pymc_hydro.explorer.exploration import Exploration, View
from pymc_hydro.plots.series import COLORS

__all__ = ["Figures"]

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999")
TALL, LOW = 400, 280  # pixels
YEARS = 4  # to begin with, of daily data: the rest is a drag away
MS = np.timedelta64(1, "ms")
HEADROOM = 1.5  # above the highest flow: rain hangs there


class Figures:
    """Figures of one model and record, whose data change with the sliders.

    Attributes
    ----------
    hydrograph, stores : bokeh figure
    """

    def __init__(self, exploration: Exploration, view: View) -> None:
        self.exploration = exploration
        record, time = exploration.record, exploration.record[TIME].values
        self.simulated = ColumnDataSource(self._flows(view, None))
        self.ghost = ColumnDataSource({"time": [], "flow": []})
        self.contents = ColumnDataSource(self._contents(view))
        last = Range1d(start=time[-min(YEARS * 365, time.size)], end=time[-1])
        self.hydrograph = plot = _figure("discharge (mm/d)", TALL, last)
        rain = record["precipitation"].values
        plot.extra_y_ranges = {"rain": Range1d(start=4 * max(float(rain.max()), 1.0), end=0)}
        plot.add_layout(LinearAxis(y_range_name="rain", axis_label="rain (mm/d)"), "right")
        bars = {"x": time, "top": rain, "bottom": 0, "width": float((time[1] - time[0]) / MS)}
        plot.vbar(**bars, y_range_name="rain", color=COLORS["rain"], alpha=0.5)
        plot.varea(
            "time", "low", "high", source=self.simulated, color=COLORS["band"], alpha=0.5,
            legend_label="slider moved by ±5 %",
        )  # fmt: skip
        top = float(view.run["discharge"].max())
        if exploration.observed is not None:
            seen = {"size": 3, "color": COLORS["observed"], "legend_label": "observed"}
            plot.scatter(time, exploration.observed, **seen)
            top = float(np.nanmax(exploration.observed))
        plot.line("time", "flow", source=self.ghost, color="#999999", legend_label="kept run")
        plot.line(
            "time", "flow", source=self.simulated, color=COLORS["simulated"],
            legend_label="simulated",
        )  # fmt: skip
        plot.y_range = Range1d(start=0, end=HEADROOM * top)
        self.stores = _figure("content (mm)", LOW, plot.x_range)
        for name, color in zip(exploration.model.store_names, cycle(PALETTE)):
            self.stores.line("time", name, source=self.contents, color=color, legend_label=name)
        for each in (plot, self.stores):
            each.legend.orientation, each.legend.click_policy = "horizontal", "hide"
            each.legend.ncols = 2 if each is plot else 4
            each.legend.border_line_alpha, each.legend.label_text_font_size = 0, "11px"
            each.add_layout(each.legend[0], "above")

    def show(self, view: View, moved: int | None) -> None:
        """Draw a view, with the band of the parameter that was moved last."""
        self.simulated.data = self._flows(view, moved)
        self.contents.data = self._contents(view)

    def keep(self) -> None:
        """Leave the present run as a line of its own."""
        self.ghost.data = {name: self.simulated.data[name] for name in ("time", "flow")}

    def drop(self) -> None:
        """Take the kept run away."""
        self.ghost.data = {"time": [], "flow": []}

    def _flows(self, view, moved):
        flow = view.run["discharge"].values
        low, high = (flow, flow) if moved is None else self.exploration.band(view, moved)
        return {"time": view.run[TIME].values, "flow": flow, "low": low, "high": high}

    def _contents(self, view):
        names = self.exploration.model.store_names
        return {"time": view.run[TIME].values} | {n: view.run[n].values for n in names}


def _figure(label, height, x_range):
    return figure(
        x_axis_type="datetime", y_axis_label=label, height=height, sizing_mode="stretch_width",
        tools="xpan,xwheel_zoom,xbox_zoom,reset,save", active_drag="xpan", x_range=x_range,
    )  # fmt: skip
