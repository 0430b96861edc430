"""Numbers out of declarations: derivation, kernels, integration."""
