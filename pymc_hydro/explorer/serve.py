"""The explorer in a browser of this computer."""

import socket
from collections.abc import Callable, Mapping
from typing import Any

import xarray as xr

from pymc_hydro.core.model import AbstractModel
from pymc_hydro.explorer.explore import page_of

__all__ = ["serve"]

# Panel's own page without a template does not tell a phone its width.
TEMPLATE = """{% extends base %}
{% block postamble %}<meta name="viewport" content="width=device-width">{% endblock %}
{% block contents %}{{ embed(roots.page) }}{% endblock %}"""
ADDRESS = "127.0.0.1"  # of this computer: nobody else reaches the page


def serve(
    model: AbstractModel | str,
    basin: xr.Dataset | Mapping[str, xr.Dataset],
    port: int = 0,
    show: bool = True,
    say: Callable[[str], object] = print,
    origin: str = "# basin is your record",
) -> None:
    """Serve the explorer to browsers of this computer until it is interrupted.

    Parameters
    ----------
    model : AbstractModel or str
    basin : Dataset, or mapping of name to record
    port : int
        0: a free one.
    show : bool
        Whether to open a browser.
    say : callable
        Is given the address.
    origin : str
        Python that makes the record, as ``basin``.

    Raises
    ------
    ImportError
        If Panel is not there.
    OSError
        If the port is taken.
    """
    first = page_of(
        model, basin, origin=origin
    )  # errors before a browser opens; the kernel is compiled
    import panel as pn

    with socket.socket() as asked:
        asked.bind((ADDRESS, port))
        port = asked.getsockname()[1]
    waiting = [first]

    def page() -> Any:
        """Return a page for one visit."""
        template = pn.Template(TEMPLATE)
        template.add_panel(
            "page", waiting.pop() if waiting else page_of(model, basin, origin=origin)
        )
        return template

    say(f"explorer: http://{ADDRESS}:{port} (end it with Ctrl-C)")
    origins = [f"{name}:{port}" for name in (ADDRESS, "localhost")]
    pn.serve(
        page, port=port, address=ADDRESS, websocket_origin=origins, show=show,
        title="pymc_hydro explorer", verbose=False,
    )  # fmt: skip
