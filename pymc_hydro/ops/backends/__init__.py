"""The implementations of the Ops for Numba and JAX."""
