"""What a model is: declarations, blocks, smoothing, mathematics."""
