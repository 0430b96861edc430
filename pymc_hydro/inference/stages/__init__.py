"""Error parameters after the hydrologic ones: the second of two stages."""
