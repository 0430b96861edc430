"""The error of a run that could not be completed."""

__all__ = ["IntegrationError"]


class IntegrationError(RuntimeError):
    """An integration failed; the message names the date, the reason and the parameters."""
