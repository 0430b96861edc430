"""The parts of ``fit_laplace``: coordinates, curvature, search for modes, result."""
