"""Names of the dimensions in every Dataset, PyMC model and result."""

TIME = "time"
PARAMETER = "parameter"
CHAIN, DRAW, SAMPLE = "chain", "draw", "sample"
FORCING = "forcing_variable"
FORCING_TIME = "forcing_time"
