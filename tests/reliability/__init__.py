"""Faults, keys and hostile input: the evidence for the promises."""
