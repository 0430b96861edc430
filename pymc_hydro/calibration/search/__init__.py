"""The searches of a calibration: rounds, the choice of searches that continue, threads."""
