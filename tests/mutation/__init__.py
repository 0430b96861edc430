"""Single faults in a copy of the package, and whether the tests named for them fail."""
