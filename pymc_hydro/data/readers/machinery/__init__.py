"""The declaration of a source, and the one function that reads a basin of a source."""
