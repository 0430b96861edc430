"""Sphinx: pages in Markdown whose code is executed, generated pages, docstrings."""

import sys
from importlib.metadata import version as installed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from generate import write_pages
from house import write_picture
from kernel_text import add_directives
from references import separate

project = "pymc_hydro"
author = "The pymc_hydro developers"
version = release = installed("pymc-hydro")
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "numpydoc"]
exclude_patterns = ["_build"]
html_theme = "alabaster"
html_theme_options = {
    "description": "Rainfall-runoff models for PyMC, with exact gradients",
    "page_width": "1160px",
    "body_max_width": "900px",
    "fixed_sidebar": True,
}
html_static_path = ["_static"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 2
# Pages with {code-cell} blocks are notebooks: run at each build, in a folder of their own.
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 600  # seconds a cell
nb_output_stderr = "remove"  # what samplers tell of themselves
# Links to files beside the pages (examples, benchmarks) are tested by tests/test_docs.py.
suppress_warnings = ["myst.xref_missing", "myst.header"]
autodoc_typehints = "none"  # numpydoc says it better
numpydoc_show_class_members = False


def setup(app):
    """Write the generated pages before the others are read; separate references in docstrings."""
    app.connect("autodoc-process-docstring", separate, priority=100)  # before numpydoc
    app.connect("builder-inited", _write)
    add_directives(app)


def _write(app):
    folder = Path(app.srcdir) / "generated"
    write_pages(folder)
    write_picture(folder / "house.svg")
