"""The sweep of a map: the transposed update, from the last interval to the first."""

from pymc_hydro.engine.codegen import SWEEP_ARGUMENTS
from pymc_hydro.engine.codegen.maps.kernel import MapEmitter
from pymc_hydro.engine.derivation.system import INTERVAL, RUN, STAGE
from pymc_hydro.engine.derivation.update import Update, output_name

__all__ = ["emit_map_sweep"]


def emit_map_sweep(update: Update, name: str) -> str:
    """Return the text of the sweep of a map.

    Parameters
    ----------
    update : Update
        Transposed.
    name : str
        Name of the function.
    """
    e = MapEmitter(update)
    text, model = e.text, update.model
    with text.block(f"def {name}({', '.join(a.name for a in SWEEP_ARGUMENTS)}):"):
        _constants(e)
        with text.block("for k in range(n_time - 1, -1, -1):"):
            _interval(e)
        for i, store in enumerate(e.names):
            text(f"by_x0[{i}] = x_{store}")
        for store in update.start:
            i = e.names.index(store)
            with text.block(f"if x0[{i}] != x0[{i}]:"):
                text(f"by_x0[{i}] = 0.0")
                for (of, by), slope in update.start_jacobian.items():
                    if of == store:
                        text(f"t_{by} += {e.ref(slope)} * x_{store}")
        for i, p in enumerate(e.parameters):
            text(f"by_theta[{i}] = t_{p}")
        with text.block("if tape.shape[0] < forcing.shape[0]:"):
            sizes = (("by_theta", len(e.parameters)), ("by_x0", len(e.names)))
            for array, n in sizes:
                with text.block(f"for i in range({n}):"):
                    text(f"{array}[i] = nan")
            with text.block("for k in range(forcing.shape[0]):"):
                with text.block(f"for i in range({len(model.forcing_names)}):"):
                    text("by_forcing[k, i] = nan")
        text("return 0")
    return "\n".join(text.lines) + "\n"


def _constants(e):
    text, update = e.text, e.update
    nodes = [*update.start_jacobian.values(), *update.products.values()]
    for route in update.routes.values():
        nodes += [route.ordinate, route.base, *route.slopes.values()]
    e.load_parameters()
    e.compute(e.needed(nodes), RUN)
    text("n_time = tape.shape[0]")
    e.emit_hydrographs()
    for h in update.held:
        text(f"into_{h} = zeros(n_time)")
    for store in e.names:
        text(f"x_{store} = 0.0")
    for p in e.parameters:
        text(f"t_{p} = 0.0")


def _interval(e):
    text, update = e.text, e.update
    e.load_forcing("forcing[k, {}]")
    everything = e.needed(update.products.values())
    e.compute(everything, INTERVAL)
    for name in (*e.names, *update.held):
        text(f"y_{name} = tape[k, {e.tape[name]}]")
    for store in e.names:
        text(f"k_{store} = x_{store}")
    for o in range(len(update.outputs)):
        text(f"k_{output_name(o).replace(' ', '_')} = cotangent[k, {o}]")
    done: set[int] = set()
    for h, inflow in reversed(e.inflows.items()):
        if h in update.products:
            here = e.needed([update.products[h]]) - done
            e.compute(here, STAGE)
            done |= here
            text(f"a_{h} = {e.ref(update.products[h])}")
            with text.block(f"for j in range(min(n_{h}, k + 1)):"):
                text(f"into_{h}[k - j] += w_{h}[j] * a_{h}")
                for by in update.routes[h].slopes:
                    given = f"tape[k - j, {e.tape[inflow]}]"
                    text(f"t_{by} += s_{h}_{by}[j] * {given} * a_{h}")
        text(f"k_{inflow} = into_{h}[k]")
    e.compute(everything - done, STAGE)
    for store in e.names:
        text(f"x_{store} = {e.ref(update.products[store]) if store in update.products else '0.0'}")
    for p in e.parameters:
        if p in update.products:
            text(f"t_{p} += {e.ref(update.products[p])}")
    for i, u in enumerate(update.model.forcing_names):
        text(f"by_forcing[k, {i}] = {e.ref(update.products[u]) if u in update.products else '0.0'}")
