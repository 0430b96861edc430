"""What declarations stand on: names, dimensions, units, expressions, checks, tables."""
