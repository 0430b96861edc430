"""Sphinx: pages in Markdown, one generated page a model, the public interface from docstrings."""

import sys
from importlib.metadata import version as installed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from generate import write_pages

project = "pymc_hydro"
author = "The pymc_hydro developers"
version = release = installed("pymc-hydro")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "numpydoc"]
exclude_patterns = ["_build"]
html_theme = "alabaster"
html_theme_options = {"description": "Rainfall-runoff models for PyMC, with exact gradients"}
myst_enable_extensions = ["dollarmath"]
# Links to files beside the pages (examples, benchmarks) are tested by tests/test_docs.py.
suppress_warnings = ["myst.xref_missing", "myst.header"]
autodoc_typehints = "none"  # numpydoc says it better
numpydoc_show_class_members = False


def setup(app):
    """Write the generated pages before the others are read."""
    app.connect("builder-inited", lambda app: write_pages(Path(app.srcdir) / "generated"))
