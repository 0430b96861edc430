"""One HTML page about a folder of results, with all it needs inside."""

from pymc_hydro.command.report.page import write_report

__all__ = ["write_report"]
