"""Names of the dimensions in every Dataset, PyMC model and result."""

TIME = "time"
PARAMETER = "parameter"
DRAW = "draw"
FORCING = "forcing_variable"
FORCING_TIME = "forcing_time"
