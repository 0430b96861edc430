"""Plots of how far predictions are from observations."""
