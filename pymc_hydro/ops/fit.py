"""Whether the arrays that reach an Op fit its model: compiled graphs do not check bounds.

The two questions are asked once a run, in Python and compiled as a part of graphs. A graph that is
compiled with Numba answers with NaN, every other one with an error.
"""

import numpy as np

from pymc_hydro.core.model import AbstractModel

__all__ = ["check_inputs", "check_record", "inputs_fit", "record_fits", "sizes_of"]


def sizes_of(model: AbstractModel) -> tuple[int, int, int]:
    """Return the numbers of parameters, of columns of the forcing, and of stores."""
    return len(model.parameter_names), len(model.forcing_names), len(model.store_names)


def inputs_fit(sizes, parameters, forcing, initial_state) -> bool:
    """Return whether the last axes have the sizes of the model, and the leading axes agree."""
    return (
        parameters.shape[-1] == sizes[0]
        and forcing.shape[-1] == sizes[1]
        and initial_state.shape[-1] == sizes[2]
        and parameters.shape[:-1] == initial_state.shape[:-1]
    )


def record_fits(record, n_time, n_record) -> bool:
    """Return whether `n_time` intervals have records that ascend, from 0 to `n_record` - 1."""
    if len(record) != n_time:
        return False
    if n_time == 0:
        return True
    ascending = np.all(record[1:] >= record[:-1])
    return bool(ascending and record[0] >= 0 and record[-1] < n_record)


def check_inputs(op, parameters, forcing, initial_state) -> None:
    """Raise ValueError unless :func:`inputs_fit`."""
    sizes = sizes_of(op.problem.model)
    if not inputs_fit(sizes, parameters, forcing, initial_state):
        raise ValueError(
            f"{op}: parameters, forcing and initial_state must end with {sizes[0]}, {sizes[1]} and "
            f"{sizes[2]} entries, and the other axes of parameters and initial_state must be "
            f"equal; found the shapes {parameters.shape}, {forcing.shape} and "
            f"{initial_state.shape}"
        )


def check_record(op, record, n_time: int, n_record: int) -> None:
    """Raise ValueError unless :func:`record_fits`."""
    if not record_fits(record, n_time, n_record):
        ends = f" from {np.min(record)} to {np.max(record)}" if len(record) else ""
        raise ValueError(
            f"{op}: record must have an entry for each of the {n_time} rows of the forcing, from 0 "
            f"to {n_record - 1}, ascending (sort the rows by record); found {len(record)} entries"
            f"{ends}"
        )
