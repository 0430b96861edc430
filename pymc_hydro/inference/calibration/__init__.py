"""The parts of :func:`pymc_hydro.calibrate`, one a file."""
