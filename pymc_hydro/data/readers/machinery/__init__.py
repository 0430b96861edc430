"""What a source is, and the one function that reads a basin of it."""
