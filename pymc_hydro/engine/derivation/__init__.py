"""From a declaration to its equations: programs, Jacobians, head and linear part."""
