"""Forecasts: the state and the last errors at an origin, and the weather after it."""
