"""What Numba and JAX are told about the Ops."""
