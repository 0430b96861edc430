"""Graphs that run step by step: for few evaluations, of which the compilation would take most."""

import pytensor
from pytensor.compile.mode import get_mode

__all__ = ["stepwise"]

# As it is written, but for the Op that fills an array with the shape of another, which would go
# over its elements in Python. Products of more than two factors do so in PyTensor 2: they are not
# made.
STEPWISE = (
    get_mode("FAST_COMPILE")
    .excluding("canonicalize")
    .including("local_second_to_alloc", "local_fill_to_alloc")
)


def stepwise(function):
    """Decorate a function so that the graphs which it compiles run step by step."""
    return pytensor.config.change_flags(mode=STEPWISE)(function)
