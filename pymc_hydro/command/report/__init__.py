"""One HTML page about a folder of results, or about many basins, with all it needs inside."""

from pymc_hydro.command.report.basins import is_store, write_page_of_basins
from pymc_hydro.command.report.page import write_report

__all__ = ["is_store", "write_page_of_basins", "write_report"]
