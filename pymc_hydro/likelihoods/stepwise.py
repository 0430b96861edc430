"""Graphs that run step by step: for few evaluations, of which the compilation would take most."""

import pytensor

__all__ = ["stepwise"]


def stepwise(function):
    """Decorate a function so that the graphs which it compiles run step by step."""
    return pytensor.config.change_flags(mode="FAST_COMPILE")(function)
