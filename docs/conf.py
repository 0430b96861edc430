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
extensions = [
    "myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.mathjax", "numpydoc",
    "sphinx_design", "sphinx_copybutton", "sphinx-mathjax-offline",
]  # fmt: skip
exclude_patterns = ["_build"]
templates_path = ["_templates"]
html_theme = "pydata_sphinx_theme"
html_title = f"pymc_hydro {version}"
html_theme_options = {
    "navbar_align": "left",
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}
html_static_path = ["_static"]
html_css_files = ["custom.css"]
# Equations are set when they come into view: the page of all structures has a thousand.
mathjax3_config = {"loader": {"load": ["ui/lazy"]}}
autosummary_generate = True
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
# Pages with {code-cell} blocks are notebooks: run at each build, in a folder of their own.
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 600  # seconds a cell
nb_output_stderr = "remove"  # what samplers tell of themselves
# Links to files beside the pages (examples) are tested by tests/test_docs.py.
suppress_warnings = ["myst.xref_missing", "myst.header"]
autodoc_typehints = "none"  # numpydoc says it better
numpydoc_show_class_members = False


def setup(app):
    """Write the generated pages before the others are read; separate references in docstrings."""
    app.connect("autodoc-process-docstring", separate, priority=100)  # before numpydoc
    app.connect("config-inited", _write)
    app.connect("source-read", _link)
    add_directives(app)


def _write(app, config):
    folder = Path(app.srcdir) / "generated"
    write_pages(folder)
    write_picture(folder / "house.svg")


def _link(app, name, source):
    """Link to the page of benchmarks, where the text links to its file."""
    source[0] = source[0].replace("](../benchmarks/README.md", "](generated/benchmarks.md")
