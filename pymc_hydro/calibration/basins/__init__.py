"""Many basins: a table of single calibrations, and the loss of each basin in one call."""
