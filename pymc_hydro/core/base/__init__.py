"""The foundation of declarations: names, dimensions, units, expressions, checks, tables."""
