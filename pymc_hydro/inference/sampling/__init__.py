"""Sampling from the highest mode on: whitened coordinates, and a verdict on the chains."""
