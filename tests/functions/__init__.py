"""Functions, each alone."""
